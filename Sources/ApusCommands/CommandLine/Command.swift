// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a user can ask for: words become a value, and the value runs.
package protocol Command: Sendable {
  static var grammar: Grammar { get }

  /// Reads the words; whatever is wrong with them is found here, before anything is done.
  init(_ words: Words) throws(UsageError)

  /// Does what was asked for; on the caller's thread, but for what it waits for.
  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode
}

/// How the program ends.
package enum ExitCode: Int32, Sendable {
  case done = 0
  /// It ran and failed.
  case failed = 1
  /// Wrong words, or a recipe that makes no sense.
  case wrongUsage = 2
  /// Could not reach or was not let in.
  case unreachable = 3
  /// SIGINT or SIGTERM.
  case interrupted = 130
}

/// An error that says how the program ends after it.
package protocol EndingError: Error {
  /// For the person who reads it.
  var message: String { get }
  var exitCode: ExitCode { get }
}

/// Words on the command line that are wrong: which, what was expected, and the nearest right one.
package struct UsageError: Error, CustomStringConvertible {
  package let message: String
  /// The command whose help tells more.
  package var command: String?

  package init(_ message: String, command: String? = nil) {
    self.message = message
    self.command = command
  }

  package var description: String { message }
}
