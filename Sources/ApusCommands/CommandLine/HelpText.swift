// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Help, written from the table of commands.
package struct HelpText {
  /// What the program is called, and the first line of its help.
  private let (program, title): (String, String)
  private let width: Int

  package init(for console: Console, title: String) {
    (program, width) = (console.program, console.output.width)
    self.title = title
  }

  /// What `apus help` prints.
  package func overview(_ commands: [Grammar]) -> String {
    var text =
      "\(title)\n\nUsage: \(program) COMMAND …\n\nCommands:\n"
    text += list(commands.map { ($0.name, $0.summary) })
    text += "\nOptions of every command:\n"
    text += list(Grammar.commonOptions().map { (spelling(of: $0), $0.help) })
    text += """

      '\(program) help COMMAND' tells more. Exit codes: 0 done, 1 it ran and failed,
      2 wrong usage, 3 could not reach or was not let in, 130 interrupted.

      """
    return text
  }

  /// What `apus help data` prints.
  package func group(_ name: String, _ commands: [Grammar]) -> String {
    "Usage: \(program) \(name) COMMAND …\n\nCommands:\n"
      + list(commands.map { ($0.name, $0.summary) })
      + "\n'\(program) help \(name) COMMAND' tells more.\n"
  }

  /// What `apus help simulate` prints.
  package func command(_ grammar: Grammar) -> String {
    let words = [program, grammar.name] + grammar.arguments.map(\.usage)
    var text = wrapped(grammar.summary, indentation: 0) + "\n"
    text += "Usage: \((words + ["[OPTIONS]"]).joined(separator: " "))\n"
    if !grammar.details.isEmpty {
      for paragraph in grammar.details.split(separator: "\n") {
        text += "\n" + wrapped(String(paragraph), indentation: 0)
      }
    }
    if !grammar.arguments.isEmpty {
      text += "\nArguments:\n"
      text += list(grammar.arguments.map { ($0.usage, $0.help) })
    }
    text += "\nOptions:\n"
    text += list(grammar.allOptions.map { (spelling(of: $0), $0.help) })
    if !grammar.examples.isEmpty {
      text += "\nExamples:\n" + grammar.examples.map { "  \(asTyped($0))\n" }.joined()
    }
    return text
  }

  /// An example with this program's name in the place of `apus`.
  private func asTyped(_ example: String) -> String {
    example.hasPrefix("apus ") ? program + example.dropFirst(4) : example
  }

  private func spelling(of option: Option) -> String {
    let letter = option.letter.map { "-\($0), " } ?? ""
    let value = option.kind == nil ? "" : " \(option.placeholder)"
    return
      "\(letter)--\(option.name)\(value)\(option.isRepeatable && option.kind != nil ? " …" : "")"
  }

  /// Terms on the left, what they are on the right.
  private func list(_ entries: [(term: String, text: String)]) -> String {
    let column = min(26, (entries.map(\.term.count).max() ?? 0) + 4)
    return entries.map { term, text in
      let body = wrapped(text, indentation: column)
      if term.count + 4 > column { return "  \(term)\n\(body)" }
      return "  \(term)" + String(repeating: " ", count: column - 2 - term.count)
        + body.dropFirst(column)
    }.joined()
  }

  /// Lines of at most so many columns.
  private func wrapped(_ text: String, indentation: Int) -> String {
    let room = max(24, min(width, 100) - indentation)
    let margin = String(repeating: " ", count: indentation)
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > room {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    lines.append(line)
    return lines.map { margin + $0 + "\n" }.joined()
  }
}
