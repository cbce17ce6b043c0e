// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where a command prints: results on one side, all else on the other.
package struct Console: Sendable {
  package enum Verbosity: Int, Comparable, Sendable {
    case quiet, usual, verbose

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// What the program is called, as users type it.
  package let program: String
  /// Standard output: results.
  package let output: Terminal
  /// Standard error: messages, progress, errors.
  package let messages: Terminal
  package let environment: [String: String]
  package var format: Format
  package var verbosity = Verbosity.usual

  package init(
    program: String = "apus", output: Terminal, messages: Terminal, environment: [String: String],
    format: Format = .text
  ) {
    self.program = program
    self.output = output
    self.messages = messages
    self.environment = environment
    self.format = format
  }

  /// A line of the result.
  package func print(_ line: String) { output.print(line + "\n") }

  /// A result as JSON: over several lines, or on one where the format is a value a line.
  package func print(json value: JSONText) { print(format == .json ? value.pretty : value.line) }

  /// What a person may want to know.
  package func note(_ line: String) {
    if verbosity >= .usual { messages.print(line + "\n") }
  }

  /// What helps to find out why.
  package func detail(_ line: String) {
    if verbosity == .verbose { messages.print(line + "\n") }
  }

  /// What went wrong.
  package func complain(_ line: String) {
    messages.print(messages.styled("\(program):", .red) + " \(line)\n")
  }
}
