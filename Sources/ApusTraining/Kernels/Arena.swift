// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The memory of a program, which begins on a cache line.
final class Arena {
  let base: UnsafeMutablePointer<Float>

  /// - Throws: `outOfMemory`.
  init(wordCount: Int) throws(TrainingError) {
    var memory: UnsafeMutableRawPointer?
    let byteCount = max(wordCount, 1) * 4
    guard posix_memalign(&memory, 64, byteCount) == 0, let memory else {
      throw TrainingError(
        .outOfMemory,
        "There is no memory for \(byteCount / 1_000_000) MB of values; take a smaller batch.")
    }
    base = memory.bindMemory(to: Float.self, capacity: max(wordCount, 1))
    base.initialize(repeating: 0, count: max(wordCount, 1))
  }

  deinit { free(base) }
}

/// Instructions in order, where their input goes, and how much memory they need.
struct InstructionList {
  let instructions: [Instruction]
  let input: Place
  let target: Place
  /// Where the model's output is after the last instruction, when nothing is differentiated.
  let output: Place
  let wordCount: Int
  private let constants: [Float]
  private let constantsOffset: Int

  init(_ schedule: Schedule, _ plan: MemoryPlan) {
    var preparation = Preparation(schedule, plan: plan)
    instructions = preparation.instructions()
    // What the model does not read, it does not need: then its place is the arena's beginning.
    var places = [Place](repeating: Place(base: .arena, offset: 0), count: 3)
    for (index, node) in schedule.graph.nodes.enumerated() {
      switch node.computation {
      case .operation(.input): places[0] = preparation.place(index)
      case .target: places[1] = preparation.place(index)
      case .loss: places[2] = preparation.place(node.inputs[0])
      default: break
      }
    }
    (input, target, output) = (places[0], places[1], places[2])
    constants = preparation.constants
    constantsOffset = plan.wordCount
    wordCount = plan.wordCount + constants.count * MemoryPlan.alignment
  }

  /// Constants are behind what is planned; the two lists of a program may share memory.
  func storeConstants(in arena: Arena) {
    for (index, value) in constants.enumerated() {
      arena.base[constantsOffset + index * MemoryPlan.alignment] = value
    }
  }
}
