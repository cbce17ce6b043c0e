// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusNumerics

struct MatrixProductTests {
  static let cases: [(Int, Int, Int)] = [(1, 1, 1), (3, 5, 7), (10, 33, 17), (16, 1, 40)]

  @Test(
    "Products agree with the triple loop, for every transposition, stride, alpha and beta",
    arguments: cases)
  func agreesWithTheTripleLoop(rows: Int, columns: Int, depth: Int) {
    var random = RandomStream(seed: 3)
    for transposedA in [false, true] {
      for transposedB in [false, true] {
        for (alpha, beta) in [(1, 0), (-0.5, 1), (2, 0.25)] as [(Float, Float)] {
          let aStride = (transposedA ? rows : depth) + 2
          let bStride = (transposedB ? depth : columns) + 3
          let cStride = columns + 1
          func numbers(_ count: Int) -> [Float] {
            (0..<count).map { _ in random.uniform(in: -1..<1) }
          }
          let a = numbers((transposedA ? depth : rows) * aStride)
          let b = numbers((transposedB ? columns : depth) * bStride)
          var c = numbers(rows * cStride)
          var expected = c.map(Double.init)
          for i in 0..<rows {
            for j in 0..<columns {
              var sum = 0.0
              for k in 0..<depth {
                sum +=
                  Double(a[transposedA ? k * aStride + i : i * aStride + k])
                  * Double(b[transposedB ? j * bStride + k : k * bStride + j])
              }
              expected[i * cStride + j] =
                Double(alpha) * sum + Double(beta) * Double(c[i * cStride + j])
            }
          }
          MatrixProduct.compute(
            rows: rows, columns: columns, depth: depth, alpha: alpha,
            .init(a, rowStride: aStride, isTransposed: transposedA),
            .init(b, rowStride: bStride, isTransposed: transposedB), beta: beta, into: &c,
            rowStride: cStride)
          #expect(zip(c, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
        }
      }
    }
  }

  @Test("With beta 0, what was in the product's place does not matter")
  func overwritesNaN() {
    let (a, b): ([Float], [Float]) = ([1, 2], [3, 4])
    var c: [Float] = [.nan]
    MatrixProduct.compute(
      rows: 1, columns: 1, depth: 2, .init(a, rowStride: 2), .init(b, rowStride: 1), into: &c,
      rowStride: 1)
    #expect(c == [11])
  }
}
