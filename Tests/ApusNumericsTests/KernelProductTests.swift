// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import CApus
import OwnThreads
import Testing

/// Products and convolutions of our own, with every instruction set that this machine has, against plain
/// loops in Double.
@Suite("Kernels: products and convolutions", .ownThread)
struct KernelProductTests {
  static var sets: [UnsafePointer<apus_kernels>] {
    EveryInstructionSet.all
  }

  static func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var stream = RandomStream(seed: seed)
    return (0..<max(count, 1)).map { _ in stream.uniform(in: -1..<1) }
  }

  @Test("The best set is the last that this machine has, and in use until another is chosen")
  func best() {
    #expect(Self.sets.last == apus_kernels_in_use())
    #expect(InstructionSet.available.first == .portable)
    #expect(InstructionSet.available.count == Self.sets.count)
    #expect(InstructionSet.inUse == InstructionSet.best)
  }

  @Test("A set that the machine has not is refused, with those that it has")
  func unavailable() throws {
    for set in InstructionSet.allCases where !InstructionSet.available.contains(set) {
      let error = #expect(throws: NumericsError.self) { try set.use() }
      #expect(error?.message.contains("portable, baseline") == true)
    }
  }

  @Test("c = alpha a b + beta c, for every transposition", arguments: shapes)
  func anyProduct(_ rows: Int, _ depth: Int, _ columns: Int) {
    let a = Self.numbers(rows * depth, seed: 1)
    let b = Self.numbers(depth * columns, seed: 2)
    let before = Self.numbers(rows * columns, seed: 4)
    for set in Self.sets {
      for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
        for (alpha, beta) in [(1, 0), (-0.5, 1), (2, 0.25)] as [(Float, Float)] {
          var c = beta == 0 ? before.map { _ in .nan } : before
          var product = apus_product()
          (product.rows, product.columns, product.depth) = (rows, columns, depth)
          (product.a_row, product.a_step) = left ? (1, rows) : (depth, 1)
          let step = right ? depth : 1
          (product.b_row, product.c_row) = (right ? 1 : columns, columns)
          a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
              c.withUnsafeMutableBufferPointer { c in
                (product.a, product.b, product.c) = (a.baseAddress, b.baseAddress, c.baseAddress)
                set.pointee.multiply_any(&product, step, alpha, beta)
              }
            }
          }
          for (place, c) in c.prefix(rows * columns).enumerated() {
            let (row, column) = place.quotientAndRemainder(dividingBy: columns)
            var sum = beta == 0 ? 0 : Double(beta) * Double(before[place])
            for d in 0..<depth {
              sum +=
                Double(alpha) * Double(left ? a[d * rows + row] : a[row * depth + d])
                * Double(right ? b[column * depth + d] : b[d * columns + column])
            }
            guard abs(Double(c) - sum) <= 1e-6 * (4 + Double(depth)) else {
              Issue.record("\(String(cString: set.pointee.set_name)) at \(row), \(column)")
              return
            }
          }
        }
      }
    }
  }

  /// Rows, depth, columns: tails of every kind, more than a block of columns, and nothing at all.
  static let shapes = [
    (1, 1, 1), (2, 3, 5), (6, 7, 8), (7, 33, 19), (10, 784, 200), (13, 61, 100), (14, 5, 16),
    (15, 200, 33), (29, 4, 47), (50, 17, 10), (3, 5000, 70), (31, 3000, 40), (5, 0, 4), (0, 3, 4),
  ]

  @Test(
    "c = start + a b, with a bias or not, transposed left or not, rectified or not",
    arguments: shapes)
  func product(_ rows: Int, _ depth: Int, _ columns: Int) {
    let a = Self.numbers(rows * depth, seed: 1)
    let b = Self.numbers(depth * columns, seed: 2)
    let bias = Self.numbers(columns, seed: 3)
    let before = Self.numbers(rows * columns, seed: 4)
    for set in Self.sets {
      for isTransposed in [false, true] {
        for (start, hasBias) in [
          (APUS_FROM_ZERO, false), (APUS_FROM_ZERO, true), (APUS_FROM_RESULT, false),
          (APUS_FROM_RESULT, true),
        ] {
          for rectify in [0, 1] {
            var c = before
            var product = apus_product()
            (product.rows, product.columns, product.depth) = (rows, columns, depth)
            product.segments = 1
            product.a_row = isTransposed ? 1 : depth
            product.a_step = isTransposed ? rows : 1
            product.b_row = columns
            product.c_row = columns
            product.start = start
            product.rectify = Int32(rectify)
            a.withUnsafeBufferPointer { a in
              b.withUnsafeBufferPointer { b in
                bias.withUnsafeBufferPointer { bias in
                  c.withUnsafeMutableBufferPointer { c in
                    product.a = a.baseAddress
                    product.b = b.baseAddress
                    product.bias = hasBias ? bias.baseAddress : nil
                    product.c = c.baseAddress
                    set.pointee.multiply(&product)
                  }
                }
              }
            }
            for row in 0..<rows {
              for column in 0..<columns {
                var sum = start == APUS_FROM_ZERO ? 0 : Double(before[row * columns + column])
                if hasBias { sum += Double(bias[column]) }
                for d in 0..<depth {
                  let left = isTransposed ? a[d * rows + row] : a[row * depth + d]
                  sum += Double(left) * Double(b[d * columns + column])
                }
                if rectify == 1 { sum = max(sum, 0) }
                let bound = 1e-6 * (4 + Double(depth))
                guard abs(Double(c[row * columns + column]) - sum) <= bound else {
                  Issue.record("\(String(cString: set.pointee.set_name)) at \(row), \(column)")
                  return
                }
              }
            }
          }
        }
      }
    }
  }

  @Test("c = a bᵀ", arguments: shapes)
  func transposedProduct(_ rows: Int, _ depth: Int, _ columns: Int) {
    let a = Self.numbers(rows * depth, seed: 5)
    let b = Self.numbers(columns * depth, seed: 6)
    for set in Self.sets {
      var c = [Float](repeating: .nan, count: max(rows * columns, 1))
      var product = apus_product()
      (product.rows, product.columns, product.depth) = (rows, columns, depth)
      product.segments = 1
      (product.a_row, product.a_step, product.b_row, product.c_row) = (depth, 1, depth, columns)
      product.start = APUS_FROM_ZERO
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          c.withUnsafeMutableBufferPointer { c in
            product.a = a.baseAddress
            product.b = b.baseAddress
            product.c = c.baseAddress
            set.pointee.multiply_transposed(&product)
          }
        }
      }
      for row in 0..<rows {
        for column in 0..<columns {
          let sum = (0..<depth).reduce(0.0) {
            $0 + Double(a[row * depth + $1]) * Double(b[column * depth + $1])
          }
          guard abs(Double(c[row * columns + column]) - sum) <= 1e-6 * (4 + Double(depth)) else {
            Issue.record("\(String(cString: set.pointee.set_name)) at \(row), \(column)")
            return
          }
        }
      }
    }
  }

  @Test("What is not a number is not rectified away")
  func notANumber() {
    for set in Self.sets {
      let (a, b): ([Float], [Float]) = ([.nan], [1])
      var c: [Float] = [0]
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          c.withUnsafeMutableBufferPointer { c in
            var product = apus_product()
            (product.rows, product.columns, product.depth, product.segments) = (1, 1, 1, 1)
            (product.a_row, product.a_step, product.b_row, product.c_row) = (1, 1, 1, 1)
            (product.a, product.b, product.c) = (a.baseAddress, b.baseAddress, c.baseAddress)
            product.start = APUS_FROM_ZERO
            product.rectify = 1
            set.pointee.multiply(&product)
          }
        }
      }
      #expect(c[0].isNaN)
    }
  }
}
