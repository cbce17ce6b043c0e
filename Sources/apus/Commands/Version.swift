// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusSimulation

/// `apus version`.
struct Version: Command {
  static let grammar = Grammar(
    name: "version", summary: "Tell which Apus this is.", examples: ["apus version --format json"])

  private struct Answer: Encodable {
    let version: String
  }

  init(_ words: Words) throws(UsageError) {}

  func run(on console: Console) throws -> ExitCode {
    if console.format == .text {
      console.print("apus \(ApusVersion.current)")
    } else {
      try console.print(json: Answer(version: ApusVersion.current))
    }
    return .done
  }
}
