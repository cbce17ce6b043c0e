// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusData
internal import ApusNumerics

extension Program {
  /// Checks that examples go with the model and its loss.
  ///
  /// - Parameter table: the examples.
  /// - Throws: `dataMismatch`, with what the model takes and what it was given.
  /// - Complexity: O(tokens), where the inputs are tokens.
  public func checkFits(_ table: ExampleTable) throws(TrainingError) {
    guard table.inputShape == graph.input.shape else {
      throw mismatch("The model takes inputs of \(graph.input.shape), not of \(table.inputShape).")
    }
    let kind: InputSignature.Kind = if case .tokens = table.inputs { .tokens } else { .numbers }
    guard kind == graph.input.kind else {
      throw mismatch("The model takes \(graph.input.kind.rawValue), not \(kind.rawValue).")
    }
    if case .tokens(let tokens) = table.inputs { try checkVocabulary(tokens) }
    try checkTargets(table.targets)
  }

  private func mismatch(_ message: String) -> TrainingError {
    TrainingError(.dataMismatch, message)
  }

  private func checkVocabulary(_ tokens: [Int32]) throws(TrainingError) {
    let tables = graph.nodes.compactMap { node in
      node.operation == .gather ? graph.nodes[node.inputs[0]].shape[0] : nil
    }
    guard let vocabulary = tables.min() else { return }
    for token in tokens where token < 0 || Int(token) >= vocabulary {
      throw mismatch("The model's vocabulary has \(vocabulary) tokens: there is no token \(token).")
    }
  }

  private func checkTargets(_ targets: ExampleTable.Targets) throws(TrainingError) {
    let output = graph.outputShape
    switch (loss, targets) {
    case (.softmaxCrossEntropy, .classes(_, let classCount)):
      guard targetCount == 1, classCount <= output[-1] else {
        throw mismatch("The examples have \(classCount) classes, the model's output is \(output).")
      }
    case (.softmaxCrossEntropy, .sequences(_, let length, let classCount)):
      guard targetCount == length, classCount <= output[-1] else {
        throw mismatch(
          "The examples have \(length) places of \(classCount) classes, the model's output is"
            + " \(output).")
      }
    case (.sigmoidCrossEntropy, .classes(_, let classCount)):
      guard targetCount == 1, classCount == 2 else {
        throw mismatch(
          "One score tells two classes apart: the examples have \(classCount), the output is"
            + " \(output).")
      }
    case (.sigmoidCrossEntropy, .values(_, let shape)), (.meanSquaredError, .values(_, let shape)):
      guard shape.count == output.count else {
        throw mismatch("The examples' targets are \(shape), the model's output is \(output).")
      }
    case (.softmaxCrossEntropy, .values), (.sigmoidCrossEntropy, .sequences),
      (.meanSquaredError, .classes), (.meanSquaredError, .sequences):
      throw mismatch("The targets are not what the loss \(loss.rawValue) compares.")
    }
  }

  /// Bounds what a graph may ask for before anything is allocated.
  static func requireSize(of graph: Graph, batchSize: Int) throws(TrainingError) {
    // Values of 4 bytes; more than an address space of 2⁴⁶ bytes is refused.
    var total = 0
    for node in graph.nodes {
      let (count, overflowed) = node.shape.count.multipliedReportingOverflow(
        by: node.isBatched ? batchSize : 1)
      guard !overflowed, count < 1 << 44, total < 1 << 44 else {
        throw TrainingError(
          .outOfMemory, "A batch of \(batchSize) examples does not fit in memory.")
      }
      total += count
    }
  }
}

extension Loss {
  /// What the target of one example looks like.
  func targetSignature(for output: Shape) throws(TrainingError) -> Signature {
    guard self == .softmaxCrossEntropy else {
      return Signature(shape: [output.count], isBatched: true)
    }
    guard output.rank >= 1 else {
      throw TrainingError(
        .unsupportedModel, "The softmax cross-entropy needs scores, the output is one number.")
    }
    return Signature(shape: [output.count / output[-1]], isBatched: true, isTokens: true)
  }

  /// How many terms of the loss one answer has.
  func termCount(_ targetCount: Int) -> Int { self == .softmaxCrossEntropy ? 1 : targetCount }
}

extension Graph {
  /// Draws each parameter from a stream of its own.
  func initialParameters(seed: UInt64, frozen: Bool) -> ParameterVector {
    let stream = RandomStream(seed: seed)
    let layout = frozen ? frozenLayout : layout
    var vector = ParameterVector(count: layout.count)
    vector.withUnsafeMutableBufferPointer { numbers in
      var offset = 0
      for (ordinal, parameter) in parameters.enumerated() where parameter.isFrozen == frozen {
        let end = offset + parameter.shape.count
        parameter.initializer.fill(
          UnsafeMutableBufferPointer(rebasing: numbers[offset..<end]), from: stream.split(ordinal))
        offset = end
      }
    }
    return vector
  }
}
