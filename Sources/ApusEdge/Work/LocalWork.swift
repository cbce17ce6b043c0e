// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData
internal import ApusNumerics
internal import ApusTraining
internal import ApusWire

/// What a device was asked to do, after every look that can be taken without doing it.
struct LocalWork: Sendable {
  /// Why an assignment is not worked on, as a code for the federation and a sentence for people.
  struct Refusal: Error, Hashable {
    var code: String
    var message: String
  }

  /// Steps on larger batches run in parts of this size, as in the simulator.
  static let largestPart = 128

  let plan: TrainingPlan
  let round: Int
  let random: RandomStream
  let batchSize: Int

  /// Checks an assignment against the device's data and its limits, before anything of its size is allocated.
  ///
  /// - Parameters:
  ///   - plan: decoded, and in itself valid.
  ///   - assignment: the plan's.
  ///   - examples: the device's.
  ///   - policy: what the device's owner allows.
  /// - Throws: why it is not worked on.
  init(
    _ plan: TrainingPlan, for assignment: Proto.Assignment, examples: ExampleTable,
    policy: EdgePolicy
  ) throws(Refusal) {
    self.plan = plan
    guard assignment.round <= UInt64(Int32.max) else {
      throw Refusal(code: "plan-refused", message: "There is no round \(assignment.round).")
    }
    round = Int(assignment.round)
    random = RandomStream(key: assignment.randomKey, nonce: assignment.randomNonce)
    let layout = plan.graph.layout
    guard layout.digest == assignment.layoutDigest else {
      throw Refusal(
        code: "plan-refused", message: "The plan's parameters are not those of the assignment.")
    }
    guard assignment.model?.size == UInt64(layout.count) * 4 else {
      throw Refusal(
        code: "plan-refused", message: "The model has not as many numbers as the plan's parameters."
      )
    }
    guard plan.dataSchema.matches(examples) else {
      throw Refusal(
        code: "data-mismatch",
        message: "The plan is for examples of \(plan.dataSchema), which these are not.")
    }
    let weightBound = Int(clamping: assignment.bounds?.weight ?? 0)
    guard examples.count <= weightBound else {
      throw Refusal(
        code: "data-mismatch",
        message: "The task takes at most \(weightBound) examples, the device has \(examples.count)."
      )
    }
    batchSize = min(plan.algorithm.batchSize ?? weightBound, weightBound, Self.largestPart)
    try requireAllowed(policy.allowedOperations)
    try requireMemory(policy.memoryLimit)
  }

  private func requireAllowed(_ allowed: Set<String>?) throws(Refusal) {
    guard let allowed else { return }
    for node in plan.graph.nodes {
      guard let kind = node.operation.kind, !allowed.contains(kind) else { continue }
      throw Refusal(
        code: "plan-refused", message: "The plan uses \(kind), which this device does not allow.")
    }
  }

  private func requireMemory(_ limit: Int?) throws(Refusal) {
    do {
      let bytes = try byteCount()
      guard let limit, bytes > limit else { return }
      throw Refusal(
        code: "out-of-memory",
        message: "Training would take \(bytes) bytes, more than the \(limit) that are allowed.")
    } catch let error as TrainingError {
      let code = error.code == .outOfMemory ? "out-of-memory" : "plan-refused"
      throw Refusal(code: code, message: error.message)
    } catch let refusal as Refusal {
      throw refusal
    } catch {
      throw Refusal(code: "plan-refused", message: "\(error)")
    }
  }

  /// Bytes that training takes at most: values, the model, the weights, a gradient, the optimizer's state, and
  /// the bytes of the model and the update.
  private func byteCount() throws -> Int {
    let values = try Program.valueByteCount(plan.graph, loss: plan.loss, batchSize: batchSize)
    let vectors = (6 + plan.algorithm.optimizerVectorCount) * plan.graph.layout.count
    return values + 4 * (vectors + plan.graph.frozenLayout.count)
  }
}

extension AlgorithmChoice {
  /// Vectors as long as the model that the local optimizer keeps.
  fileprivate var optimizerVectorCount: Int {
    let optimizer: OptimizerChoice? =
      switch self {
      case .fedAvg(let algorithm): algorithm.optimizer
      case .fedProx(let algorithm): algorithm.optimizer
      case .fedSGD: nil
      }
    return switch optimizer {
    case .adam?, .adamW?: 2
    case .sgd?: 1
    case nil: 0
    }
  }
}

extension Operation {
  /// What `plan.proto` calls the operation; nil for the input, parameters and constants, which compute nothing.
  var kind: String? {
    switch self {
    case .input, .parameter, .constant: nil
    case .unary: "unary"
    case .binary: "binary"
    case .product: "product"
    case .softmax: "softmax"
    case .logSoftmax: "log_softmax"
    case .reduction: "reduction"
    case .reshape: "reshape"
    case .transpose: "transpose"
    case .slice: "slice"
    case .concatenation: "concatenation"
    case .padding: "padding"
    case .gather: "gather"
    case .convolution: "convolution"
    case .maxPool: "max_pool"
    case .averagePool: "average_pool"
    case .layerNormalization: "layer_normalization"
    case .groupNormalization: "group_normalization"
    case .dropout: "dropout"
    }
  }

  /// Every kind that a plan may name.
  static let kinds = [
    "unary", "binary", "product", "softmax", "log_softmax", "reduction", "reshape", "transpose",
    "slice", "concatenation", "padding", "gather", "convolution", "max_pool", "average_pool",
    "layer_normalization", "group_normalization", "dropout",
  ]
}
