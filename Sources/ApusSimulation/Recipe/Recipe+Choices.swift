// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusNumerics

extension Recipe.AlgorithmChoice {
  /// Examples in a batch; nil for all that a client has.
  var batchSize: Int? {
    switch self {
    case .fedAvg(let fedAvg): fedAvg.batchSize
    case .fedProx(let fedProx): fedProx.batchSize
    case .fedSGD: nil
    }
  }

  /// The learning rate of a round, counted from 0.
  func learningRate(atRound round: Int) -> Float {
    let (rate, schedule) =
      switch self {
      case .fedAvg(let fedAvg): (fedAvg.learningRate, fedAvg.schedule)
      case .fedProx(let fedProx): (fedProx.learningRate, fedProx.schedule)
      case .fedSGD(let fedSGD): (fedSGD.learningRate, fedSGD.schedule)
      }
    return rate * schedule.factor(atRound: round)
  }
}

extension Recipe.AggregationChoice {
  /// The rule of this name for updates of some kind.
  func rule<Update: VectorSpace>(
    for type: Update.Type
  ) -> any LinearAggregationRule<Update> {
    switch self {
    case .weightedMean: WeightedMean<Update>()
    case .uniformMean: UniformMean<Update>()
    }
  }
}
