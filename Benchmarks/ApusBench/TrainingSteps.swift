// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCatalog
internal import ApusData
internal import ApusModels
internal import ApusNumerics
internal import ApusTraining
internal import Foundation

/// `Program.descend`, batch after batch of one client's 600 MNIST images, on one thread.
///
/// Gathering the batch from bytes is in the time; drawing the order of the examples is not.
struct TrainingSteps {
  /// The models of McMahan et al.
  enum ModelName: String {
    case nn2 = "2nn"
    case cnn

    /// Floating-point operations of a step for each example, zeros of paddings not counted, and without
    /// the gradient of the images, which nobody needs.
    var operationsPerExample: Double {
      switch self {
      case .nn2: 2 * (3 * (784 * 200 + 200 * 200 + 200 * 10) - 784 * 200)
      case .cnn:
        2
          * (3 * (Self.taps(28) * 32 + Self.taps(14) * 32 * 64 + 3136 * 512 + 512 * 10)
            - Self.taps(28) * 32)
      }
    }

    /// Pairs of an output pixel and a pixel that it sees through a 5 × 5 filter, padding aside.
    private static func taps(_ size: Double) -> Double { (5 * size - 6) * (5 * size - 6) }
  }

  let model: ModelName
  let batchSize: Int

  func measure(_ work: String, timer: Timer) throws -> Figure {
    let examples = try Self.firstClient.get()
    let input: InputSignature = [28, 28, 1]
    let program =
      switch model {
      case .nn2:
        try Program(
          tracing: McMahan2NN(classes: 10), input: input, loss: .softmaxCrossEntropy,
          batchSize: batchSize)
      case .cnn:
        try Program(
          tracing: McMahanCNN(classes: 10), input: input, loss: .softmaxCrossEntropy,
          batchSize: batchSize)
      }
    let batches = Array(
      examples.batches(of: batchSize, epochs: 1, shuffledBy: RandomStream(seed: 1)))
    var x = program.initialParameters(seed: 1)
    var step = 0
    var loss = 0.0
    let samples = timer.samples(warmUps: 5) {
      loss = program.descend(&x, on: batches[step % batches.count], rate: 0.01)
      step += 1
    }
    guard loss.isFinite else { throw BenchmarkError("\(work): the loss is not finite.") }
    let operations = model.operationsPerExample * Double(batchSize)
    return Figure(
      work, unit: "s", samples: samples,
      also: ["gflops": operations / samples.median * 1e-9, "operations": operations])
  }

  /// The same division as in `recipes/`: 100 clients of 600 images.
  private static let firstClient = Result { () throws(DataError) -> ClientDataset in
    let catalog = DataCatalog(environment: ProcessInfo.processInfo.environment)
    let data = try catalog.federated("mnist", split: .iid, clients: 100, seed: 1).dataset
    return data.client(0).train
  }
}
