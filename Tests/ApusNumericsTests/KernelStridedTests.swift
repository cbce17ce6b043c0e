// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import CApus
import OwnThreads
import Testing

@Suite(.everyInstructionSet, .ownThread) struct KernelStridedTests {
  /// A shape with strides into a buffer, drawn at random.
  private struct Layout {
    var extents: [Int]
    var strides: [Int]
    /// Where index 0, 0, … is in the buffer.
    var origin: Int
    var count: Int

    /// Axes in a random order in memory, some backwards, with gaps.
    init(_ extents: [Int], random: inout RandomStream) {
      self.extents = extents
      strides = extents.map { _ in 0 }
      origin = 0
      count = 1
      for axis in extents.indices.shuffled(using: &random) {
        strides[axis] = count
        count *= extents[axis] + Int.random(in: 0...2, using: &random) / 2
        if extents[axis] > 1 && Int.random(in: 0..<4, using: &random) == 0 {
          origin += strides[axis] * (extents[axis] - 1)
          strides[axis] = -strides[axis]
        }
      }
    }

    var offsets: [Int] {
      var all = [0]
      for (extent, stride) in zip(extents, strides) {
        all = all.flatMap { base in (0..<extent).map { base + $0 * stride } }
      }
      return all.map { $0 + origin }
    }
  }

  private static let shapes: [[Int]] = [
    [], [1], [5], [0, 3], [17, 33], [2, 3, 4], [1, 7, 1, 5], [3, 1, 16, 2],
    [2, 2, 2, 2, 2, 2, 2, 2],
    [33, 2, 19],
  ]

  @Test("A strided copy puts every element where a plain loop does", arguments: shapes, 0..<20)
  func copy(extents: [Int], seed: Int) throws {
    var random = RandomStream(seed: UInt64(seed))
    let from = Layout(extents, random: &random)
    let to = Layout(extents, random: &random)
    let x = numbers(from.count, seed: 1)
    let before = numbers(to.count, seed: 2)
    var copied = before
    for (source, target) in zip(from.offsets, to.offsets) { copied[target] = x[source] }
    try x.withUnsafeBufferPointer { x in
      let source = try #require(x.baseAddress) + from.origin
      let y = try output(to.count) {
        $0.update(from: before, count: to.count)
        kernels.copy_strided(
          extents.count, extents, from.strides, source, to.strides, $0 + to.origin)
      }
      #expect(y == copied)
    }
  }

  @Test("Operators broadcast where a stride is 0", arguments: shapes, 0..<8)
  func binary(extents: [Int], repeated: Int) throws {
    var random = RandomStream(seed: UInt64(repeated))
    var a = Layout(extents, random: &random)
    let b = Layout(extents, random: &random)
    if !extents.isEmpty { a.strides[repeated % extents.count] = 0 }
    let count = extents.reduce(1, *)
    let x = numbers(a.count, seed: 1)
    let z = numbers(b.count, seed: 2)
    let expected = zip(a.offsets, b.offsets).map { x[$0] - z[$1] }
    try x.withUnsafeBufferPointer { x in
      try z.withUnsafeBufferPointer { z in
        let left = try #require(x.baseAddress) + a.origin
        let right = try #require(z.baseAddress) + b.origin
        let y = try output(count) {
          kernels.binary_strided(
            .subtract, extents.count, extents, a.strides, left, b.strides, right, $0)
        }
        #expect(y == expected)
      }
    }
  }

  @Test("Adding to strides of 0 sums over those axes", arguments: shapes, 0..<8)
  func sum(extents: [Int], mask: Int) throws {
    var random = RandomStream(seed: 9)
    let from = Layout(extents, random: &random)
    var to = Layout(extents, random: &random)
    for axis in extents.indices where mask >> (axis % 3) & 1 == 1 {
      if to.strides[axis] < 0 { to.origin += to.strides[axis] * (extents[axis] - 1) }
      to.strides[axis] = 0
    }
    let x = numbers(from.count, seed: 1)
    var sums = [Double](repeating: 0.25, count: to.count)
    for (source, target) in zip(from.offsets, to.offsets) { sums[target] += Double(x[source]) }
    try x.withUnsafeBufferPointer { x in
      let source = try #require(x.baseAddress) + from.origin
      let y = try output(to.count) {
        kernels.fill(to.count, 0.25, $0)
        kernels.add_strided(
          extents.count, extents, from.strides, source, to.strides, $0 + to.origin)
      }
      #expect(difference(y, sums) < 1e-6)
    }
  }
}
