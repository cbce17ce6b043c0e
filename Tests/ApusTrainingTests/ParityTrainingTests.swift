// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusModels
import ApusNumerics
import ApusTraining
import OwnThreads
import Testing

/// 100 steps of plain SGD from the same weights on the same batches as PyTorch.
@Suite(.ownThread) struct ParityTrainingTests {
  /// Uniform numbers in 0..<1 that the script makes too: MurmurHash3's finalizer of (index, stream).
  private func hashed(_ index: Int, _ stream: Int) -> Double {
    var h = UInt32(truncatingIfNeeded: index &+ stream &* 0x9E37_79B9)
    h = (h ^ h >> 16) &* 0x85EB_CA6B
    h = (h ^ h >> 13) &* 0xC2B2_AE35
    return Double(h ^ h >> 16) / 0x1p32
  }

  private func examples() -> ExampleTable {
    let labels = (0..<200).map { Int32($0 * 7 % 10) }
    let blocks = (0..<10 * 49).map { hashed($0, 3) < 0.3 }
    var pixels: [Float] = []
    pixels.reserveCapacity(200 * 784)
    for (row, label) in labels.enumerated() {
      for p in 0..<784 {
        let isLit = blocks[Int(label) * 49 + p / 28 / 4 * 7 + p % 28 / 4]
        pixels.append(isLit ? Float(0.5 + 0.5 * hashed(row * 784 + p, 1)) : 0)
      }
    }
    return ExampleTable(
      count: 200, inputShape: [28, 28, 1], inputs: .numbers(pixels),
      targets: .classes(labels, classCount: 10))
  }

  /// Uniform with variance 1 / fan in.
  private func start(_ layout: ParameterLayout) -> ParameterVector {
    var x = ParameterVector(count: layout.count)
    var fanIn = 1
    x.withUnsafeMutableBufferPointer { x in
      for (ordinal, entry) in layout.entries.enumerated() {
        // A bias follows its weights, and has their fan in.
        if entry.shape.rank > 1 { fanIn = entry.shape.count / entry.shape[-1] }
        let scale = 2 * (3 / Double(fanIn)).squareRoot()
        for i in 0..<entry.shape.count {
          x[entry.offset + i] = Float((hashed(i, 10 + ordinal) - 0.5) * scale)
        }
      }
    }
    return x
  }

  /// Trains with `step`, then compares losses, weights and how far they moved.
  private func compare(
    _ name: String, _ program: Program,
    step: (inout ParameterVector, Batch, Float) -> Double
  ) throws {
    let goldens = try Goldens("training")
    let table = examples()
    let before = start(program.layout)
    var x = before
    var losses: [Float] = []
    for index in 0..<100 {
      let rows = (index * 10..<index * 10 + 10).map { Int32($0 % 200) }
      let batch = Batch(table, indices: rows[...], random: RandomStream(seed: 1))
      losses.append(Float(step(&x, batch, 0.05)))
    }
    #expect(relativeError(losses, try goldens.numbers("\(name)/losses")) < 1e-5)
    #expect(Set(program.layout.entries.map(\.name)) == Set(goldens.names(after: "\(name)/sample/")))
    for entry in program.layout.entries {
      let expected = try goldens.numbers("\(name)/sample/\(entry.name)")
      let places = stride(
        from: entry.offset, to: entry.range.upperBound, by: max(1, entry.shape.count / 2000))
      #expect(relativeError(places.map { x[$0] }, expected) < 1e-4, "\(entry.name)")
      let moves = places.map { x[$0] - before[$0] }
      let expectedMoves = zip(places, expected).map { $1 - before[$0] }
      #expect(relativeError(moves, expectedMoves) < 1e-3, "the change of \(entry.name)")
      let norms = try goldens.numbers("\(name)/norms/\(entry.name)")
      let (length, way) = entry.range.reduce(into: (0.0, 0.0)) { sums, i in
        sums.0 += Double(x[i]) * Double(x[i])
        sums.1 += Double(x[i] - before[i]) * Double(x[i] - before[i])
      }
      #expect(abs(length.squareRoot() / Double(norms[0]) - 1) < 1e-4, "\(entry.name)")
      #expect(abs(way.squareRoot() / Double(norms[1]) - 1) < 1e-3, "the change of \(entry.name)")
    }
  }

  @Test("The 2NN has PyTorch's weights after 100 fused steps")
  func twoNN() throws {
    let program = try Program(
      tracing: McMahan2NN(classes: 10), input: [28, 28, 1], loss: .softmaxCrossEntropy,
      batchSize: 10)
    try compare("2nn", program) { program.descend(&$0, on: $1, rate: $2) }
  }

  @Test("The 2NN has them too with gradients stored, from batches in parts")
  func twoNNGradients() throws {
    let program = try Program(
      tracing: McMahan2NN(classes: 10), input: [28, 28, 1], loss: .softmaxCrossEntropy, batchSize: 4
    )
    var g = ParameterVector(count: program.layout.count)
    try compare("2nn", program) { x, batch, rate in
      let loss = program.gradient(at: x, on: batch, into: &g)
      x.update(with: g) { x, g in x - rate * g }
      return loss
    }
  }

  @Test("The CNN has PyTorch's weights after 100 fused steps")
  func cnn() throws {
    let program = try Program(
      tracing: McMahanCNN(classes: 10), input: [28, 28, 1], loss: .softmaxCrossEntropy,
      batchSize: 10)
    try compare("cnn", program) { program.descend(&$0, on: $1, rate: $2) }
  }
}
