// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import CApus
import Testing

@Suite(.everyInstructionSet) struct KernelReductionTests {
  private static let shapes: [[Int]] = [
    [1, 1, 1], [3, 5, 1], [2, 33, 1], [4, 7, 3], [2, 130, 17], [1, 3, 100], [5, 1, 4],
  ]

  @Test("Sums over an axis and their gradients agree with plain loops", arguments: shapes)
  func sums(shape: [Int]) throws {
    let (outer, axis, inner) = (shape[0], shape[1], shape[2])
    let x = numbers(outer * axis * inner, seed: 1)
    let y = try output(outer * inner) { kernels.sum_axis(outer, axis, inner, 0.5, x, $0) }
    let exact = (0..<outer * inner).map { p in
      (0..<axis).reduce(0.0) {
        $0 + 0.5 * Double(x[(p / inner * axis + $1) * inner + p % inner])
      }
    }
    #expect(difference(y, exact) < 1e-6)
    let dx = try output(x.count) { kernels.broadcast_axis(outer, axis, inner, 0.5, y, $0) }
    #expect(dx == x.indices.map { 0.5 * y[$0 / inner / axis * inner + $0 % inner] })
  }

  @Test(
    "The maximum over an axis is the first of equals, and takes the gradient", arguments: shapes)
  func maxima(shape: [Int]) throws {
    let (outer, axis, inner) = (shape[0], shape[1], shape[2])
    // Few different numbers, so that there are equals.
    let x = numbers(outer * axis * inner, seed: 1, in: -2...2).map { $0.rounded() }
    var places = [Int32](repeating: -1, count: outer * inner)
    let y = try output(outer * inner) { kernels.max_axis(outer, axis, inner, x, $0, &places) }
    let dy = numbers(outer * inner, seed: 2)
    var expected = [Float](repeating: 0, count: x.count)
    for p in y.indices {
      let column = (0..<axis).map { x[(p / inner * axis + $0) * inner + p % inner] }
      #expect(y[p] == column.max())
      #expect(Int(places[p]) == column.firstIndex(of: y[p]))
      expected[(p / inner * axis + Int(places[p])) * inner + p % inner] = dy[p]
    }
    let dx = try output(x.count) { kernels.max_axis_gradient(outer, axis, inner, places, dy, $0) }
    #expect(dx == expected)
  }

  @Test("The first NaN is the maximum")
  func notANumber() throws {
    var place: Int32 = -1
    let y = try output(1) { kernels.max_axis(1, 5, 1, [1, .nan, 9, .nan, 2], $0, &place) }
    #expect(y[0].isNaN && place == 1)
  }

  @Test("Rows are gathered, and added back where they came from")
  func rows() throws {
    for width in awkwardLengths {
      let table = numbers(6 * width, seed: 1)
      let indices: [Int32] = [5, 0, 3, 3, 5]
      var bad = [0, 0]
      let y = try output(5 * width) {
        bad[0] = kernels.gather_rows(5, width, 6, table, indices, $0)
      }
      #expect(y == indices.flatMap { table[Int($0) * width..<(Int($0) + 1) * width] })
      let added = try output(6 * width) {
        $0.update(from: table, count: 6 * width)
        bad[1] = kernels.scatter_add_rows(5, width, 6, 2, indices, y, $0)
      }
      #expect(bad == [-1, -1])
      let times = [1, 0, 0, 2, 0, 2].enumerated().map { $0 == 0 ? 1.0 : Double($1) }
      #expect(
        difference(added, table.indices.map { (1 + 2 * times[$0 / width]) * Double(table[$0]) })
          < 1e-6)
    }
  }

  @Test("An index outside of the table is named, and nothing is written", arguments: [-1, 6, .max])
  func badIndex(bad: Int32) throws {
    let rows = numbers(18, seed: 1)
    let indices: [Int32] = [5, bad, 0]
    var positions = [0, 0]
    let y = try output(18) {
      kernels.fill(18, 4, $0)
      positions[0] = kernels.gather_rows(3, 3, 6, rows, indices, $0)
      positions[1] = kernels.scatter_add_rows(3, 3, 6, 1, indices, rows, $0)
    }
    #expect(y.allSatisfy { $0 == 4 })
    #expect(positions == [1, 1])
  }
}
