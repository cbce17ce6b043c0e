// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusData

/// Finds the command that the words name, runs it, and tells what went wrong.
package struct Dispatch {
  private let commands: [any Command.Type]
  private let title: String
  private let console: Console

  package init(_ program: any CommandProgram.Type, console: Console) {
    commands = program.commands
    title = program.title
    self.console = console
  }

  private var help: HelpText { HelpText(for: console, title: title) }

  private var grammars: [Grammar] { commands.map { $0.grammar } }

  /// Runs the words that follow the program's name.
  package nonisolated(nonsending) func run(_ words: [String]) async -> ExitCode {
    var console = console
    do {
      guard let (command, rest) = try find(words) else { return .done }
      let parsed = try Words(rest, for: command.grammar)
      console.format = parsed.format
      if parsed.contains(.quiet) { console.verbosity = .quiet }
      if parsed.contains(.verbose) { console.verbosity = .verbose }
      if parsed.contains(.help) {
        console.output.print(help.command(command.grammar))
        return .done
      }
      let status = try await command.init(parsed).run(on: console)
      return confirm(status)
    } catch let error as UsageError {
      let prefix = error.command.map { "\($0): " } ?? ""
      console.complain(prefix + error.message)
      let topic = error.command.map { "help \($0)" } ?? "help"
      if console.verbosity > .quiet {
        console.messages.print("'\(console.program) \(topic)' tells what it takes.\n")
      }
      return .wrongUsage
    } catch let error as any EndingError {
      console.complain(error.message)
      return error.exitCode
    } catch {
      console.complain("\(error)")
      return .failed
    }
  }

  /// A result that could not be written is a failure, unless its reader has left on purpose.
  private func confirm(_ status: ExitCode) -> ExitCode {
    guard status == .done, let problem = console.output.problem else { return status }
    console.complain("the results could not be written to standard output: \(problem)")
    return .failed
  }

  /// The command and the words for it; nil where help or the version was asked for and is printed.
  private func find(_ words: [String]) throws(UsageError) -> ((any Command.Type), [String])? {
    // Options that every command has may stand before it.
    var (common, rest) = ([String](), words[...])
    while let word = rest.first, word.hasPrefix("-") {
      rest.removeFirst()
      switch word {
      case "--help", "-h":
        if rest.isEmpty { return show(nil) }
        common.append(word)
      case "--version": return (Version.self, common + rest)
      default:
        common.append(word)
        if word == "--format", let value = rest.popFirst() { common.append(value) }
      }
    }
    guard let first = rest.popFirst() else {
      throw UsageError(
        common.first.map { "\($0) without a command" }
          ?? "a command is missing, for example '\(console.program) \(grammars.first?.name ?? "help")'"
      )
    }
    if let command = commands.first(where: { $0.grammar.name == first }) {
      return (command, common + rest)
    }
    let group = commands.filter { $0.grammar.name.hasPrefix(first + " ") }
    let known =
      group.isEmpty
      ? grammars.map { Self.word(0, of: $0) } : group.map { Self.word(1, of: $0.grammar) }
    guard !group.isEmpty else { throw unknown(first, among: known) }
    guard let second = rest.popFirst() else {
      throw UsageError("\(first) needs one of \(known.joined(separator: ", "))", command: first)
    }
    if second == "--help" || second == "-h" { return show(first) }
    guard let command = group.first(where: { Self.word(1, of: $0.grammar) == second }) else {
      throw unknown("\(first) \(second)", among: known)
    }
    return (command, common + rest)
  }

  private static func word(_ index: Int, of grammar: Grammar) -> String {
    let words = grammar.name.split(separator: " ")
    return String(index < words.count ? words[index] : "")
  }

  private func show(_ group: String?) -> (any Command.Type, [String])? {
    if let group {
      let members = grammars.filter { $0.name.hasPrefix(group + " ") }
      console.output.print(help.group(group, members))
    } else {
      console.output.print(help.overview(grammars))
    }
    return nil
  }

  private func unknown(_ words: String, among known: [String]) -> UsageError {
    let last = words.split(separator: " ").last.map(String.init) ?? words
    let near = Spelling.nearest(to: last, among: known)
    return UsageError(
      "unknown command \(words), expected one of "
        + known.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        .joined(separator: ", ") + (near.map { " (did you mean \($0)?)" } ?? ""))
  }
}

extension DataError: EndingError {
  package var exitCode: ExitCode {
    code == .impossibleSplit || code == .unknownSet ? .wrongUsage : .failed
  }
}
