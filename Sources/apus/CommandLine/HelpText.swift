// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Help, written from the table of commands.
enum HelpText {
  /// What `apus help` prints.
  static func overview(_ commands: [Grammar], width: Int) -> String {
    var text =
      "Apus: federated learning, simulated and served.\n\nUsage: apus COMMAND …\n\nCommands:\n"
    text += list(commands.map { ($0.name, $0.summary) }, width: width)
    text += "\nOptions of every command:\n"
    text += list(Grammar.commonOptions().map { (spelling(of: $0), $0.help) }, width: width)
    text += """

      'apus help COMMAND' tells more. Exit codes: 0 done, 1 it ran and failed,
      2 wrong usage, 3 could not reach or was not let in, 130 interrupted.

      """
    return text
  }

  /// What `apus help data` prints.
  static func group(_ name: String, _ commands: [Grammar], width: Int) -> String {
    "Usage: apus \(name) COMMAND …\n\nCommands:\n"
      + list(commands.map { ($0.name, $0.summary) }, width: width)
      + "\n'apus help \(name) COMMAND' tells more.\n"
  }

  /// What `apus help simulate` prints.
  static func command(_ grammar: Grammar, width: Int) -> String {
    let words = ["apus", grammar.name] + grammar.arguments.map(\.usage)
    var text = wrapped(grammar.summary, indentation: 0, width: width) + "\n"
    text += "Usage: \((words + ["[OPTIONS]"]).joined(separator: " "))\n"
    if !grammar.details.isEmpty {
      for paragraph in grammar.details.split(separator: "\n") {
        text += "\n" + wrapped(String(paragraph), indentation: 0, width: width)
      }
    }
    if !grammar.arguments.isEmpty {
      text += "\nArguments:\n"
      text += list(grammar.arguments.map { ($0.usage, $0.help) }, width: width)
    }
    text += "\nOptions:\n"
    text += list(grammar.allOptions.map { (spelling(of: $0), $0.help) }, width: width)
    if !grammar.examples.isEmpty {
      text += "\nExamples:\n" + grammar.examples.map { "  \($0)\n" }.joined()
    }
    return text
  }

  private static func spelling(of option: Option) -> String {
    let letter = option.letter.map { "-\($0), " } ?? ""
    let value = option.kind == nil ? "" : " \(option.placeholder)"
    return
      "\(letter)--\(option.name)\(value)\(option.isRepeatable && option.kind != nil ? " …" : "")"
  }

  /// Terms on the left, what they are on the right.
  private static func list(_ entries: [(term: String, text: String)], width: Int) -> String {
    let column = min(26, (entries.map(\.term.count).max() ?? 0) + 4)
    return entries.map { term, text in
      let body = wrapped(text, indentation: column, width: width)
      if term.count + 4 > column { return "  \(term)\n\(body)" }
      return "  \(term)" + String(repeating: " ", count: column - 2 - term.count)
        + body.dropFirst(column)
    }.joined()
  }

  /// Lines of at most so many columns.
  private static func wrapped(_ text: String, indentation: Int, width: Int) -> String {
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
