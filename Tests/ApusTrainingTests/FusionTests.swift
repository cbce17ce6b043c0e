// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusModels
import ApusNumerics
import Testing

@testable import ApusTraining

/// Which steps become one.
///
/// That they compute the same is what the tests of derivatives and parity say.
@Suite struct FusionTests {
  /// What the steps of a training program are, without their parameters' names.
  private func steps(of model: some Model, input: InputSignature) throws -> [String] {
    let program = try Program(
      tracing: model, input: input, loss: .softmaxCrossEntropy, batchSize: 4)
    return program.trainingLabels.map { label in
      label.title.split(separator: ": ").last.map(String.init) ?? ""
    }
  }

  @Test("The CNN's biases, activations and pooling take no steps of their own")
  func network() throws {
    let steps = try steps(of: McMahanCNN(classes: 10), input: [28, 28, 1])
    #expect(steps.count { $0 == "convolution, bias and relu" } == 2)
    #expect(steps.count { $0 == "product, bias and relu" } == 1)
    #expect(steps.count { $0 == "product, bias" } == 1)
    #expect(steps.count { $0 == "maxPool" } == 2)
    #expect(steps.count { $0 == "maxPool and relu gradient" } == 2)
    #expect(!steps.contains { $0.hasPrefix("bias and") || $0 == "maxPoolGradient" })
    // The fully connected layer's relu: nothing is pooled behind it.
    #expect(steps.count { $0 == "unaryGradient" } == 1)
  }

  @Test("relu that is no product's is the pooling's")
  func pooling() throws {
    let model = Sequential {
      Convolution(4, kernel: 3, activation: .relu, usesBias: false)
      MaxPool(2)
      Flatten()
      Dense(3)
    }
    let steps = try steps(of: model, input: [6, 6, 4])
    #expect(steps.contains("relu and maxPool") && steps.contains("maxPool and relu gradient"))
    #expect(!steps.contains("unary") && !steps.contains("unaryGradient"))
  }

  @Test("Another activation is one pass with its bias, behind the product")
  func otherActivation() throws {
    let steps = try steps(
      of: Sequential {
        Dense(5, activation: .tanh)
        Dense(3)
      }, input: [4])
    #expect(steps.contains("bias and tanh") && steps.contains("product"))
  }
}
