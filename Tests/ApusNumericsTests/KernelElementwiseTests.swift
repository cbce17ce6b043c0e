// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import CApus
import Testing

@Suite(.everyInstructionSet) struct KernelElementwiseTests {
  private static let operators: [apus_operator] = [
    .add, .subtract, .subtract_from, .multiply, .divide, .divide_into,
  ]

  private func value(_ op: apus_operator, _ a: Float, _ b: Float) -> Float {
    switch op {
    case .add: a + b
    case .subtract: a - b
    case .subtract_from: b - a
    case .multiply: a * b
    case .divide: a / b
    case .divide_into: b / a
    }
  }

  @Test("Operators agree with Swift's, in every form and at every length", arguments: operators)
  func binary(op: apus_operator) throws {
    for n in awkwardLengths {
      let rows = 3
      let a = numbers(rows * n, seed: 1)
      let b = numbers(rows * n, seed: 2)
      #expect(
        try output(rows * n) { kernels.binary(op, rows * n, a, b, $0) }
          == a.indices.map { value(op, a[$0], b[$0]) })
      #expect(
        try output(rows * n) { kernels.binary_row(op, rows, n, a, b, $0) }
          == a.indices.map { value(op, a[$0], b[$0 % n]) })
      let column = numbers(rows, seed: 3)
      #expect(
        try output(rows * n) { kernels.binary_column(op, rows, n, a, column, $0) }
          == a.indices.map { value(op, a[$0], column[$0 / n]) })
      #expect(
        try output(rows * n) { kernels.binary_scalar(op, rows * n, a, 0.7, $0) }
          == a.map { value(op, $0, 0.7) })
    }
  }

  @Test("An output may be an input's buffer", arguments: operators)
  func inPlace(op: apus_operator) throws {
    let a = numbers(33, seed: 1)
    let b = numbers(33, seed: 2)
    let expected = a.indices.map { value(op, a[$0], b[$0]) }
    #expect(
      try output(33) {
        $0.update(from: a, count: 33)
        kernels.binary(op, 33, $0, b, $0)
      } == expected)
    #expect(
      try output(33) {
        $0.update(from: b, count: 33)
        kernels.binary(op, 33, a, $0, $0)
      } == expected)
  }

  @Test("Scaled sums agree with their formulas")
  func sums() throws {
    for n in awkwardLengths {
      let x = numbers(n, seed: 1)
      let y = numbers(n, seed: 2)
      for beta: Float in [1, 0.5] {
        let sunk = try output(n) {
          $0.update(from: y, count: n)
          kernels.sink(n, -2, x, beta, $0)
        }
        #expect(
          difference(sunk, zip(x, y).map { -2 * Double($0) + Double(beta) * Double($1) }) < 2e-7)
      }
      let moved = try output(n) { kernels.affine(n, 3, -0.5, x, $0) }
      #expect(difference(moved, x.map { 3 * Double($0) - 0.5 }) < 1e-7)
      #expect(try output(n) { kernels.negate(n, x, $0) } == x.map { -$0 })
      #expect(try output(n) { kernels.fill(n, 7, $0) } == x.map { _ in 7 })
    }
  }

  @Test("A sink of beta 0 does not read what it overwrites")
  func sinkDoesNotRead() throws {
    let x = numbers(33, seed: 1)
    #expect(
      try output(33) {
        kernels.fill(33, .nan, $0)
        kernels.sink(33, 1, x, 0, $0)
      } == x)
    #expect(
      try output(33) {
        kernels.fill(33, .nan, $0)
        kernels.column_sums(1, 33, 1, x, 0, $0)
      } == x)
  }

  @Test("Column sums add up the rows")
  func columnSums() throws {
    for n in awkwardLengths {
      for rows in [0, 1, 2, 63, 64, 65, 200] {
        let x = numbers(rows * n, seed: 1)
        let before = numbers(n, seed: 2)
        let y = try output(n) {
          $0.update(from: before, count: n)
          kernels.column_sums(rows, n, 0.5, x, 2, $0)
        }
        let exact = (0..<n).map { i in
          2 * Double(before[i]) + 0.5 * (0..<rows).reduce(0.0) { $0 + Double(x[$1 * n + i]) }
        }
        #expect(difference(y, exact) < 1e-6)
      }
    }
  }

  @Test("The gradient of square roots agrees with its formula")
  func gradients() throws {
    let x = numbers(33, seed: 1, in: 0.2...2)
    let dy = numbers(33, seed: 2)
    let y = x.map { $0.squareRoot() }
    let dx = try output(33) { kernels.sqrt_gradient(33, y, dy, $0) }
    #expect(
      difference(dx, zip(x, dy).map { Double($1) * 0.5 / Double($0).squareRoot() }) < 2e-7)
  }
}
