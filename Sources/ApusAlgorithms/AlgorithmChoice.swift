// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusNumerics

/// One of the algorithms, where which one is only known when the program runs: from a recipe or a plan.
public enum AlgorithmChoice: Hashable, Sendable {
  case fedAvg(FedAvg)
  case fedProx(FedProx)
  case fedSGD(FedSGD)

  /// Examples in a batch; nil for all that a client has.
  package var batchSize: Int? {
    switch self {
    case .fedAvg(let fedAvg): fedAvg.batchSize
    case .fedProx(let fedProx): fedProx.batchSize
    case .fedSGD: nil
    }
  }

  /// The learning rate of a round, counted from 0.
  package func learningRate(atRound round: Int) -> Float {
    let (rate, schedule) =
      switch self {
      case .fedAvg(let fedAvg): (fedAvg.learningRate, fedAvg.schedule)
      case .fedProx(let fedProx): (fedProx.learningRate, fedProx.schedule)
      case .fedSGD(let fedSGD): (fedSGD.learningRate, fedSGD.schedule)
      }
    return rate * schedule.factor(atRound: round)
  }

  /// This choice, if every hyperparameter is in its range.
  ///
  /// - Throws: ``AlgorithmError/Code/invalidValue``, naming the hyperparameter.
  public func validated() throws(AlgorithmError) -> AlgorithmChoice {
    switch self {
    case .fedAvg(let fedAvg): .fedAvg(try fedAvg.validated())
    case .fedProx(let fedProx): .fedProx(try fedProx.validated())
    case .fedSGD(let fedSGD): .fedSGD(try fedSGD.validated())
    }
  }
}

/// One of the rules, where which one is only known when the program runs.
public enum AggregationChoice: String, Hashable, Sendable, CaseIterable {
  case weightedMean = "weighted-mean"
  case uniformMean = "uniform-mean"

  /// The rule of this name for updates of some kind.
  package func rule<Update: VectorSpace>(
    for type: Update.Type
  ) -> any LinearAggregationRule<Update> {
    switch self {
    case .weightedMean: WeightedMean<Update>()
    case .uniformMean: UniformMean<Update>()
    }
  }
}
