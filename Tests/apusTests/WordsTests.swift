// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCommands
import Testing

@testable import apus

@Suite struct WordsTests {
  private let set = Option("set", .text, "KEY=VALUE", "", isRepeatable: true)
  private let seed = Option("seed", .text, "N", "")
  private var grammar: Grammar {
    Grammar(
      name: "train", summary: "",
      arguments: [
        Argument("RECIPE", .file, .one, "A file."), Argument("MORE", .file, .optional, "More."),
      ],
      options: [set, seed, Option(flag: "log", "")])
  }

  private func refusal(of words: [String]) -> String? {
    do {
      _ = try Words(words, for: grammar)
      return nil
    } catch {
      return error.message
    }
  }

  @Test("Options may stand anywhere, with a space or an equals sign")
  func sorts() throws {
    let words = try Words(
      ["--set", "a=1", "r.json5", "--set=b=c=2", "-q", "--seed=7", "--format", "jsonl"],
      for: grammar)
    #expect(words.arguments == ["r.json5"])
    #expect(words.values(set) == ["a=1", "b=c=2"])
    #expect(try words.integer(seed, in: 0...9) == 7)
    #expect(words.contains(.quiet) && !words.contains(.verbose))
    #expect(words.format == .jsonl)
  }

  @Test("After two dashes everything is an argument, and values may begin with one")
  func takesDashes() throws {
    let words = try Words(["--seed", "-1", "--", "--set", "-q"], for: grammar)
    #expect(words.arguments == ["--set", "-q"])
    #expect(words.value(seed) == "-1")
    #expect(throws: UsageError.self) { try words.integer(seed, in: 0...9) }
  }

  @Test(
    "What is wrong names itself, says what was expected and what is near",
    arguments: [
      (["r", "--seeed", "1"], "unknown option --seeed (did you mean --seed?)"),
      (["r", "--xyzzy"], "unknown option --xyzzy"),
      (["r", "--seed"], "--seed misses its value, expected N"),
      (["r", "--seed", "--log"], "--seed misses its value, expected N"),
      (["r", "--log=yes"], "--log takes no value"),
      (["r", "--seed", "1", "--seed", "2"], "--seed is given twice"),
      (["r", "--format", "jsn"], "--format jsn, expected text, json, jsonl (did you mean json?)"),
      ([], "RECIPE is missing: A file."),
      (["r", "s", "t"], "unexpected argument t"),
    ])
  func refuses(words: [String], message: String) {
    #expect(refusal(of: words) == message)
  }

  @Test("Commands refuse what contradicts itself")
  func refusesContradictions() async {
    for (words, part) in [
      (["simulate"], "expected a recipe or --resume DIR"),
      (["simulate", "--resume", "d", "r"], "one of the two"),
      (["simulate", "--resume", "d", "--seed", "1"], "goes on as it began"),
      (["simulate", "r", "--threads", "0"], "from 1 to 1024"),
      (["simulate", "r", "--seed", "-1"], "from 0 to 18446744073709551615"),
      (["sweep", "r"], "nothing to vary"),
      (["sweep", "r", "--grid", "a"], "expected KEY=A,B,…"),
      (["sweep", "r", "--grid", "a=1,,2"], "expected KEY=A,B,…"),
      (["sweep", "r", "--grid", "a=1", "--grid", "a=2"], "given twice"),
      (["report", "r", "--out", "x.pdf"], "ends in .html"),
      (["data", "split", "digits", "--split", "dirichlet:x"], "expected iid"),
      (["data", "split", "digits", "--split", "shard:2"], "did you mean shards?"),
      (["data", "split", "digits", "--hold-back", "1"], "below 1"),
      (["data", "shw"], "did you mean show?"),
      (["data"], "list, show, split"),
      (["help", "simulat"], "did you mean simulate?"),
      (["--verbos"], "--verbos without a command"),
    ] {
      let recorder = Recorder()
      let dispatch = Dispatch(Apus.self, console: recorder.console())
      #expect(await dispatch.run(words) == .wrongUsage, "\(words)")
      #expect(recorder.messages.contains(part), "\(recorder.messages)")
      #expect(recorder.output.isEmpty)
    }
  }

  @Test("A grid's values end at commas outside of brackets and quotes")
  func splitsGrids() {
    #expect(SweepCommand.split("0.1,0.2") == ["0.1", "0.2"])
    #expect(SweepCommand.split("{a:1,b:[2,3]},iid") == ["{a:1,b:[2,3]}", "iid"])
    #expect(SweepCommand.split("'a,b',\"c,'d\"") == ["'a,b'", "\"c,'d\""])
    #expect(SweepCommand.split("").count == 1)
  }
}
