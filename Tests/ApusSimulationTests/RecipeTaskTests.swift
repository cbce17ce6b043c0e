// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusTraining
import ApusWire
import Foundation
import OwnThreads
import Testing

@testable import ApusSimulation

@Suite(.ownThread) struct RecipeTaskTests {
  private func task(_ text: String, setting overrides: [String] = []) throws -> RecipeTask {
    try RecipeExamples.recipe(text, setting: overrides)
      .task(recipeFile: "quick.json5", options: RunOptions())
  }

  @Test("A recipe's task has the plan, the bounds and the seed of its simulation")
  func isTheSimulation() throws {
    let task = try task(RecipeExamples.served, setting: ["seed=5", "serve.packed=true"])
    let spec = task.spec
    let plan = try TrainingPlan(try #require(spec.plan))
    #expect(plan.graph.layout.count == 650 && task.parameterCount == 650)
    #expect(plan.isPacked && plan.updateFormat == .bfloat16)
    #expect(spec.seed == 5 && spec.rounds == 10 && spec.coordinateBound == 4096)
    // 1,438 examples among four.
    #expect(spec.weightBound == 360 && task.clientCount == 4)
    #expect(spec.labels == ["site": "north", "a b": "c\""] && spec.normBound == 2.5)
    let cohort = try #require(spec.cohort)
    #expect(cohort.size == 4 && cohort.minimum == 3 && cohort.overSelection == 1)
    #expect(cohort.reportMs == 30_000 && cohort.late == .extend && cohort.restRounds == 1)
    let again = try Recipe(parsing: spec.recipe.utf8, file: "again.json5")
    #expect(again.seed == 5 && again.serve?.packed == true)
  }

  @Test(
    "Without a serve object a live cohort has its defaults, and over-selection is the system's where it is said"
  )
  func defaults() throws {
    let plain = try task(RecipeExamples.served, setting: ["serve={}", "cohort={ fraction: 0.5 }"])
    let cohort = try #require(plain.spec.cohort)
    #expect(cohort.size == 0 && cohort.share == 0.5 && cohort.overSelection == 1.3)
    #expect(cohort.minimum == 1 && cohort.reportMs == 600_000 && cohort.abandonmentLimit == 10)
    let said = try task(
      RecipeExamples.served,
      setting: ["serve={}", "system.overSelection=1.7", "cohort={ fraction: 0 }"])
    #expect(said.spec.cohort?.overSelection == 1.7 && said.spec.cohort?.size == 1)
  }

  @Test("The test examples are one blob, described tensor by tensor")
  func evaluates() throws {
    let task = try task(RecipeExamples.served)
    let bytes = try #require(task.examples)
    let evaluation = try #require(task.spec.evaluation)
    #expect(evaluation.every == 1 && evaluation.tensors.map(\.name) == ["inputs", "targets"])
    let (inputs, targets) = (evaluation.tensors[0], evaluation.tensors[1])
    #expect(inputs.shape == [359, 8, 8, 1] && targets.shape == [359] && targets.type == .int32)
    #expect(targets.offset % 64 == 0 && targets.offset + targets.length == UInt64(bytes.count))
    let labels = bytes[Int(targets.offset)...].withUnsafeBytes { raw in
      (0..<359).map {
        Int32(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self))
      }
    }
    #expect(Set(labels) == Set(0...9))
  }

  @Test(
    "A recipe whose data are missing, or whose graph does not fit, is refused before anybody is asked"
  )
  func refuses() throws {
    #expect(throws: SimulationError.self) {
      try task(RecipeExamples.served, setting: ["model={ graph: \"nowhere.json\" }"])
    }
    #expect(throws: SimulationError.self) {
      try task(
        RecipeExamples.served, setting: ["data={ set: \"omniglot\", split: \"iid\", clients: 4 }"])
    }
  }
}
