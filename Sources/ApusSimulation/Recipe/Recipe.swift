// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusAlgorithms
public import ApusCatalog
public import ApusNumerics

/// One experiment, as its file says it: model, data, algorithm, rounds.
///
/// Defaults are the ones of the initial values below; everything else must be said.
public struct Recipe: Hashable, Sendable {
  public var name: String
  public var model: ModelChoice
  public var data: DataChoice
  public var algorithm: AlgorithmChoice
  public var aggregation: AggregationChoice = .weightedMean
  public var cohort: CohortChoice
  public var rounds: Int
  public var stop = StopChoice()
  public var system = SystemChoice()
  public var evaluate = EvaluationChoice()
  /// What only matters in a live federation; nil for the defaults.
  public var serve: ServingChoice?
  /// What the kernels are compiled for; nil for the best that the machine has.
  ///
  /// The last bits of results depend on it. A run's own recipe names the one that was taken.
  public var instructionSet: InstructionSet?
  public var seed: UInt64 = 1

  /// An experiment with the defaults of everything that is not said; ``validate()`` looks at it.
  public init(
    name: String, model: ModelChoice, data: DataChoice, algorithm: AlgorithmChoice,
    aggregation: AggregationChoice = .weightedMean, cohort: CohortChoice, rounds: Int,
    stop: StopChoice = StopChoice(), system: SystemChoice = SystemChoice(),
    evaluate: EvaluationChoice = EvaluationChoice(), serve: ServingChoice? = nil,
    instructionSet: InstructionSet? = nil,
    seed: UInt64 = 1
  ) {
    self.name = name
    self.model = model
    self.data = data
    self.algorithm = algorithm
    self.aggregation = aggregation
    self.cohort = cohort
    self.rounds = rounds
    self.stop = stop
    self.system = system
    self.evaluate = evaluate
    self.serve = serve
    self.instructionSet = instructionSet
    self.seed = seed
  }

  public enum ModelChoice: Hashable, Sendable {
    /// A model that Apus knows: `logistic`, `mcmahan-2nn`, `mcmahan-cnn`.
    case named(String)
    /// A file with an encoded graph, relative to the recipe's directory.
    case graph(file: String)
  }

  public struct DataChoice: Hashable, Sendable {
    /// A data set that Apus knows, for example `mnist`, `fashion-mnist`, `digits`, `synthetic`.
    public var set: String
    public var split: SplitRule
    /// How many clients; nil where the split tells (by a natural key) or the set does (synthetic).
    public var clients: Int?
    /// The part of every client's examples that is kept for measuring, in 0..<1.
    public var holdBack = 0.0
    /// α and β of the synthetic sets.
    public var alpha: Double?
    public var beta: Double?

    public init(
      set: String, split: SplitRule, clients: Int? = nil, holdBack: Double = 0,
      alpha: Double? = nil, beta: Double? = nil
    ) {
      self.set = set
      self.split = split
      self.clients = clients
      self.holdBack = holdBack
      self.alpha = alpha
      self.beta = beta
    }
  }

  public enum CohortChoice: Hashable, Sendable {
    /// max(fraction · clients, 1) clients a round; in 0...1.
    case fraction(Double)
    case size(Int)
  }

  public struct StopChoice: Hashable, Sendable {
    /// Stop when the central accuracy reaches this.
    public var accuracy: Double?
    /// Stop when the best accuracy has not risen for so many rounds.
    public var patience: Int?

    public init(accuracy: Double? = nil, patience: Int? = nil) {
      self.accuracy = accuracy
      self.patience = patience
    }
  }

  /// What goes wrong in the field, simulated.
  public struct SystemChoice: Hashable, Sendable {
    /// The chance that an invited client never reports, in 0..<1.
    public var dropOutRate = 0.0
    /// The share of a round's clients that only manage some of their epochs, a number drawn uniformly
    /// from 1 to all; algorithms that take no partial work lose them.
    public var stragglerFraction = 0.0
    /// Invited per client wanted, at least 1.
    public var overSelection = 1.0
    /// The least share of the cohort that must report, or the round is abandoned.
    public var quorum = 0.0

    public init() {}
  }

  public struct EvaluationChoice: Hashable, Sendable {
    /// Measure after every so many rounds, and after the last.
    public var every = 1
    /// How many clients are measured on their own held-back examples; 0 for none.
    public var clients = 0

    public init(every: Int = 1, clients: Int = 0) {
      self.every = every
      self.clients = clients
    }
  }
}
