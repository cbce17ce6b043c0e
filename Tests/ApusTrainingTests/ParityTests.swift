// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import ApusTraining
import OwnThreads
import Testing

@Suite(.ownThread) struct ParityTests {
  static let cases =
    ParityCase.arithmetic + ParityCase.activations + ParityCase.products + ParityCase.reductions
    + ParityCase.shapings + ParityCase.images + ParityCase.norms + ParityCase.layers

  @Test("Outputs and gradients are PyTorch's", arguments: cases)
  func parity(_ parity: ParityCase) throws {
    let run = try ParityRun(parity, goldens: Goldens("operations"), capacity: 3)
    #expect(try run.outputError() < 2e-6)
    #expect(try run.inputGradientError() < 3e-6)
    #expect(try run.parameterGradientError() < 3e-6)
  }

  @Test("Gradients of a batch that is divided are PyTorch's too", arguments: cases)
  func dividedBatch(_ parity: ParityCase) throws {
    let run = try ParityRun(parity, goldens: Goldens("operations"), capacity: 2)
    #expect(try run.parameterGradientError() < 3e-6)
  }

  @Test("Every golden has its case")
  func completeness() throws {
    let suffix = "/output"
    let goldens = try Goldens("operations").names(after: "").filter { $0.hasSuffix(suffix) }
      .map { String($0.dropLast(suffix.count)) }
    #expect(Set(goldens) == Set(Self.cases.map(\.name)))
  }
}
