// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusSimulation

/// `apus help`.
struct Help: Command {
  static let grammar = Grammar(
    name: "help",
    summary: "Tell what a command does and takes.",
    arguments: [Argument("COMMAND", .text, .any, "A command, for example data split.")],
    formats: [.text])

  private let name: String

  init(_ words: Words) throws(UsageError) {
    name = words.arguments.joined(separator: " ")
    let names = Apus.commands.map { $0.grammar.name }
    guard name.isEmpty || names.contains(where: { $0 == name || $0.hasPrefix(name + " ") }) else {
      throw words.failure(
        "unknown command \(name)", expected: "one of " + names.joined(separator: ", "),
        value: name, among: names)
    }
  }

  func run(on console: Console) -> ExitCode {
    let grammars = Apus.commands.map { $0.grammar }
    let width = console.output.width
    if name.isEmpty {
      console.output.print(HelpText.overview(grammars, width: width))
    } else if let grammar = grammars.first(where: { $0.name == name }) {
      console.output.print(HelpText.command(grammar, width: width))
    } else {
      let members = grammars.filter { $0.name.hasPrefix(name + " ") }
      console.output.print(HelpText.group(name, members, width: width))
    }
    return .done
  }
}
