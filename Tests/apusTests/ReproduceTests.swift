// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

/// `apus sweep` and `apus reproduce` as a shell runs them.
@Suite(.ownThread) struct ReproduceTests {
  private static let recipe = """
    {
      model: "logistic", data: { set: "digits", split: "iid", clients: 10 },
      algorithm: { fedavg: { localEpochs: 1, batchSize: 20, learningRate: 0.1 } },
      cohort: { size: 5 }, rounds: 12, stop: { accuracy: 0.7 },
    }
    """

  private static let experiment = """
    {
      title: "Digits", source: "nobody",
      cells: { digits: { grid: { "algorithm.fedavg.learningRate": [0.1, 0.3] }, seeds: [1, 2] } },
      claims: [{ cell: "digits", metric: "roundsToTarget", atMost: 11, published: 7 }],
    }
    """

  private func reproduce(_ words: String..., in place: Workplace) throws -> Executable.Ending {
    try Executable.run(["reproduce", place.path("experiment")] + words)
  }

  @Test("An experiment that was committed is reproduced; one whose claim fails is not")
  func reproduces() throws {
    let place = try Workplace()
    try place.write(Self.recipe, to: "experiment/recipe.json5")
    try place.write(Self.experiment, to: "experiment/experiment.json5")
    let made = try reproduce("--update", "--out", place.path("a"), in: place)
    #expect(made.status == 0, "\(made.messages)\(made.output)")
    #expect(
      try place.names(in: "experiment/results") == [
        "digits-0.1-seed1.csv", "digits-0.1-seed2.csv", "digits-0.3-seed1.csv",
        "digits-0.3-seed2.csv", "summary.json",
      ])
    let results = try place.names(in: "experiment/results").map {
      try place.bytes(of: "experiment/results/" + $0)
    }

    let again = try reproduce("--out", place.path("b"), "--threads", "3", in: place)
    #expect(again.status == 0, "\(again.messages)\(again.output)")
    #expect(again.output.split(separator: "\n").count { $0.hasSuffix("identical") } == 4)
    #expect(!again.messages.contains("goes on with the runs"))
    #expect(again.output.contains("holds") && !again.output.contains("FAILS"))

    // Another claim, and other committed results.
    try place.write(
      Self.experiment.replacing("atMost: 11", with: "atMost: 0.5"),
      to: "experiment/experiment.json5")
    let failed = try reproduce("--out", place.path("b"), in: place)
    #expect(failed.status == 1 && failed.output.contains("FAILS"))
    #expect(failed.messages.contains("was not reproduced"))
    let note = "goes on with the runs that are in \(place.path("b")); remove it to run all of them"
    #expect(failed.messages.contains(note), "\(failed.messages)")

    try place.write(Self.experiment, to: "experiment/experiment.json5")
    let summary = try place.text(of: "experiment/results/summary.json")
    let other = summary.replacing("\"modelDigest\" : \"", with: "\"modelDigest\" : \"0")
      .replacing("\"bestAccuracy\" : 0.7", with: "\"bestAccuracy\" : 0.1")
    try #require(other != summary)
    try place.write(other, to: "experiment/results/summary.json")
    let differing = try reproduce("--out", place.path("b"), "--format", "json", in: place)
    #expect(differing.status == 1 && differing.output.contains("\"verdict\" : \"differs\""))

    // Updated, they are the same bytes again, whatever was there before.
    let updated = try reproduce("--update", "--out", place.path("b"), in: place)
    #expect(updated.status == 0, "\(updated.messages)")
    #expect(
      try place.names(in: "experiment/results").map {
        try place.bytes(of: "experiment/results/" + $0)
      } == results)
  }

  @Test("A wrong experiment ends with 2 and names its file and line, a missing one with 1")
  func refusesExperiments() throws {
    let place = try Workplace()
    let missing = try reproduce(in: place)
    #expect(missing.status == 1)
    #expect(missing.messages.contains("\(place.path("experiment")) has no experiment.json5"))
    try place.write(Self.recipe, to: "experiment/recipe.json5")
    let file = try place.write(
      Self.experiment.replacing("claims:", with: "claim:"), to: "experiment/experiment.json5")
    let wrong = try reproduce(in: place)
    #expect(wrong.status == 2 && wrong.messages.contains("\(file):4: claim: unknown key"))
    try place.write(
      Self.experiment.replacing("learningRate\"", with: "lerningRate\""),
      to: "experiment/experiment.json5")
    let key = try reproduce("--out", place.path("a"), in: place)
    #expect(key.status == 2 && key.messages.contains("lerningRate: unknown key"), "\(key.messages)")
    try place.write(Self.experiment, to: "experiment/experiment.json5")
    try place.write("{}", to: "experiment/results/summary.json")
    let results = try reproduce("--out", place.path("a"), in: place)
    #expect(
      results.status == 1 && results.messages.contains("summary.json is not a list of results"))
    #expect(!place.exists("a"))
  }

  @Test("A sweep with a combination that diverges prints all rows and ends with 1")
  func sweeps() throws {
    let place = try Workplace()
    let recipe = try place.write(Self.recipe, to: "recipe.json5")
    let ending = try Executable.run([
      "sweep", recipe, "--grid", "algorithm.fedavg.learningRate=0.1,1e9", "--set", "rounds=2",
      "--out", place.path("runs"), "--format", "jsonl",
    ])
    #expect(ending.status == 1, "\(ending.messages)")
    let lines = ending.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].contains("\"outcome\":\"completed\""))
    #expect(lines[1].contains("\"outcome\":\"diverged\""))
  }
}
