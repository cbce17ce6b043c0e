// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusAlgorithms
internal import ApusNumerics

extension AlgorithmChoice {
  private static let mostEpochs: UInt32 = 1 << 20

  /// Reads an algorithm; the algorithm itself says whether its numbers are in their ranges.
  ///
  /// - Throws: `malformed`, `invalid-value` or `unsupported`.
  package init(_ proto: Proto.Algorithm) throws(WireError) {
    let choice: AlgorithmChoice
    switch proto.kind {
    case .fedavg(let local):
      try local.require(local.proximalStrength == 0, "fedavg has no proximal strength")
      choice = .fedAvg(
        FedAvg(
          localEpochs: try Self.epochs(local), batchSize: local.batch,
          learningRate: local.learningRate, optimizer: try OptimizerChoice(local.optimizer),
          schedule: try LearningRateSchedule(local.schedule)))
    case .fedprox(let local):
      choice = .fedProx(
        FedProx(
          localEpochs: try Self.epochs(local), batchSize: local.batch,
          learningRate: local.learningRate, proximalStrength: local.proximalStrength,
          optimizer: try OptimizerChoice(local.optimizer),
          schedule: try LearningRateSchedule(local.schedule)))
    case .fedsgd(let local):
      try local.require(
        local.localEpochs == 0 && local.batchSize == 0 && local.proximalStrength == 0
          && local.optimizer == nil, "fedsgd has a learning rate and a schedule, and nothing else")
      choice = .fedSGD(
        FedSGD(
          learningRate: local.learningRate, schedule: try LearningRateSchedule(local.schedule)))
    case nil:
      throw WireError(.unsupported, "the plan's algorithm is missing, or not known here")
    }
    do throws(AlgorithmError) { self = try choice.validated() } catch {
      throw WireError(.invalidValue, error.message, cause: error)
    }
  }

  private static func epochs(_ local: Proto.LocalTraining) throws(WireError) -> Int {
    try local.require(
      local.localEpochs <= mostEpochs, "\(local.localEpochs) local epochs are too many")
    return Int(local.localEpochs)
  }
}

extension Proto.LocalTraining {
  fileprivate var batch: Int? { batchSize == 0 ? nil : Int(batchSize) }

  fileprivate func require(_ isRight: Bool, _ message: String) throws(WireError) {
    guard isRight else { throw WireError(.invalidValue, message) }
  }
}

extension OptimizerChoice {
  fileprivate init(_ proto: Proto.Optimizer?) throws(WireError) {
    switch proto?.kind {
    case .sgd(let sgd):
      self = .sgd(momentum: sgd.momentum, nesterov: sgd.nesterov, weightDecay: sgd.weightDecay)
    case .adam(let adam):
      self = .adam(
        beta1: adam.beta1, beta2: adam.beta2, epsilon: adam.epsilon, weightDecay: adam.weightDecay)
    case .adamw(let adam):
      self = .adamW(
        beta1: adam.beta1, beta2: adam.beta2, epsilon: adam.epsilon, weightDecay: adam.weightDecay)
    case nil: throw WireError(.unsupported, "an optimizer is missing, or not known here")
    }
  }
}

extension LearningRateSchedule {
  private static let depthLimit = 8

  fileprivate init(_ proto: Proto.Schedule?, depth: Int = 1) throws(WireError) {
    guard depth <= Self.depthLimit else {
      throw WireError(.beyondLimit, "schedules lie more than \(Self.depthLimit) deep in each other")
    }
    switch proto?.kind {
    case .constant: self = .constant
    case .exponential(let decay): self = .exponential(decay: decay)
    case .step(let step):
      self = .step(every: try WireRange.count(step.every, "rounds"), factor: step.factor)
    case .cosine(let cosine):
      self = .cosine(
        rounds: try WireRange.count(cosine.rounds, "rounds"), minimum: cosine.minimum)
    case .warmup(let warmup):
      self = .warmup(
        rounds: try WireRange.count(warmup.rounds, "rounds"),
        then: try LearningRateSchedule(warmup.then, depth: depth + 1))
    case nil: throw WireError(.unsupported, "a schedule is missing, or not known here")
    }
  }
}

extension Proto.Algorithm {
  package init(_ choice: AlgorithmChoice) {
    self.init()
    kind =
      switch choice {
      case .fedAvg(let fedAvg):
        .fedavg(
          Proto.LocalTraining {
            $0.localEpochs = UInt32(clamping: fedAvg.localEpochs)
            $0.batchSize = UInt32(clamping: fedAvg.batchSize ?? 0)
            $0.learningRate = fedAvg.learningRate
            $0.optimizer = Proto.Optimizer(fedAvg.optimizer)
            $0.schedule = Proto.Schedule(fedAvg.schedule)
          })
      case .fedProx(let fedProx):
        .fedprox(
          Proto.LocalTraining {
            $0.localEpochs = UInt32(clamping: fedProx.localEpochs)
            $0.batchSize = UInt32(clamping: fedProx.batchSize ?? 0)
            $0.learningRate = fedProx.learningRate
            $0.optimizer = Proto.Optimizer(fedProx.optimizer)
            $0.schedule = Proto.Schedule(fedProx.schedule)
            $0.proximalStrength = fedProx.proximalStrength
          })
      case .fedSGD(let fedSGD):
        .fedsgd(
          Proto.LocalTraining {
            $0.learningRate = fedSGD.learningRate
            $0.schedule = Proto.Schedule(fedSGD.schedule)
          })
      }
  }
}

extension Proto.Optimizer {
  fileprivate init(_ choice: OptimizerChoice) {
    self.init()
    kind =
      switch choice {
      case .sgd(let momentum, let nesterov, let weightDecay):
        .sgd(
          Proto.SGD {
            $0.momentum = momentum
            $0.nesterov = nesterov
            $0.weightDecay = weightDecay
          })
      case .adam(let beta1, let beta2, let epsilon, let weightDecay):
        .adam(Proto.Adam(beta1, beta2, epsilon, weightDecay))
      case .adamW(let beta1, let beta2, let epsilon, let weightDecay):
        .adamw(Proto.Adam(beta1, beta2, epsilon, weightDecay))
      }
  }
}

extension Proto.Adam {
  fileprivate init(_ beta1: Float, _ beta2: Float, _ epsilon: Float, _ weightDecay: Float) {
    self.init()
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }
}

extension Proto.Schedule {
  fileprivate init(_ schedule: LearningRateSchedule) {
    self.init()
    kind =
      switch schedule {
      case .constant: .constant(Proto.Empty())
      case .exponential(let decay): .exponential(decay)
      case .step(let every, let factor):
        .step(
          Proto.StepSchedule {
            $0.every = UInt32(clamping: every)
            $0.factor = factor
          })
      case .cosine(let rounds, let minimum):
        .cosine(
          Proto.CosineSchedule {
            $0.rounds = UInt32(clamping: rounds)
            $0.minimum = minimum
          })
      case .warmup(let rounds, let then):
        .warmup(
          Proto.WarmupSchedule {
            $0.rounds = UInt32(clamping: rounds)
            $0.then = Proto.Schedule(then)
          })
      }
  }
}

extension AggregationChoice {
  /// Nil for rules that are not known here.
  package init?(_ proto: Proto.AggregationRule) {
    switch proto {
    case .weightedMean: self = .weightedMean
    case .uniformMean: self = .uniformMean
    default: return nil
    }
  }
}

extension Proto.AggregationRule {
  package init(_ choice: AggregationChoice) {
    self =
      switch choice {
      case .weightedMean: .weightedMean
      case .uniformMean: .uniformMean
      }
  }
}
