// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusSimulation
import Foundation
import OwnThreads
import Testing

/// What the program does with input that is wrong: it names it, ends as it should, and leaves no trace.
@Suite(.ownThread) struct BadInputTests {
  /// Simulates with nothing of this machine's data but the digits that come with Apus.
  private func simulate(
    _ recipe: String, in place: Workplace, _ options: [String] = []
  ) throws -> Executable.Ending {
    try Executable.run(
      ["simulate", recipe, "--out", place.path("run")] + options,
      environment: ["APUS_DATA": "", "HOME": place.path, "XDG_CACHE_HOME": place.path])
  }

  /// Expects an end with this status, told on standard error alone, before anything was written.
  private func expect(
    _ ending: Executable.Ending, _ status: Int32, _ parts: [String], in place: Workplace
  ) {
    #expect(ending.status == status, "\(ending.messages)")
    #expect(ending.output.isEmpty)
    for part in parts {
      #expect(ending.messages.contains(part), "\(ending.messages) lacks \(part)")
    }
    #expect(!place.exists("run"), "Something was written.")
    #expect(!ending.messages.contains("Error Domain") && !ending.messages.contains("Fatal"))
  }

  // MARK: Data

  private static let digits = "Sources/ApusCatalog/Resources/digits/digits.csv.gz"

  private static func digitsFile() throws -> Data {
    var directory = URL(fileURLWithPath: #filePath)
    while directory.lastPathComponent != "Tests" { directory.deleteLastPathComponent() }
    return try Data(
      contentsOf: directory.deletingLastPathComponent().appendingPathComponent(digits))
  }

  /// Damage to the compressed digits, and what is said of it.
  private static let damages: [(String, @Sendable (Data) -> Data, String)] = [
    ("truncated", { $0.prefix(20_000) }, "is cut off"),
    (
      "flipped",
      { data in
        var data = data
        data[data.count / 2] ^= 0x10
        return data
      }, "digits.csv.gz"
    ),
    ("empty", { _ in Data() }, "digits.csv.gz"),
    ("no gzip", { _ in Data("<html>404</html>".utf8) }, "digits.csv.gz"),
    ("wrong checksum", { $0.dropLast(8) + Data(repeating: 7, count: 8) }, "digits.csv.gz"),
  ]

  @Test("Damaged compressed data end with 1 and name the file", arguments: damages.indices)
  func refusesGzip(index: Int) throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    let file = try place.write(
      Self.damages[index].1(Self.digitsFile()), to: "data/digits/digits.csv.gz")
    let ending = try simulate(recipe, in: place, ["--data-dir", place.path("data")])
    expect(ending, 1, [file, Self.damages[index].2, "again"], in: place)
  }

  @Test("Other bytes than the known ones end with 1, with the digests expected and found")
  func refusesOtherBytes() throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    let file = try place.write("0,1,2,x\n", to: "data/digits/digits.csv")
    let csv = try simulate(recipe, in: place, ["--data-dir", place.path("data")])
    expect(csv, 1, [file, "expected 264712 bytes of SHA-256 6ebb3d2f", "found 8 of"], in: place)

    // IDX files: an array that says it is longer than it is, with the others missing and there.
    let options = ["--data-dir", place.path("data"), "--set", "data.set=mnist"]
    let images = try place.write(
      Data([0, 0, 8, 3, 0, 0, 0xEA, 0x60, 0, 0, 0, 28, 0, 0, 0, 28, 1]),
      to: "data/mnist/train-images-idx3-ubyte")
    let missing = try simulate(recipe, in: place, options)
    expect(
      missing, 1,
      [
        "mnist is not on this machine", "\(place.path)/data/mnist (does not have all files)",
        "t10k-labels-idx1-ubyte[.gz]  ff7bcfd4", "--data-dir or APUS_DATA",
      ], in: place)
    for name in ["train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
      try place.write("not it", to: "data/mnist/\(name)-ubyte")
    }
    let short = try simulate(recipe, in: place, options)
    expect(short, 1, [images, "expected 47040016 bytes", "found 17 of"], in: place)
  }

  @Test("A data directory that is none is passed over, and the message says where it looked")
  func refusesMissingData() throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    let ending = try simulate(
      recipe, in: place, ["--data-dir", "/nowhere", "--set", "data.set=mnist"])
    expect(ending, 1, ["/nowhere/mnist (is not there)", "Get it:"], in: place)
  }

  // MARK: Recipes

  /// Settings, and parts of what is said of them.
  private static let impossible: [([String], [String])] = [
    (["cohort.size=21"], ["cohort.size: 21", "at most the 20 clients"]),
    (["rounds=0"], ["rounds: 0", "1 or more"]),
    (["rounds=-1"], ["rounds: -1"]),
    (["round=5"], ["round: unknown key", "did you mean rounds?"]),
    (["algorithm.fedprox.localEpoch=1"], ["localEpoch: unknown key", "mean localEpochs?"]),
    (["algorithm.fedprox.learningRate=\"fast\""], ["learningRate: \"fast\"", "a number"]),
    (["system.dropOutRate=1"], ["system.dropOutRate: 1.0", "below 1"]),
    (["data.clients=5000"], [": data: ", "5000 clients", "fewer clients"]),
    (["data.clients=20", "data.split={ shards: { perClient: 100 } }"], ["data: ", "shards"]),
    (["data.set=digit"], ["data.set: \"digit\"", "did you mean digits?"]),
    (["model=logistics"], ["model: \"logistics\"", "did you mean logistic?"]),
    (["model={ graph: \"nowhere.json\" }"], ["nowhere.json", "expected a graph"]),
    (["model={ graph: \"recipe.json5\" }"], ["recipe.json5 is not a graph"]),
    (["model={ graph: \"empty.json\" }"], ["empty.json is not a graph"]),
    (["model={ graph: \".\" }"], ["expected a graph"]),
  ]

  @Test("Impossible values end with 2 and name key, value and expectation", arguments: impossible)
  func refusesValues(settings: [String], parts: [String]) throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    try place.write("{}", to: "empty.json")
    let ending = try simulate(recipe, in: place, settings.flatMap { ["--set", $0] })
    expect(ending, 2, parts, in: place)
  }

  @Test("A model that does not fit the data ends with 2 and tells both shapes")
  func refusesShapes() throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    // A graph that is one, but of examples of 3 numbers.
    try place.write(
      """
      { "input": { "shape": [3], "kind": "numbers" }, "output": 0, "parameters": [],
        "nodes": [{ "operation": { "input": {} }, "inputs": [], "shape": [3], "isBatched": true }] }
      """, to: "graph.json")
    let ending = try simulate(recipe, in: place, ["--set", "model={ graph: \"graph.json\" }"])
    expect(ending, 2, ["model: it does not fit", "inputs of 3, not of 8×8×1"], in: place)
  }

  @Test("Recipes that are cut off, binary or of another program end with 2 and a line")
  func refusesRecipes() throws {
    let place = try Workplace()
    for (name, bytes, part) in [
      ("cut.json5", Data(Workplace.recipe.utf8.prefix(150)), "cut.json5:5: the end of the text"),
      ("binary.json5", Data([0x1F, 0x8B, 0xFF, 0xFE]), "binary.json5: not text"),
      ("other.json5", Data("{ \"scripts\": {} }".utf8), "other.json5:1: scripts: unknown key"),
    ] {
      expect(try simulate(try place.write(bytes, to: name), in: place), 2, [part], in: place)
    }
    expect(try simulate(place.path, in: place), 2, [place.path, "a directory"], in: place)
  }

  // MARK: Output

  @Test("A place that cannot be written to ends with 1 and names it")
  func refusesPlaces() throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    try place.write("", to: "file")
    for path in ["file", "file/below", "file/far/below"].map(place.path) {
      let ending = try Executable.run(["simulate", recipe, "--out", path])
      expect(ending, 1, [path, "Not a directory", "--out"], in: place)
    }
    #expect(try place.bytes(of: "file").isEmpty)
    try place.write("mine", to: "full/notes")
    let ending = try Executable.run(["simulate", recipe, "--out", place.path("full")])
    expect(ending, 1, ["\(place.path("full")) is not empty", "--resume"], in: place)
    #expect(try place.names(in: "full") == ["notes"])
  }

  @Test("Only a run can be resumed")
  func refusesToResume() throws {
    let place = try Workplace()
    try place.write("mine", to: "full/notes")
    for path in ["nowhere", "full", "full/notes"].map(place.path) {
      let ending = try Executable.run(["simulate", "--resume", path])
      expect(ending, 1, [path, "is not a run directory", "recipe.json5"], in: place)
    }
    #expect(try place.names(in: "full") == ["notes"])
  }

  @Test("A run directory whose recipe was edited is refused and left as it is")
  func refusesEditedRuns() throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    let run = place.path("edited")
    #expect(
      try Executable.run(["simulate", recipe, "--out", run, "--set", "rounds=3"]).status == 0)
    let (text, metrics) = (
      try place.text(of: "edited/recipe.json5"), try place.bytes(of: "edited/metrics.jsonl")
    )
    for (old, new, status, part) in [
      ("rounds: 3", "rounds: 6", 1 as Int32, "is not the recipe that the run's checkpoint"),
      ("rounds: 3", "round: 3", 2, "edited/recipe.json5:"),
      ("rounds: 3", "rounds: 0", 2, "rounds: 0"),
    ] {
      try #require(text.contains(old))
      try place.write(text.replacing(old, with: new), to: "edited/recipe.json5")
      let ending = try Executable.run(["simulate", "--resume", run])
      expect(ending, status, ["\(run)/recipe.json5", part], in: place)
      #expect(try place.bytes(of: "edited/metrics.jsonl") == metrics)
    }
  }

  // MARK: Divergence

  @Test("A run that diverges ends with 1, names round, clients and rate, and keeps the last model")
  func divergesWell() throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    // The rate grows by 3,000 a round: a few rounds go well.
    let algorithm = """
      algorithm={ fedavg: { localEpochs: 1, batchSize: "all", learningRate: 3e6,
        schedule: { warmup: { rounds: 1000, then: "constant" } } } }
      """
    let ending = try Executable.run([
      "simulate", recipe, "--out", place.path("bad"), "--set", algorithm, "--set", "system={}",
    ])
    #expect(ending.status == 1)
    let rounds = try place.records(of: "bad").count - 1
    #expect(rounds > 0 && rounds < 60)
    let summary = try RunSummary(ofRun: place.path("bad"))
    #expect(summary.outcome == .diverged && summary.rounds == rounds)
    for part in [
      "Training diverged in round \(rounds + 1)", "clients ",
      "The learning rate was \(3000 * (rounds + 1))",
      "model of round \(rounds) is kept", "--set algorithm.fedavg.learningRate=",
    ] {
      #expect(ending.messages.contains(part), "\(ending.messages) lacks \(part)")
    }
    let checkpoint = try #require(try place.names(in: "bad/checkpoint").last)
    #expect(checkpoint == "round-0000000\(rounds).safetensors")
    let model = try Safetensors(contentsOf: place.path("bad/checkpoint/" + checkpoint))
    #expect(try model.values(of: "model").digest == summary.modelDigest)
    let again = try Executable.run(["simulate", "--resume", place.path("bad")])
    #expect(again.status == 1 && again.messages.contains("diverged in round \(rounds + 1)"))
    #expect(try RunSummary(ofRun: place.path("bad")).modelDigest == summary.modelDigest)
  }

  @Test("A rate of 1e6 never passes for a run that went well")
  func divergesAtOnce() throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    // The linear model's loss stays finite, whatever its weights; with the spring it does not.
    let fedAvg = "algorithm={ fedavg: { localEpochs: 2, batchSize: 10, learningRate: 1e6 } }"
    for (name, setting, what) in [
      ("plain", fedAvg, "no update can be counted"),
      ("spring", "algorithm.fedprox.learningRate=1e6", "is not finite"),
    ] {
      let ending = try Executable.run([
        "simulate", recipe, "--out", place.path(name), "--set", setting, "--set", "rounds=3",
      ])
      #expect(ending.status == 1)
      for part in ["diverged in round 1", "client", what, "The learning rate was 1000000"] {
        #expect(ending.messages.contains(part), "\(ending.messages) lacks \(part)")
      }
      #expect(try place.names(in: name + "/checkpoint") == ["round-00000000.safetensors"])
    }
  }
}
