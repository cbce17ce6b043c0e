// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusModels
import ApusNumerics
import ApusTraining
import CAllocationCounter
import Testing

@Suite(.enabled(if: allocation_counter_works() == 1, "The C library's malloc cannot be counted."))
struct AllocationTests {
  /// Bytes from which on allocations are counted. Unoptimized Swift puts the state of loops over generic
  /// collections on the heap, some 50 bytes each; optimized, there is nothing at all.
  #if DEBUG
    static let smallest = 256
  #else
    static let smallest = 0
  #endif

  @Test("What allocates is counted")
  func control() {
    allocation_counter_begin(Self.smallest)
    let vector = ParameterVector(count: 100)
    let count = allocation_count()
    #expect(vector.count == 100)
    #expect(count >= 1)
  }

  @Test("A step allocates nothing", arguments: ["logistic", "mcmahan-2nn", "mcmahan-cnn"])
  func steps(name: String) throws {
    let model = try #require(ModelCatalog.model(named: name, classes: 10))
    let graph = try Graph(tracing: model, input: [28, 28, 1])
    let program = try Program(graph, loss: .softmaxCrossEntropy, batchSize: 4)
    var stream = RandomStream(seed: 1)
    let table = ExampleTable(
      count: 6, inputShape: [28, 28, 1],
      inputs: .numbers((0..<6 * 784).map { _ in stream.uniform(in: 0..<1) }),
      targets: .classes((0..<6).map { _ in Int32(stream.below(10)) }, classCount: 10))
    let examples = ClientDataset(all: table)
    var x = program.initialParameters(seed: 1)
    var g = ParameterVector(count: x.count)
    let batches = Array(examples.batches(of: 4, epochs: 3, shuffledBy: stream))
    let whole = Batch(table, indices: examples.indices, random: stream)
    func allStepsOnce() {
      for batch in batches {
        _ = program.gradient(at: x, on: batch, into: &g)
        _ = program.descend(&x, on: batch, rate: 0.01)
      }
      // Larger than the workspace.
      _ = program.gradient(at: x, on: whole, into: &g)
      _ = program.descend(&x, on: whole, rate: 0.01)
      _ = program.evaluate(at: x, on: examples)
    }
    // The first time, OpenBLAS takes its buffers and descend a spare gradient.
    allStepsOnce()
    allocation_counter_begin(Self.smallest)
    allStepsOnce()
    let count = allocation_count()
    #expect(count == 0)
  }
}
