// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusRounds
import Foundation
import OwnThreads
import Testing

@testable import ApusSimulation

/// Runs that stop and go on.
@Suite(.ownThread) struct ResumeTests {
  private static var recipe: Recipe {
    var recipe = SmallRun.recipe(
      .fedProx(FedProx(localEpochs: 2, batchSize: 10, learningRate: 0.1, proximalStrength: 0.1)),
      rounds: 6)
    recipe.system.dropOutRate = 0.2
    recipe.system.stragglerFraction = 0.5
    return recipe
  }

  /// Begins a run and stops it at the n-th question whether it should.
  private func begin(
    _ recipe: Recipe = recipe, stoppingAt count: Int, in scratch: Scratch, as name: String = "run",
    checkpointInterval: Double = 10
  ) throws -> EndedRun {
    var options = SmallRun.options(
      output: scratch.path(name), checkpointInterval: checkpointInterval)
    options.logsClients = true
    let run = try Run(of: recipe, recipeFile: scratch.path("recipe.json5"), options: options)
    let stop = StopAfter(count)
    return try EndedRun(
      try run.run(stopRequested: { stop.isRequested() }, onRound: { _ in }), in: run.directory)
  }

  private func resume(
    _ directory: String, threads: Int = 2, stoppingAt count: Int = .max
  ) throws -> EndedRun {
    var options = SmallRun.options(threads: threads)
    options.logsClients = true
    let run = try Run(resuming: directory, options: options)
    let stop = StopAfter(count)
    return try EndedRun(
      try run.run(stopRequested: { stop.isRequested() }, onRound: { _ in }), in: directory)
  }

  private func checkpoints(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory + "/checkpoint").sorted()
      .map { "\(directory)/checkpoint/\($0)" }
  }

  /// Why a run cannot go on.
  private func refusal(of directory: String) -> SimulationError? {
    do {
      _ = try resume(directory)
      return nil
    } catch {
      return error as? SimulationError
    }
  }

  @Test("A run that is stopped again and again ends with the bytes of one that ran through")
  func stopsAndGoesOn() throws {
    let scratch = try Scratch()
    let whole = try SmallRun.run(Self.recipe, in: scratch, logsClients: true)
    for count in [0, 5, 13] {
      var part = try begin(stoppingAt: count, in: scratch, as: "stopped-\(count)")
      #expect(part.summary.outcome == .interrupted && part.summary.rounds < 6)
      #expect(part.records == Array(whole.records.prefix(part.summary.rounds + 1)))
      for threads in [1, 8, 2] where part.summary.outcome == .interrupted {
        part = try resume(part.directory, threads: threads, stoppingAt: threads == 2 ? .max : 7)
      }
      #expect(part.summary.outcome == .completed && part.summary.rounds == 6)
      #expect(part.summary.modelDigest == whole.summary.modelDigest)
      #expect(part.records == whole.records)
      #expect(try part.model() == whole.model())
      let logs = try [part, whole].map {
        try Data(contentsOf: URL(filePath: $0.directory + "/clients.jsonl"))
      }
      #expect(logs[0] == logs[1] && !logs[0].isEmpty)
    }
  }

  @Test("A run that was killed before its first checkpoint begins at the beginning")
  func goesOnWithoutCheckpoint() throws {
    let scratch = try Scratch()
    let whole = try SmallRun.run(Self.recipe, in: scratch)
    let part = try begin(stoppingAt: 13, in: scratch)
    for file in try checkpoints(in: part.directory) + [part.directory + "/summary.json"] {
      try FileManager.default.removeItem(atPath: file)
    }
    // The kill tore the last line.
    let metrics = part.directory + "/metrics.jsonl"
    try Data(Data(contentsOf: URL(fileURLWithPath: metrics)).dropLast(7))
      .write(to: URL(fileURLWithPath: metrics))
    let resumed = try resume(part.directory)
    #expect(resumed.summary.modelDigest == whole.summary.modelDigest)
    #expect(resumed.records == whole.records)
  }

  @Test("A finished run that is resumed stays what it is")
  func leavesFinishedRuns() throws {
    let scratch = try Scratch()
    var stopping = Self.recipe
    stopping.rounds = 40
    stopping.stop.accuracy = 0.5
    for recipe in [Self.recipe, stopping] {
      let run = try SmallRun.run(recipe, in: scratch)
      let files = ["metrics.jsonl", "model.safetensors", "recipe.json5"]
      let contents = {
        try files.map { try Data(contentsOf: URL(filePath: run.directory + "/" + $0)) }
      }
      let before = try contents()
      let again = try resume(run.directory)
      #expect(try contents() == before)
      #expect(again.summary.outcome == run.summary.outcome)
      #expect(again.summary.modelDigest == run.summary.modelDigest)
      #expect(again.summary.roundsToTarget == run.summary.roundsToTarget)
      #expect(again.summary.bestAccuracy == run.summary.bestAccuracy)
      #expect(again.summary.lateLoss == run.summary.lateLoss && again.summary.lateLoss != nil)
    }
  }

  @Test("A damaged checkpoint costs the rounds since the one before it, and nothing else")
  func passesOverDamage() throws {
    let scratch = try Scratch()
    let whole = try SmallRun.run(Self.recipe, in: scratch)
    let part = try begin(stoppingAt: 13, in: scratch, checkpointInterval: 0)
    let files = try checkpoints(in: part.directory)
    try #require(files.count == 2)
    var bytes = try Data(contentsOf: URL(filePath: files[1]))
    bytes[bytes.count - 100] ^= 4
    try bytes.write(to: URL(filePath: files[1]))
    let resumed = try resume(part.directory)
    #expect(resumed.summary.modelDigest == whole.summary.modelDigest)
    #expect(resumed.records == whole.records)
    let log = try String(contentsOfFile: part.directory + "/log.txt", encoding: .utf8)
    #expect(log.contains("\(files[1]) is not a sound checkpoint"))
  }

  @Test("Where all checkpoints are damaged the run says so; without them it begins anew")
  func refusesDamage() throws {
    let scratch = try Scratch()
    let part = try begin(stoppingAt: 13, in: scratch, checkpointInterval: 0)
    let files = try checkpoints(in: part.directory)
    for file in files {
      try Data(Data(contentsOf: URL(filePath: file)).prefix(600)).write(to: URL(filePath: file))
    }
    let error = try #require(refusal(of: part.directory))
    #expect(error.code == .notARun && error.message.contains(files[1]))
    #expect(error.message.contains("Remove it to go on"))
    #expect(try EndedRun(part.summary, in: part.directory).records == part.records)
    for file in files { try FileManager.default.removeItem(atPath: file) }
    let whole = try SmallRun.run(Self.recipe, in: scratch)
    #expect(try resume(part.directory).summary.modelDigest == whole.summary.modelDigest)
  }

  @Test("Metrics that lack rounds are refused before anything is cut off")
  func refusesLostMetrics() throws {
    let scratch = try Scratch()
    let part = try begin(stoppingAt: 20, in: scratch)
    try #require(part.summary.rounds > 2)
    let metrics = URL(filePath: part.directory + "/metrics.jsonl")
    var lines = try String(contentsOf: metrics, encoding: .utf8).split(separator: "\n")
    lines[1] = "damaged"
    let damaged = lines.joined(separator: "\n") + "\n"
    try damaged.write(to: metrics, atomically: true, encoding: .utf8)
    let error = try #require(refusal(of: part.directory))
    #expect(error.code == .notARun && error.message.contains("metrics.jsonl"))
    #expect(error.message.contains("round 1"), "\(error.message)")
    #expect(try String(contentsOf: metrics, encoding: .utf8) == damaged)
  }

  @Test("A directory whose recipe, graph, data or version is another is refused")
  func refusesForeignDirectories() throws {
    let scratch = try Scratch()
    try SmallRun.writeGraph(Perceptron(rate: 0.5), to: "half.json", in: scratch)
    var recipe = Self.recipe
    recipe.model = .graph(file: "half.json")
    let part = try begin(recipe, stoppingAt: 13, in: scratch)
    let directory = part.directory

    for (file, old, new) in [
      ("recipe.json5", "learningRate: 0.1", "learningRate: 0.2"), ("graph.json", "0.5", "0.25"),
    ] {
      let url = URL(filePath: "\(directory)/\(file)")
      let text = try String(contentsOf: url, encoding: .utf8)
      try #require(text.contains(old))
      try text.replacing(old, with: new).write(to: url, atomically: true, encoding: .utf8)
      let error = try #require(refusal(of: directory))
      #expect(error.code == .notARun && error.message.contains("\(directory)/\(file)"), "\(error)")
      try text.write(to: url, atomically: true, encoding: .utf8)
    }

    let file = try #require(try checkpoints(in: directory).last)
    let original = try Checkpoint(contentsOf: file)
    for (note, value, part) in [
      ("data", "0000", "other data files"), ("version", "0.0.1", "Apus 0.0.1"),
    ] {
      var foreign = original
      foreign.notes[note] = value
      try foreign.write(to: file)
      let error = try #require(refusal(of: directory))
      #expect(error.code == .notARun && error.message.contains(part), "\(error)")
    }
    try original.write(to: file)
    let whole = try SmallRun.run(recipe, in: scratch)
    #expect(try resume(directory).summary.modelDigest == whole.summary.modelDigest)
  }

  @Test("Two sessions never work in one directory")
  func locksDirectories() throws {
    let scratch = try Scratch()
    let recipe = Self.recipe
    let run = try Run(
      of: recipe, recipeFile: "recipe.json5",
      options: SmallRun.options(output: scratch.path("run")))
    let error = try #require(refusal(of: run.directory))
    #expect(error.code == .runIsBusy && error.message.contains(run.directory))
    _ = try run.run(stopRequested: { false }, onRound: { _ in })
  }

  @Test("What a run leaves that was killed before it began is no run")
  func reusesLeftovers() throws {
    let scratch = try Scratch()
    let left = scratch.path("left")
    try FileManager.default.createDirectory(
      atPath: left + "/checkpoint", withIntermediateDirectories: true)
    try scratch.write("", to: "left/log.txt")
    try scratch.write("{", to: "left/.recipe.json5.abc.tmp")
    let run = try begin(stoppingAt: .max, in: scratch, as: "left")
    #expect(run.summary.outcome == .completed)

    try scratch.write("mine", to: "full/notes.txt")
    let error = #expect(throws: SimulationError.self) {
      _ = try begin(stoppingAt: 0, in: scratch, as: "full")
    }
    #expect(error?.code == .outputExists && error?.message.contains("--out") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path("full")).count == 1)
  }
}
