// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusData
public import ApusNumerics

/// Where the time of a training step goes.
public struct ProgramProfile: Sendable, Encodable {
  /// A kernel call, or the gathering of a batch.
  public struct Row: Sendable, Encodable {
    public var title: String
    /// Seconds a step, the mean over the steps.
    public var seconds: Double
    /// Multiplications and additions a second, in 10⁹, counted with padding; nil where there are none to
    /// speak of.
    public var gigaflops: Double?
  }

  /// In the order in which they run.
  public var rows: [Row]
  public var stepCount: Int
  public var batchSize: Int

  /// Seconds a step, all rows together.
  public var seconds: Double { rows.reduce(0) { $0 + $1.seconds } }
}

extension Program {
  /// Takes plain steps of descent and times every kernel call.
  ///
  /// - Parameters:
  ///   - x: where to begin; the steps are taken on a copy.
  ///   - examples: what to train on, at least one.
  ///   - batchSize: examples a step, at most ``batchSize`` of the program.
  ///   - duration: seconds to go on for, at least; there is always one pass over the examples.
  /// - Returns: means over all steps but those of the first pass, which warms the caches.
  public func profile(
    at x: ParameterVector, on examples: ClientDataset, batchSize: Int, for duration: Double = 0.5
  ) -> ProgramProfile {
    precondition(
      batchSize <= self.batchSize, "A profile is of steps that the program has room for.")
    var x = x
    let clock = ContinuousClock()
    var times = [Duration](repeating: .zero, count: training.instructions.count + 1)
    var (stepCount, exampleCount) = (0, 0)
    let start = clock.now
    var epoch = 0
    while epoch < 2 || (clock.now - start) / .seconds(1) < duration {
      for batch in examples.batches(
        of: batchSize, epochs: 1, shuffledBy: RandomStream(seed: 0).split(epoch))
      {
        x.withUnsafeMutableBufferPointer { x in
          timeStep(on: batch, x, clock, &times, counting: epoch > 0)
        }
        if epoch > 0 {
          stepCount += 1
          exampleCount += batch.count
        }
      }
      epoch += 1
    }
    let perStep = Double(max(stepCount, 1))
    let labels =
      [StepLabel(title: "batch gathered", operationsPerExample: 0)] + trainingLabels
    return ProgramProfile(
      rows: zip(labels, times).map { label, time in
        let seconds = time / .seconds(1)
        let operations = label.operationsPerExample * Double(exampleCount)
        return .init(
          title: label.title, seconds: seconds / perStep,
          gigaflops: operations > 0 && seconds > 0 ? operations / seconds * 1e-9 : nil)
      }, stepCount: stepCount, batchSize: batchSize)
  }
}
