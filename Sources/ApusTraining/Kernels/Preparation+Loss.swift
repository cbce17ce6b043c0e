// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

extension Preparation {
  mutating func lossInstruction(
    _ loss: Loss, _ step: Step, differentiating: Bool
  ) -> Instruction {
    let output = signature(step.inputs[0])
    let (scores, targets) = (place(step.inputs[0]), place(step.inputs[1]))
    let gradient = differentiating ? place(step.outputs[0]) : nil
    let extent = Extent(output)
    switch loss {
    case .softmaxCrossEntropy:
      let classes = output.columns
      return { frame in
        var correct = 0
        frame.lossSum += apus_softmax_cross_entropy(
          frame.count(extent) / classes, classes, frame.pointer(scores), frame.indices(targets),
          frame.lossScale, gradient.map(frame.pointer), &correct, nil)
        frame.correctCount += correct
      }
    case .sigmoidCrossEntropy:
      let width = output.count
      return { frame in
        var correct = 0
        frame.lossSum += apus_sigmoid_cross_entropy(
          frame.rowCount, width, frame.pointer(scores), frame.pointer(targets), frame.lossScale,
          gradient.map(frame.pointer), &correct)
        frame.correctCount += correct
      }
    case .meanSquaredError:
      return { frame in
        frame.lossSum += apus_squared_error(
          frame.count(extent), frame.pointer(scores), frame.pointer(targets), frame.lossScale,
          gradient.map(frame.pointer))
      }
    }
  }
}
