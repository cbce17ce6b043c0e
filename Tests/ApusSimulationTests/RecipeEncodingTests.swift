// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusCatalog
import ApusData
import ApusNumerics
import ApusSimulation
import Testing

@Suite struct RecipeEncodingTests {
  @Test("A recipe's text reads as the same recipe", arguments: RecipeExamples.all)
  func roundTrips(text: String) throws {
    let recipe = try RecipeExamples.recipe(text)
    let encoded = recipe.encoded(under: ["apus 0.1.0", "two\nlines"])
    #expect(encoded.hasPrefix("// apus 0.1.0\n// two lines\n{\n"))
    let again = try Recipe(parsing: encoded.utf8, file: "elsewhere.json5")
    #expect(again == recipe)
    #expect(again.encoded() == recipe.encoded())
    #expect(again.digest == recipe.digest)
  }

  @Test("Random recipes read as themselves")
  func roundTripsAtRandom() throws {
    var random = RandomStream(seed: 5)
    for _ in 0..<300 {
      let recipe = random.recipe()
      try recipe.validate()
      #expect(try Recipe(parsing: recipe.encoded().utf8, file: "x.json5") == recipe)
    }
  }

  @Test("The text of a recipe is what it always was")
  func isCanonical() throws {
    let recipe = try RecipeExamples.recipe(RecipeExamples.fedSGD)
    #expect(
      recipe.encoded() == """
        {
          name: "quick",
          model: "logistic",
          data: { set: "mnist-writers", split: { by: "writer" }, holdBack: 0.0 },
          algorithm: {
            fedsgd: { learningRate: 0.1, schedule: { step: { every: 10, factor: 0.5 } } },
          },
          aggregation: "weighted-mean",
          cohort: { fraction: 0.0 },
          rounds: 1,
          stop: {},
          system: {
            dropOutRate: 0.0,
            stragglerFraction: 0.0,
            overSelection: 1.0,
            quorum: 0.0,
          },
          privacy: "none",
          evaluate: { every: 1, clients: 0 },
          seed: 1,
        }

        """)
  }

  @Test("Every value counts in the digest")
  func digests() throws {
    let recipe = try RecipeExamples.recipe(RecipeExamples.fedAvg)
    var other = recipe
    other.seed = 2
    #expect(recipe.digest.count == 64 && other.digest != recipe.digest)
    other = recipe
    other.evaluate.every = 2
    #expect(other.digest != recipe.digest)
  }

  @Test("Texts with quotes and control characters come back")
  func escapes() throws {
    var recipe = try RecipeExamples.recipe(RecipeExamples.fedSGD)
    recipe.model = .graph(file: "a\"\\\n\u{1}\u{2028}é😀")
    #expect(try Recipe(parsing: recipe.encoded().utf8, file: "r.json5") == recipe)
  }
}

extension RandomStream {
  fileprivate mutating func recipe() -> Recipe {
    func float() -> Float { Float.random(in: 0.001..<1, using: &self) }
    func double() -> Double { Double.random(in: 0.001..<1, using: &self) }
    func integer() -> Int { Int.random(in: 1..<1000, using: &self) }
    let optimizers: [OptimizerChoice] = [
      .sgd(momentum: float(), nesterov: Bool.random(using: &self), weightDecay: float()),
      .adam(beta1: float(), beta2: float(), epsilon: float(), weightDecay: float()), .adamW(),
    ]
    let plain: [LearningRateSchedule] = [
      .constant, .exponential(decay: float()), .step(every: integer(), factor: float()),
      .cosine(rounds: integer(), minimum: float()),
    ]
    let schedules = plain + plain.map { .warmup(rounds: integer(), then: $0) }
    func optimizer() -> OptimizerChoice { optimizers.randomElement(using: &self) ?? .sgd() }
    func schedule() -> LearningRateSchedule { schedules.randomElement(using: &self) ?? .constant }
    let algorithms: [AlgorithmChoice] = [
      .fedAvg(
        FedAvg(
          localEpochs: integer(), batchSize: integer(), learningRate: float(),
          optimizer: optimizer(), schedule: schedule())),
      .fedProx(
        FedProx(
          localEpochs: integer(), batchSize: nil, learningRate: float(),
          proximalStrength: float(), optimizer: optimizer(), schedule: schedule())),
      .fedSGD(FedSGD(learningRate: float(), schedule: schedule())),
    ]
    let splits: [SplitRule] = [
      .iid, .shards(perClient: integer()), .dirichlet(alpha: double(), minimum: integer()),
      .quantity(alpha: double()),
    ]
    var recipe = Recipe(
      name: "r\(integer())", model: .named("mcmahan-2nn"),
      data: .init(
        set: "mnist", split: splits.randomElement(using: &self) ?? .iid, clients: 1000,
        holdBack: double()),
      algorithm: algorithms.randomElement(using: &self) ?? algorithms[0],
      cohort: Bool.random(using: &self) ? .fraction(double()) : .size(integer()),
      rounds: integer())
    recipe.aggregation = Bool.random(using: &self) ? .weightedMean : .uniformMean
    recipe.stop = .init(accuracy: double(), patience: integer())
    recipe.system.dropOutRate = double()
    recipe.system.overSelection = 1 + double()
    recipe.evaluate = .init(every: integer(), clients: integer())
    recipe.instructionSet = ([nil] + InstructionSet.allCases).randomElement(using: &self) ?? nil
    recipe.seed = next()
    return recipe
  }
}
