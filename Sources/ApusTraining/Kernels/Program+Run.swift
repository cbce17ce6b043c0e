// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusData
public import ApusNumerics
internal import CApus

extension Program {
  static func base(_ x: UnsafeBufferPointer<Float>) -> UnsafeMutablePointer<Float> {
    // Written through only where the same memory was given to write to.
    x.baseAddress.map { UnsafeMutablePointer(mutating: $0) } ?? placeholder
  }

  static func base(_ x: UnsafeMutableBufferPointer<Float>) -> UnsafeMutablePointer<Float> {
    x.baseAddress ?? placeholder
  }

  /// Stands for no numbers; never read.
  private static var placeholder: UnsafeMutablePointer<Float> {
    UnsafeMutablePointer(bitPattern: MemoryLayout<Float>.alignment).unsafelyUnwrapped
  }

  /// Runs the training steps over a batch, in as many parts as it takes.
  ///
  /// - Returns: the mean loss.
  func runTraining(
    on batch: Batch, _ parameters: UnsafeMutablePointer<Float>,
    sinks: UnsafeMutablePointer<Float>, scale: Float, beta: Float
  ) -> Double {
    requireFit(batch.table)
    let answers = answerCount(batch.table, batch.indices)
    let divisor = Double(answers) * Double(loss.termCount(targetCount))
    return withFrame(parameters, sinks: sinks) { frame in
      frame.beta = beta
      frame.lossScale = divisor == 0 ? 0 : scale / Float(divisor)
      frame.random = batch.random
      run(training, over: batch.table, batch.indices, &frame) { _ in }
      return divisor == 0 ? 0 : frame.lossSum / divisor
    }
  }

  /// Measures the model: no dropout, no gradient.
  ///
  /// - Parameters:
  ///   - x: the parameters, in the order of ``layout``.
  ///   - examples: any number.
  /// - Returns: sums over the examples.
  public func evaluate(at x: ParameterVector, on examples: ClientDataset) -> Evaluation {
    measure(at: x, on: examples) { _ in }
  }

  /// The model's output for each example, one after the other, as in ``evaluate(at:on:)``.
  ///
  /// - Allocates: the result.
  public func outputs(at x: ParameterVector, on examples: ClientDataset) -> [Float] {
    var outputs: [Float] = []
    outputs.reserveCapacity(examples.count * graph.outputShape.count)
    _ = measure(at: x, on: examples) { outputs.append(contentsOf: $0) }
    return outputs
  }

  private func measure(
    at x: ParameterVector, on examples: ClientDataset,
    _ look: (UnsafeBufferPointer<Float>) -> Void
  ) -> Evaluation {
    requireFit(examples.table)
    precondition(
      x.count == layout.count, "The model has \(layout.count) numbers, the vector \(x.count).")
    let outputCount = graph.outputShape.count
    return x.withUnsafeBufferPointer { x in
      let base = Self.base(x)
      return withFrame(base, sinks: base) { frame in
        run(inference, over: examples.table, examples.indices, &frame) { frame in
          look(
            UnsafeBufferPointer(
              start: frame.pointer(inference.output), count: frame.rowCount * outputCount))
        }
        return Evaluation(
          exampleCount: answerCount(examples.table, examples.indices),
          lossSum: frame.lossSum / Double(loss.termCount(targetCount)),
          correctCount: frame.correctCount)
      }
    }
  }

  /// A step of descent with a very small rate, timed call by call.
  ///
  /// - Parameters:
  ///   - batch: no larger than the program's.
  ///   - x: moved.
  ///   - clock: what to time with.
  ///   - times: the gathering of the batch, then every instruction.
  ///   - isCounting: whether the times are added to `times`.
  func timeStep(
    on batch: Batch, _ x: UnsafeMutableBufferPointer<Float>, _ clock: ContinuousClock,
    _ times: inout [Duration], counting isCounting: Bool
  ) {
    requireFit(batch.table)
    let base = Self.base(x)
    withFrame(base, sinks: base) { frame in
      frame.beta = 1
      frame.lossScale = -1e-6 / Float(max(batch.count, 1))
      frame.random = batch.random
      frame.rowCount = batch.count
      training.storeConstants(in: arena)
      var last = clock.now
      func take(_ place: Int) {
        let now = clock.now
        if isCounting { times[place] += now - last }
        last = now
      }
      batch.table.gather(
        batch.indices, inputs: frame.pointer(training.input),
        targets: frame.pointer(training.target))
      makeTargetsNumbers(batch.table, frame.indices(training.target), count: batch.count)
      take(0)
      for (place, instruction) in training.instructions.enumerated() {
        instruction(&frame)
        take(place + 1)
      }
    }
  }

  private func withFrame<Result>(
    _ parameters: UnsafeMutablePointer<Float>, sinks: UnsafeMutablePointer<Float>,
    _ body: (inout Frame) -> Result
  ) -> Result {
    frozenParameters.withUnsafeBufferPointer { frozen in
      var frame = Frame(
        arena: arena.base, parameters: parameters, frozen: Self.base(frozen), sinks: sinks)
      return body(&frame)
    }
  }

  private func run(
    _ list: InstructionList, over table: ExampleTable, _ indices: ArraySlice<Int32>,
    _ frame: inout Frame, _ look: (borrowing Frame) -> Void
  ) {
    list.storeConstants(in: arena)
    var first = indices.startIndex
    while first < indices.endIndex {
      let end = min(first + batchSize, indices.endIndex)
      frame.firstRow = first - indices.startIndex
      frame.rowCount = end - first
      table.gather(
        indices[first..<end], inputs: frame.pointer(list.input),
        targets: frame.pointer(list.target))
      makeTargetsNumbers(table, frame.indices(list.target), count: end - first)
      for instruction in list.instructions { instruction(&frame) }
      look(frame)
      // What follows is added to this part's gradient.
      if frame.beta == 0 { frame.beta = 1 }
      first = end
    }
  }

  /// Two classes are the numbers 0 and 1 for a loss that compares numbers.
  private func makeTargetsNumbers(
    _ table: ExampleTable, _ targets: UnsafeMutablePointer<Int32>, count: Int
  ) {
    guard loss != .softmaxCrossEntropy, case .classes = table.targets else { return }
    for row in 0..<count {
      targets[row] = Int32(bitPattern: Float(targets[row]).bitPattern)
    }
  }

  /// How many answers the loss is a mean over: examples, or places in sequences that count.
  private func answerCount(_ table: ExampleTable, _ indices: ArraySlice<Int32>) -> Int {
    guard case .sequences(let classes, let length, _) = table.targets else { return indices.count }
    return classes.withUnsafeBufferPointer { classes in
      indices.reduce(0) { count, index in
        let start = Int(index) * length
        precondition(
          index >= 0 && start + length <= classes.count, "There is no example \(index).")
        return count + apus_count_labels(length, classes.baseAddress.map { $0 + start })
      }
    }
  }

  /// What would write outside of the workspace is stopped here; see ``checkFits(_:)`` for the rest.
  private func requireFit(_ table: ExampleTable) {
    precondition(
      table.inputShape.count == graph.input.shape.count && table.targetStride == targetCount,
      "The examples do not fit the model; checkFits(_:) says why.")
  }
}
