// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData
internal import ApusNumerics

// How a recipe names an algorithm, a local optimizer and a learning-rate schedule.
extension Recipe {
  static func readAlgorithm(_ field: RecipeField) throws(SimulationError) -> AlgorithmChoice {
    let (kind, settings) = try field.kind(of: ["fedavg": false, "fedprox": false, "fedsgd": false])
    let local = ["localEpochs", "batchSize", "learningRate", "optimizer", "schedule"]
    switch kind {
    case "fedavg":
      let members = try settings.members(allowing: local)
      return .fedAvg(
        FedAvg(
          localEpochs: try members.required("localEpochs").integer(),
          batchSize: try readBatchSize(members.required("batchSize")),
          learningRate: try members.required("learningRate").float(),
          optimizer: try readOptimizer(members.optional("optimizer")),
          schedule: try readSchedule(members.optional("schedule"))))
    case "fedprox":
      let members = try settings.members(allowing: local + ["proximalStrength"])
      return .fedProx(
        FedProx(
          localEpochs: try members.required("localEpochs").integer(),
          batchSize: try readBatchSize(members.required("batchSize")),
          learningRate: try members.required("learningRate").float(),
          proximalStrength: try members.required("proximalStrength").float(),
          optimizer: try readOptimizer(members.optional("optimizer")),
          schedule: try readSchedule(members.optional("schedule"))))
    default:
      let members = try settings.members(allowing: ["learningRate", "schedule"])
      return .fedSGD(
        FedSGD(
          learningRate: try members.required("learningRate").float(),
          schedule: try readSchedule(members.optional("schedule"))))
    }
  }

  /// A number of examples, or nil for all that a client has.
  private static func readBatchSize(_ field: RecipeField) throws(SimulationError) -> Int? {
    switch field.node.value {
    case .string("all"): return nil
    case .number: return try field.integer()
    default: throw field.failure(field.node.description, expected: "a whole number or \"all\"")
    }
  }

  static func readOptimizer(_ field: RecipeField?) throws(SimulationError) -> OptimizerChoice {
    guard let field else { return .sgd() }
    let (kind, settings) = try field.kind(of: ["sgd": true, "adam": true, "adamw": true])
    if kind == "sgd" {
      let sgd = try settings.members(allowing: ["momentum", "nesterov", "weightDecay"])
      return .sgd(
        momentum: try sgd.optional("momentum")?.float() ?? 0,
        nesterov: try sgd.optional("nesterov")?.boolean() ?? false,
        weightDecay: try sgd.optional("weightDecay")?.float() ?? 0)
    }
    let adam = try settings.members(allowing: ["beta1", "beta2", "epsilon", "weightDecay"])
    let beta1 = try adam.optional("beta1")?.float() ?? 0.9
    let beta2 = try adam.optional("beta2")?.float() ?? 0.999
    let epsilon = try adam.optional("epsilon")?.float() ?? 1e-8
    let decay = try adam.optional("weightDecay")?.float()
    return kind == "adam"
      ? .adam(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decay ?? 0)
      : .adamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decay ?? 0.01)
  }

  static func readSchedule(_ field: RecipeField?) throws(SimulationError) -> LearningRateSchedule {
    guard let field else { return .constant }
    let (kind, settings) = try field.kind(
      of: ["constant": true, "exponential": false, "step": false, "cosine": false, "warmup": false])
    switch kind {
    case "exponential":
      let exponential = try settings.members(allowing: ["decay"])
      return .exponential(decay: try exponential.required("decay").float())
    case "step":
      let step = try settings.members(allowing: ["every", "factor"])
      return .step(
        every: try step.required("every").integer(), factor: try step.required("factor").float())
    case "cosine":
      let cosine = try settings.members(allowing: ["rounds", "minimum"])
      return .cosine(
        rounds: try cosine.required("rounds").integer(),
        minimum: try cosine.optional("minimum")?.float() ?? 0)
    case "warmup":
      let warmup = try settings.members(allowing: ["rounds", "then"])
      return .warmup(
        rounds: try warmup.required("rounds").integer(),
        then: try readSchedule(warmup.optional("then")))
    default:
      _ = try settings.members(allowing: [])
      return .constant
    }
  }
}
