// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusNumerics
internal import ApusRounds
internal import ApusTraining
internal import ApusWire

/// A task's specification, looked at: every number is in its range, and the plan is one that can be trained.
struct TaskPlan: Sendable {
  let spec: Proto.TaskSpec
  let training: TrainingPlan
  /// The encoded Plan, as devices get it.
  let planBytes: [UInt8]
  let layout: ParameterLayout
  let cohort: Proto.Cohort
  let rule: any LinearAggregationRule<ParameterVector>

  /// What a task may ask for.
  enum Limit {
    static let planBytes = 8 << 20
    static let parameters = 1 << 31
    static let rounds: UInt64 = 1_000_000
    static let cohort: UInt64 = 1_000_000
    static let overSelection = 100.0
    static let recipeBytes = 1 << 20
    static let nameBytes = 100
    static let labels = 16
    static let reportMs: ClosedRange<UInt64> = 100...(7 * 86_400_000)
  }

  /// - Throws: `invalid-value`, naming the field.
  init(_ spec: Proto.TaskSpec) throws(AggregatorError) {
    self.spec = spec
    try Self.check(
      Self.isName(spec.name), "name", "at most 100 letters, digits and - _ . between them")
    guard let plan = spec.plan else {
      throw AggregatorError(.invalidValue, "The task has no plan.")
    }
    let bytes = plan.encoded()
    try Self.check(bytes.count <= Limit.planBytes, "plan", "at most \(Limit.planBytes) bytes")
    planBytes = bytes
    do {
      training = try TrainingPlan(plan)
    } catch {
      throw AggregatorError(.invalidValue, "The task's plan: \(error.message)", cause: error)
    }
    layout = training.graph.layout
    try Self.check(
      layout.count >= 1 && layout.count <= Limit.parameters, "plan",
      "a model of 1 to \(Limit.parameters) parameters")
    switch spec.aggregation {
    case .weightedMean: rule = WeightedMean<ParameterVector>()
    case .uniformMean: rule = UniformMean<ParameterVector>()
    default: throw AggregatorError(.invalidValue, "The task's aggregation is an unknown rule.")
    }
    cohort = try Self.cohort(of: spec)
    try Self.check(
      spec.rounds >= 1 && spec.rounds <= Limit.rounds, "rounds", "in 1...\(Limit.rounds)")
    try Self.check(
      spec.recipe.utf8.count <= Limit.recipeBytes, "recipe", "at most \(Limit.recipeBytes) bytes")
    try Self.check(spec.labels.count <= Limit.labels, "labels", "at most \(Limit.labels)")
    try Self.check(
      spec.normBound >= 0 && spec.normBound.isFinite, "norm_bound", "a number from 0 upwards")
    let stop = spec.stop ?? Proto.StopRule()
    try Self.check(stop.accuracy >= 0 && stop.accuracy <= 1, "stop.accuracy", "in 0...1")
    do {
      _ = try bounds(goal: 1).validated()
    } catch {
      throw AggregatorError(.invalidValue, "The task's bounds: \(error.message)", cause: error)
    }
  }

  private static func cohort(of spec: Proto.TaskSpec) throws(AggregatorError) -> Proto.Cohort {
    var cohort = spec.cohort ?? Proto.Cohort()
    if cohort.overSelection == 0 { cohort.overSelection = 1.3 }
    if cohort.reportMs == 0 { cohort.reportMs = 600_000 }
    if cohort.abandonmentLimit == 0 { cohort.abandonmentLimit = 10 }
    try check(cohort.share >= 0 && cohort.share <= 1, "cohort.share", "in 0...1")
    try check(
      cohort.share > 0 || (cohort.size >= 1 && cohort.size <= Limit.cohort), "cohort.size",
      "in 1...\(Limit.cohort)")
    try check(
      cohort.overSelection >= 1 && cohort.overSelection <= Limit.overSelection,
      "cohort.over_selection", "in 1...\(Limit.overSelection)")
    try check(cohort.quorum >= 0 && cohort.quorum <= 1, "cohort.quorum", "in 0...1")
    try check(cohort.minimum <= Limit.cohort, "cohort.minimum", "at most \(Limit.cohort)")
    try check(
      Limit.reportMs.contains(cohort.reportMs), "cohort.report_ms", "in \(Limit.reportMs)")
    try check(
      cohort.late == .discard || cohort.late == .extend, "cohort.late", "a known policy")
    return cohort
  }

  private static func check(
    _ isValid: Bool, _ key: String, _ expected: String
  ) throws(AggregatorError) {
    if isValid { return }
    throw AggregatorError(.invalidValue, "The task's \(key) is out of range; expected \(expected).")
  }

  /// Whether a text can name a task.
  static func isName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    func isPlain(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
    guard let first = bytes.first, let last = bytes.last, bytes.count <= Limit.nameBytes else {
      return false
    }
    return isPlain(first) && isPlain(last)
      && bytes.allSatisfy { isPlain($0) || $0 == 45 || $0 == 95 || $0 == 46 }
  }

  /// What updates of a round keep to.
  func bounds(goal: Int) -> ExactSum.Bounds {
    ExactSum.Bounds(
      coordinate: spec.coordinateBound, weight: Int(clamping: spec.weightBound),
      contributions: goal)
  }

  /// How many updates a round wants where so many devices fit.
  func goal(fitting: Int) -> Int {
    cohort.share > 0
      ? max(Int((cohort.share * Double(fitting)).rounded()), 1) : Int(clamping: cohort.size)
  }

  /// - Throws: never in practice: the numbers were looked at.
  func policy(fitting: Int) throws(RoundError) -> RoundPolicy {
    let goal = goal(fitting: fitting)
    var policy = try RoundPolicy(
      goal: goal, overSelection: cohort.overSelection, quorum: cohort.quorum)
    policy.quorum = max(policy.quorum, min(Int(clamping: cohort.minimum), goal))
    return policy
  }

  /// Of one update.
  var updateCheck: UpdateCheck {
    UpdateCheck(
      layoutDigest: layout.digest, parameterCount: layout.count, format: training.updateFormat,
      coordinateBound: spec.coordinateBound, normBound: spec.normBound,
      weightBound: spec.weightBound)
  }

  func demand(task id: String) -> Eligibility.Demand {
    Eligibility.Demand(
      task: id, name: spec.name, labels: spec.labels,
      inputShape: spec.plan?.data?.input?.shape?.extents ?? [],
      // The model, its gradient or change, and the model that the round began with.
      memory: 12 * UInt64(layout.count), participationLimit: cohort.participationLimit,
      restRounds: cohort.restRounds)
  }

  /// Where the model's tensors are in its blob.
  var tensors: [Proto.Tensor] {
    layout.entries.map { entry in
      Proto.Tensor {
        $0.name = entry.name
        $0.type = .float32
        $0.shape = entry.shape.dimensions.map { UInt64($0) }
        $0.offset = UInt64(entry.offset * 4)
        $0.length = UInt64(entry.shape.count * 4)
      }
    }
  }

  /// Whether the model is measured after so many rounds.
  func isMeasured(afterRounds published: UInt64) -> Bool {
    guard let evaluation = spec.evaluation, evaluation.every > 0, !evaluation.examples.isEmpty
    else { return false }
    return published % evaluation.every == 0 || published == spec.rounds
  }
}
