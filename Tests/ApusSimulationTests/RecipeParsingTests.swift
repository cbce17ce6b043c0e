// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusCatalog
import ApusData
import ApusNumerics
import ApusSimulation
import Foundation
import Testing

@Suite struct RecipeParsingTests {
  @Test("A recipe says what it says, and the rest has its defaults")
  func readsFedAvg() throws {
    let recipe = try RecipeExamples.recipe(RecipeExamples.fedAvg)
    #expect(recipe.name == "quick")
    #expect(recipe.model == .named("mcmahan-cnn"))
    #expect(recipe.data.set == "mnist")
    #expect(recipe.data.split == .shards(perClient: 2))
    #expect(recipe.data.clients == 100)
    #expect(
      recipe.algorithm == .fedAvg(FedAvg(localEpochs: 5, batchSize: 10, learningRate: 0.1)))
    #expect(recipe.cohort == .fraction(0.1))
    #expect(recipe.rounds == 400)
    #expect(recipe.stop.accuracy == 0.99 && recipe.stop.patience == nil)
    #expect(recipe.system.overSelection == 1 && recipe.system.dropOutRate == 0)
    #expect(recipe.seed == 1)
  }

  @Test("Optimizers, schedules, whole batches and 64-bit seeds are read exactly")
  func readsFedProx() throws {
    let recipe = try RecipeExamples.recipe(RecipeExamples.fedProx)
    #expect(recipe.model == .graph(file: "model.graph"))
    #expect(recipe.data.alpha == 0.5 && recipe.data.beta == 0.5)
    #expect(
      recipe.algorithm
        == .fedProx(
          FedProx(
            localEpochs: 20, batchSize: nil, learningRate: 0.01, proximalStrength: 1,
            optimizer: .sgd(momentum: 0.9, nesterov: true, weightDecay: 1e-4),
            schedule: .warmup(rounds: 5, then: .cosine(rounds: 100, minimum: 0.1)))))
    #expect(recipe.rounds == 200)
    #expect(recipe.seed == .max)
  }

  @Test(
    "A recipe called recipe.json5 is named for its directory",
    arguments: [
      ("Simulations/quickstart/recipe.json5", "quickstart"), ("a/b.c.json5", "b"),
      ("./recipe.json5", "recipe"), ("über raum.json5", "ber-raum"), ("/", "run"),
    ])
  func namesRuns(file: String, name: String) throws {
    #expect(try Recipe(parsing: RecipeExamples.fedSGD.utf8, file: file).name == name)
  }

  @Test(
    "What is wrong is told with its line, its key path and what was expected",
    arguments: [
      ("mcmahan-cnn", "mcmahan-cn", "r.json5:3: model: \"mcmahan-cn\"", "mean mcmahan-cnn?"),
      ("split:", "splitt:", "r.json5:4: data.splitt: unknown key", "did you mean split?"),
      ("clients: 100", "client: 100", "r.json5:4: data.client: unknown", "did you mean clients?"),
      ("shards", "shard", "r.json5:4: data.split.shard: unknown", "did you mean shards?"),
      ("{ shards: { perClient: 2 } }", "\"iidd\"", "r.json5:4: data.split: \"iidd\"", "mean iid?"),
      ("{ shards: { perClient: 2 } }", "\"shards\"", "4: data.split: \"shards\"", "{ shards: {"),
      ("{ shards: { perClient: 2 } }", "{ by: 3 }", "4: data.split.by: 3", "text in quotes"),
      ("{ perClient: 2 }", "{}", "4: data.split.shards.perClient: missing", "expected"),
      ("perClient: 2", "perClient: 0", "4: data.split.shards.perClient: 0", "1 or more"),
      ("perClient: 2", "perClient: 90000000", "4: data.split.shards.perClient: 90000000", "rows"),
      (", clients: 100", "", "r.json5:4: data.clients: missing", "how many clients"),
      ("clients: 100", "clients: 0", "r.json5:4: data.clients: 0", "1 to"),
      ("clients: 100", "clients: 1, alpha: 1", "4: data.alpha: 1.0", "synthetic"),
      ("clients: 100", "clients: 1, holdBack: 1", "4: data.holdBack: 1.0", "below 1"),
      ("fedavg", "fedagv", "r.json5:5: algorithm.fedagv: unknown key", "did you mean fedavg?"),
      ("fedavg:", "fedavg: {}, fedprox:", "r.json5:5: algorithm: 2 kinds", "exactly one of"),
      ("localEpochs: 5", "localEpochs: 2.5", "5: algorithm.fedavg.localEpochs: 2.5", "whole"),
      ("localEpochs: 5", "localEpochs: \"5\"", "algorithm.fedavg.localEpochs: \"5\"", "whole"),
      ("localEpochs: 5, ", "", "r.json5:5: algorithm.fedavg.localEpochs: missing", "expected"),
      ("batchSize: 10", "batchSize: 0", "5: algorithm.fedavg.batchSize: 0", "1 or more"),
      ("batchSize: 10", "batchSize: \"al\"", "algorithm.fedavg.batchSize: \"al\"", "\"all\""),
      ("learningRate: 0.1", "learningRate: -1", "algorithm.fedavg.learningRate: -1.0", "above 0"),
      ("learningRate: 0.1", "learningRate: NaN", "algorithm.fedavg.learningRate: nan", "finite"),
      ("learningRate: 0.1", "learningRate: 1e60", "fedavg.learningRate: inf", "finite"),
      ("weighted-mean", "weightedmean", "r.json5:6: aggregation:", "did you mean weighted-mean?"),
      ("fraction: 0.1", "fraction: 1.5", "r.json5:7: cohort.fraction: 1.5", "0 to 1"),
      ("fraction: 0.1", "size: 101", "r.json5:7: cohort.size: 101", "the 100 clients"),
      ("fraction: 0.1", "size: 0", "r.json5:7: cohort.size: 0", "1 or more"),
      ("fraction: 0.1", "fraction: 1, size: 1", "r.json5:7: cohort: a fraction and a size", "one"),
      ("fraction: 0.1", "", "r.json5:7: cohort: an empty object", "a fraction or a size"),
      ("rounds: 400", "rounds: 0", "r.json5:7: rounds: 0", "1 or more"),
      ("rounds: 400", "rounds: -3", "r.json5:7: rounds: -3", "1 or more"),
      ("rounds: 400", "rounds: null", "r.json5:7: rounds: null", "a whole number"),
      ("rounds: 400", "rounds: 1e30", "r.json5:7: rounds: 1e30", "whole number from"),
      ("rounds: 400, ", "", "r.json5:2: rounds: missing", "expected"),
      ("accuracy: 0.99", "accuracy: 99", "r.json5:7: stop.accuracy: 99.0", "at most 1"),
      ("privacy: \"none\"", "privacy: \"central\"", "8: privacy: \"central\"", "later version"),
      ("privacy: \"none\"", "privacy: { secure: {} }", "8: privacy: an object", "later version"),
      (
        "evaluate: { every: 1 }", "instructionSet: \"avx\"", "9: instructionSet: \"avx\"",
        "\"portable\", \"baseline\""
      ),
      ("evaluate: { every: 1 }", "evaluate: { every: 0 }", "9: evaluate.every: 0", "1 or more"),
      ("evaluate: { every: 1 }", "evaluate: { clients: 5 }", "9: evaluate.clients: 5", "holdBack"),
      ("seed: 1", "seed: -1", "r.json5:10: seed: -1", "from 0 to 18446744073709551615"),
      ("seed: 1", "seed: 1, name: '../x'", "r.json5:10: name: \"../x\"", "directories carry it"),
      ("seed: 1", "seed: 1, seed: 2", "r.json5:10: the key seed a second time", "line 10"),
      ("seed: 1,", "seed: 1 }", "r.json5:11: '}' after the end", "nothing more"),
      ("seed: 1", "seed: 01", "r.json5:10: 01", "expected a number"),
      ("seed: 1", "seed: one", "r.json5:10: the word one", "expected a value"),
      ("mnist\"", "mnist", "r.json5:4: a string without its closing", "\""),
      ("*/", "", "r.json5:3: a comment without its closing", "*/"),
      ("rounds: 400,", "rounds: 400", "r.json5:7: 's', expected ','", "'}'"),
      ("seed: 1", "'se\\", "r.json5:10: a string without its closing", "'"),
      ("\"mnist\"", "\"mnst\"", "r.json5:4: data.set: \"mnst\"", "did you mean mnist?"),
      ("{ shards: { perClient: 2 } }", "{ by: \"writer\" }", "4: data.split.by", "no natural"),
    ])
  func refuses(old: String, new: String, place: String, expectation: String) throws {
    try #require(RecipeExamples.fedAvg.contains(old))
    let text = RecipeExamples.fedAvg.replacing(old, with: new, maxReplacements: 1)
    let message = try #require(RecipeExamples.refusal(of: text), "\(new) is taken")
    #expect(message.contains(place) && message.contains(expectation), "\(message)")
  }

  @Test("What only matters with devices is held to its ranges, and is not there unless it is said")
  func refusesServing() throws {
    #expect(try RecipeExamples.recipe(RecipeExamples.fedAvg).serve == nil)
    let serve = try #require(try RecipeExamples.recipe(RecipeExamples.served).serve)
    #expect(serve.late == .extend && serve.labels == ["site": "north", "a b": "c\""])
    #expect(serve.updateFormat == .bfloat16 && serve.packed && serve.reportTimeout == 30)
    for (setting, what) in [
      ("serve.overSelection=0.5", "serve.overSelection: 0.5"),
      ("serve.minimumCohort=5", "at most the 4 of cohort.size"),
      ("serve.reportTimeout=0", "serve.reportTimeout: 0.0"),
      ("serve.late=\"extent\"", "did you mean extend?"),
      ("serve.labels=[]", "expected an object of texts"),
      ("serve.labels.site=3", "serve.labels.site: 3"),
      ("serve.normBound=0", "serve.normBound: 0.0"),
      ("serve.updateFormat=float8", "\"float32\", \"bfloat16\" or \"float16\""),
      ("serve.minimumCohrt=3", "did you mean minimumCohort?"),
    ] {
      let message = RecipeExamples.refusal(of: RecipeExamples.served, setting: [setting])
      #expect(message?.contains(what) == true, "\(setting): \(message ?? "taken")")
    }
  }

  @Test("Settings of optimizers and schedules are held to their ranges")
  func refusesSettings() throws {
    for (setting, place) in [
      ("optimizer={ sgd: { nesterov: true } }", "optimizer.sgd.nesterov: true"),
      ("optimizer={ sgd: { momentum: 1 } }", "optimizer.sgd.momentum: 1.0"),
      ("optimizer={ adam: { beta1: -1 } }", "optimizer.adam.beta1: -1.0"),
      ("optimizer=adamm", "(did you mean adam?)"),
      ("schedule={ exponential: { decay: 0 } }", "schedule.exponential.decay: 0.0"),
      ("schedule={ step: { every: 0, factor: 1 } }", "schedule.step.every: 0"),
      ("schedule={ warmup: { rounds: 1, then: { warmup: { rounds: 1 } } } }", "warmup.then"),
      ("schedule=cosine", "for it has settings"),
    ] {
      let message = try #require(
        RecipeExamples.refusal(
          of: RecipeExamples.fedAvg, setting: ["algorithm.fedavg.\(setting)"]))
      #expect(message.hasPrefix("--set algorithm.fedavg.\(setting)"), "\(message)")
      #expect(message.contains(place), "\(message)")
    }
  }

  @Test("A value set from outside replaces the file's, and what is missing is made")
  func overrides() throws {
    let recipe = try RecipeExamples.recipe(
      RecipeExamples.fedAvg,
      setting: [
        "seed=7", "algorithm.fedavg.learningRate=.215", "model=mcmahan-2nn", "name=\"other\"",
        "system.dropOutRate=0.5", "data.split={ dirichlet: { alpha: 0.1 } }",
      ])
    #expect(recipe.seed == 7 && recipe.name == "other" && recipe.model == .named("mcmahan-2nn"))
    #expect(
      recipe.algorithm == .fedAvg(FedAvg(localEpochs: 5, batchSize: 10, learningRate: 0.215)))
    #expect(recipe.system.dropOutRate == 0.5)
    #expect(recipe.data.split == .dirichlet(alpha: 0.1, minimum: 1))
  }

  @Test("A wrong setting names itself and not a line of the file")
  func refusesOverrides() throws {
    for (setting, part) in [
      ("seed", "no '='"), ("=3", "not a key path"), ("a..b=3", "not a key path"),
      ("sed=3", "sed: unknown key"), ("rounds=many", "rounds: \"many\", expected a whole number"),
      ("rounds.x=3", "cannot set x inside of 400"), ("cohort.size=3", "a fraction and a size"),
    ] {
      let message = try #require(
        RecipeExamples.refusal(of: RecipeExamples.fedAvg, setting: [setting]))
      #expect(message.contains(part), "\(message)")
      #expect(setting == "cohort.size=3" || message.hasPrefix("--set \(setting)"), "\(message)")
    }
  }

  @Test("Files that are missing, too long, not text or too deep are refused")
  func refusesFiles() throws {
    #expect(throws: SimulationError.self) { try Recipe(contentsOf: "/nowhere/recipe.json5") }
    do { _ = try Recipe(contentsOf: "/") } catch {
      #expect(error.code == .unreadableRecipe && error.message.contains("a directory"))
    }
    let long = String(repeating: " ", count: 1 << 20) + "{}"
    #expect(RecipeExamples.refusal(of: long)?.contains("too long") == true)
    #expect(throws: SimulationError.self) {
      try Recipe(parsing: [0x7B, 0xFF, 0x7D], file: "r.json5")
    }
    let deep = String(repeating: "[", count: 100_000)
    #expect(RecipeExamples.refusal(of: deep)?.contains("nested deeper than 32") == true)
    #expect(RecipeExamples.refusal(of: "") == "r.json5:1: the end of the text, expected a value")
    #expect(RecipeExamples.refusal(of: "[]")?.contains("r.json5:1: an array, expected") == true)
  }
}
