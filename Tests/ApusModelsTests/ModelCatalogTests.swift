// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusModels
import ApusNumerics
import ApusTraining
import Testing

@Suite struct ModelCatalogTests {
  @Test(
    "Models have as many parameters as their papers say",
    arguments: [("logistic", 7_850), ("mcmahan-2nn", 199_210), ("mcmahan-cnn", 1_663_370)])
  func parameterCount(name: String, count: Int) throws {
    let model = try #require(ModelCatalog.model(named: name, classes: 10))
    let graph = try Graph(tracing: model, input: [28, 28, 1])
    #expect(graph.layout.count == count)
    #expect(graph.outputShape == [10])
  }

  @Test("Every listed name is a model, others are none")
  func names() {
    #expect(ModelCatalog.names.allSatisfy { ModelCatalog.model(named: $0, classes: 3) != nil })
    #expect(ModelCatalog.model(named: "no-such-model", classes: 3) == nil)
  }

  @Test("Parameters are called as the layers are")
  func parameterNames() throws {
    let graph = try Graph(tracing: McMahanCNN(classes: 10), input: [28, 28, 1])
    let layers = ["conv1", "conv2", "hidden", "logits"]
    #expect(graph.layout.entries.map(\.name) == layers.flatMap { ["\($0).weight", "\($0).bias"] })
    #expect(graph.layout["conv2.weight"]?.shape == [5, 5, 32, 64])
    #expect(graph.layout["hidden.weight"]?.shape == [3136, 512])
  }
}
