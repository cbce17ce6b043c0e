// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A program: what it does and the commands it has.
package protocol CommandProgram {
  /// The first line of its help.
  static var title: String { get }
  /// In the order of help.
  static var commands: [any Command.Type] { get }
}

/// `apus help`.
package struct Help<Program: CommandProgram>: Command {
  package static var grammar: Grammar {
    Grammar(
      name: "help",
      summary: "Tell what a command does and takes.",
      arguments: [Argument("COMMAND", .text, .any, "A command, for example data split.")],
      formats: [.text])
  }

  private let name: String

  package init(_ words: Words) throws(UsageError) {
    name = words.arguments.joined(separator: " ")
    let names = Program.commands.map { $0.grammar.name }
    guard name.isEmpty || names.contains(where: { $0 == name || $0.hasPrefix(name + " ") }) else {
      throw words.failure(
        "unknown command \(name)", expected: "one of " + names.joined(separator: ", "),
        value: name, among: names)
    }
  }

  package func run(on console: Console) -> ExitCode {
    let grammars = Program.commands.map { $0.grammar }
    let help = HelpText(for: console, title: Program.title)
    if name.isEmpty {
      console.output.print(help.overview(grammars))
    } else if let grammar = grammars.first(where: { $0.name == name }) {
      console.output.print(help.command(grammar))
    } else {
      let members = grammars.filter { $0.name.hasPrefix(name + " ") }
      console.output.print(help.group(name, members))
    }
    return .done
  }
}
