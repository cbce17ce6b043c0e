// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands

/// Scripts for shells, written from the table of commands.
struct Completions {
  private let grammars: [Grammar]

  init(of grammars: [Grammar]) {
    self.grammars = grammars.map { grammar in
      guard grammar.name == "help" else { return grammar }
      // Help takes the words that the table begins with.
      var help = grammar
      help.arguments = grammar.arguments.map {
        Argument($0.placeholder, .choice(Self.firstWords(of: grammars)), $0.count, $0.help)
      }
      return help
    }
  }

  private var firstWords: [String] { Self.firstWords(of: grammars) }

  /// What a first word does; the second words of a group.
  private func summary(of word: String) -> String {
    grammars.first { $0.name == word }?.summary
      ?? secondWords(of: word).map { String($0.name.dropFirst(word.count + 1)) }
      .joined(separator: ", ")
  }

  /// First words, each once.
  private static func firstWords(of grammars: [Grammar]) -> [String] {
    var words: [String] = []
    for grammar in grammars {
      let word = String(grammar.name.prefix { $0 != " " })
      if !words.contains(word) { words.append(word) }
    }
    return words
  }

  private func secondWords(of group: String) -> [Grammar] {
    grammars.filter { $0.name.hasPrefix(group + " ") }
  }

  private var groups: [String] { firstWords.filter { !secondWords(of: $0).isEmpty } }

  private func words(of grammar: Grammar) -> String {
    grammar.allOptions.map { "--\($0.name)" }.joined(separator: " ")
  }

  private func quoted(_ text: String) -> String {
    "'" + text.replacing("'", with: "'\\''") + "'"
  }

  func bash() -> String {
    var script = """
      # apus completions bash
      _apus() {
        local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
        local command="" word index
        for ((index = 1; index < COMP_CWORD; index++)); do
          word="${COMP_WORDS[index]}"
          [[ "$word" == -* ]] && continue
          case "$command" in
            "") command="$word" ;;
            \(groups.isEmpty ? "@" : groups.joined(separator: "|"))) command="$command $word" ;;
          esac
        done
        COMPREPLY=()
        case "$command" in
          "") COMPREPLY=($(compgen -W \(quoted((firstWords + ["--help", "--version"]).joined(separator: " "))) -- "$current")); return ;;

      """
    for group in groups {
      let words = secondWords(of: group).map { $0.name.dropFirst(group.count + 1) }
      script +=
        "    \(group)) COMPREPLY=($(compgen -W \(quoted(words.joined(separator: " "))) -- \"$current\")); return ;;\n"
    }
    script += "  esac\n  case \"$command:$previous\" in\n"
    for grammar in grammars {
      for option in grammar.allOptions {
        guard let kind = option.kind else { continue }
        script +=
          "    \(quoted("\(grammar.name):--\(option.name)"))) \(bashReply(kind)); return ;;\n"
      }
    }
    script += "  esac\n  case \"$command\" in\n"
    for grammar in grammars {
      script += "    \(quoted(grammar.name)))\n"
      script +=
        "      if [[ \"$current\" == -* ]]; then COMPREPLY=($(compgen -W \(quoted(words(of: grammar))) -- \"$current\")); return; fi\n"
      if let argument = grammar.arguments.first { script += "      \(bashReply(argument.kind))\n" }
      script += "      ;;\n"
    }
    return script + "  esac\n}\ncomplete -o filenames -F _apus apus\n"
  }

  private func bashReply(_ kind: ValueKind) -> String {
    switch kind {
    case .text: ":"
    case .file: "COMPREPLY=($(compgen -f -- \"$current\"))"
    case .directory: "COMPREPLY=($(compgen -d -- \"$current\"))"
    case .choice(let words), .choiceOrText(let words):
      "COMPREPLY=($(compgen -W \(quoted(words.joined(separator: " "))) -- \"$current\"))"
    }
  }

  func zsh() -> String {
    var script = "#compdef apus\n\n_apus() {\n  local -a commands\n"
    script += "  if (( CURRENT == 2 )); then\n    commands=(\n"
    for word in firstWords {
      script += "      \(quoted("\(word):\(summary(of: word))"))\n"
    }
    script += "    )\n    _describe 'command' commands\n    return\n  fi\n"
    script += "  local command=\"$words[2]\"\n"
    for group in groups {
      script += "  if [[ \"$command\" == \(group) ]]; then\n    if (( CURRENT == 3 )); then\n"
      script += "      commands=(\n"
      for grammar in secondWords(of: group) {
        let word = grammar.name.dropFirst(group.count + 1)
        script += "        \(quoted("\(word):\(grammar.summary)"))\n"
      }
      script += "      )\n      _describe 'command' commands\n      return\n    fi\n"
      script += "    command=\"$command $words[3]\"\n    shift words\n    (( CURRENT-- ))\n  fi\n"
    }
    script += "  shift words\n  (( CURRENT-- ))\n  case \"$command\" in\n"
    for grammar in grammars {
      var parts = grammar.allOptions.map { option in
        let star = option.isRepeatable ? "*" : ""
        let value = option.kind.map { ":\(option.placeholder):\(zshAction($0))" } ?? ""
        return quoted("\(star)--\(option.name)[\(zshText(option.help))]\(value)")
      }
      for (index, argument) in grammar.arguments.enumerated() {
        let isMany = argument.count == .any || argument.count == .oneOrMore
        parts.append(
          quoted(
            "\(isMany ? "*" : "\(index + 1)"):\(argument.placeholder):\(zshAction(argument.kind))"))
      }
      script +=
        "    \(quoted(grammar.name))) _arguments \(parts.joined(separator: " \\\n      ")) ;;\n"
    }
    return script + "  esac\n}\n\n_apus \"$@\"\n"
  }

  private func zshAction(_ kind: ValueKind) -> String {
    switch kind {
    case .text: " "
    case .file: "_files"
    case .directory: "_files -/"
    case .choice(let words), .choiceOrText(let words):
      "(\(words.map { $0.replacing(":", with: "\\:") }.joined(separator: " ")))"
    }
  }

  /// Brackets and colons mean something in a specification.
  private func zshText(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("[", with: "\\[").replacing("]", with: "\\]")
      .replacing(":", with: "\\:")
  }

  func fish() -> String {
    var script = "# apus completions fish\ncomplete -c apus -f\n"
    let all = firstWords.joined(separator: " ")
    for word in firstWords {
      script += "complete -c apus -n \(quoted("not __fish_seen_subcommand_from \(all)"))"
      script += " -a \(word) -d \(quoted(summary(of: word)))\n"
    }
    for grammar in grammars {
      let words = grammar.name.split(separator: " ").map(String.init)
      var condition = "__fish_seen_subcommand_from \(words[0])"
      if words.count == 2 {
        let others = secondWords(of: words[0]).map { $0.name.dropFirst(words[0].count + 1) }
        script +=
          "complete -c apus -n \(quoted(condition + "; and not __fish_seen_subcommand_from \(others.joined(separator: " "))"))"
        script += " -a \(words[1]) -d \(quoted(grammar.summary))\n"
        condition += "; and __fish_seen_subcommand_from \(words[1])"
      }
      for option in grammar.allOptions {
        let letter = option.letter.map { " -s \($0)" } ?? ""
        script += "complete -c apus -n \(quoted(condition)) -l \(option.name)\(letter)"
        script += "\(fishValue(option.kind)) -d \(quoted(option.help))\n"
      }
      if let argument = grammar.arguments.first, argument.kind != .text {
        script += "complete -c apus -n \(quoted(condition))"
        switch argument.kind {
        case .choice(let choices): script += " -a \(quoted(choices.joined(separator: " ")))\n"
        case .directory: script += " -a '(__fish_complete_directories)'\n"
        default: script += " -F\n"
        }
      }
    }
    return script
  }

  private func fishValue(_ kind: ValueKind?) -> String {
    switch kind {
    case nil: ""
    case .text?: " -x"
    case .file?: " -r -F"
    case .directory?: " -x -a '(__fish_complete_directories)'"
    case .choice(let words)?, .choiceOrText(let words)?:
      " -x -a \(quoted(words.joined(separator: " ")))"
    }
  }
}
