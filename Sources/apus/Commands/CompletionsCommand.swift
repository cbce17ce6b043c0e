// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands

/// `apus completions`.
struct CompletionsCommand: Command {
  static let grammar = Grammar(
    name: "completions",
    summary: "Print a script that completes commands and options in a shell.",
    arguments: [Argument("SHELL", .choice(["bash", "zsh", "fish"]), .one, "bash, zsh or fish.")],
    formats: [.text],
    examples: [
      "apus completions bash > ~/.local/share/bash-completion/completions/apus",
      "apus completions zsh > ~/.zfunc/_apus",
      "apus completions fish > ~/.config/fish/completions/apus.fish",
    ])

  private let shell: String

  init(_ words: Words) throws(UsageError) { shell = words.argument() ?? "" }

  func run(on console: Console) -> ExitCode {
    let completions = Completions(of: Apus.commands.map { $0.grammar })
    switch shell {
    case "zsh": console.output.print(completions.zsh())
    case "fish": console.output.print(completions.fish())
    default: console.output.print(completions.bash())
    }
    return .done
  }
}
