// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCommands
import Synchronization

@testable import apus

/// A console whose text a test can read.
final class Recorder: Sendable {
  private let texts = Mutex((output: "", messages: ""))

  var output: String { texts.withLock { $0.output } }
  var messages: String { texts.withLock { $0.messages } }

  func console(
    isInteractive: Bool = false, format: Format = .text, environment: [String: String] = [:]
  ) -> Console {
    func terminal(_ write: @escaping @Sendable (String) -> Void) -> Terminal {
      Terminal(isInteractive: isInteractive, usesColor: false, width: 80) {
        write($0)
        return 0
      }
    }
    return Console(
      output: terminal { text in self.texts.withLock { $0.output += text } },
      messages: terminal { text in self.texts.withLock { $0.messages += text } },
      environment: environment, format: format)
  }

  /// Runs words as the program would.
  func run(_ words: String..., environment: [String: String] = [:]) async -> ExitCode {
    await Dispatch(Apus.self, console: console(environment: environment)).run(words)
  }
}
