// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCommands
import Foundation
import Testing

@testable import apus

@Suite struct HelpTests {
  /// `Tests/Snapshots/help`; APUS_RECORD_SNAPSHOTS=1 writes what is printed there.
  private static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Snapshots/help")

  private static let topics =
    [""] + Apus.commands.map { $0.grammar.name }
    + ["data", "device", "task", "round", "model"]

  @Test("Help says what it said", arguments: topics)
  func snapshots(topic: String) async throws {
    let recorder = Recorder()
    let words = topic.split(separator: " ").map(String.init)
    let dispatch = Dispatch(Apus.self, console: recorder.console())
    #expect(await dispatch.run(["help"] + words) == .done)
    let name = topic.isEmpty ? "overview" : topic.replacing(" ", with: "-")
    let file = Self.directory.appendingPathComponent("\(name).txt")
    if ProcessInfo.processInfo.environment["APUS_RECORD_SNAPSHOTS"] == "1" {
      try FileManager.default.createDirectory(
        at: Self.directory, withIntermediateDirectories: true)
      try recorder.output.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(recorder.output == (try String(contentsOf: file, encoding: .utf8)))
    #expect(recorder.messages.isEmpty)
    for line in recorder.output.split(separator: "\n") where !line.hasPrefix("  apus ") {
      #expect(line.count <= 80, "\(line)")
    }
  }

  @Test("COMMAND --help and help COMMAND are the same")
  func optionAndCommandAgree() async {
    for command in Apus.commands {
      let (option, word) = (Recorder(), Recorder())
      let words = command.grammar.name.split(separator: " ").map(String.init)
      let asOption = Dispatch(Apus.self, console: option.console())
      let asWord = Dispatch(Apus.self, console: word.console())
      #expect(await asOption.run(words + ["--help"]) == .done)
      #expect(await asWord.run(["help"] + words) == .done)
      #expect(option.output == word.output)
    }
  }

  @Test("The table of commands is sound: names once, a help text each, required arguments first")
  func tableIsSound() {
    let grammars = Apus.commands.map { $0.grammar }
    #expect(Set(grammars.map(\.name)).count == grammars.count)
    for grammar in grammars {
      let names = grammar.allOptions.map(\.name)
      #expect(Set(names).count == names.count, "\(grammar.name)")
      #expect(grammar.summary.hasSuffix("."))
      #expect(grammar.allOptions.allSatisfy { $0.help.hasSuffix(".") }, "\(grammar.name)")
      #expect(grammar.arguments.dropLast().allSatisfy { $0.count == .one })
    }
  }
}
