// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import CApus
import Foundation
import Testing

/// Lengths around the widths of vectors, where the tails of loops go wrong.
let awkwardLengths = [0, 1, 3, 7, 15, 16, 17, 33, 64, 100]

/// Numbers between -1 and 1 that depend on the seed only.
func numbers(_ count: Int, seed: UInt64, in range: ClosedRange<Float> = -1...1) -> [Float] {
  var random = RandomStream(seed: seed)
  return (0..<count).map { _ in Float.random(in: range, using: &random) }
}

/// What a kernel writes into `count` numbers, with a check that it wrote nothing behind them.
func output(_ count: Int, _ kernel: (UnsafeMutablePointer<Float>) -> Void) throws -> [Float] {
  var y = [Float](repeating: 123.5, count: count + 8)
  try y.withUnsafeMutableBufferPointer { kernel(try #require($0.baseAddress)) }
  #expect(y[count...].allSatisfy { $0 == 123.5 }, "The kernel wrote behind its output.")
  return Array(y[..<count])
}

/// The distance in units in the last place of the exact result.
func unitsInLastPlace(_ x: Float, from exact: Double) -> Double {
  abs(Double(x) - exact) / Double(Float(exact).ulp)
}

/// The largest difference, relative to the largest number (or 1).
func difference(_ x: [Float], _ exact: [Double]) -> Double {
  guard x.count == exact.count else { return .infinity }
  var top = 1.0
  var worst = 0.0
  for (x, exact) in zip(x, exact) {
    top = max(top, abs(exact))
    let distance = abs(Double(x) - exact)
    worst = distance.isNaN ? .infinity : max(worst, distance)
  }
  return worst / top
}

func dot(_ a: [Float], _ b: [Float]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// A kernel from n numbers to n numbers.
typealias Kernel = (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void

/// The kernels that a test is about: those of one instruction set after the other.
var kernels: apus_kernels { EveryInstructionSet.kernels.pointee }

/// Runs every test of a suite with the kernels of each instruction set that this machine has.
struct EveryInstructionSet: SuiteTrait, TestTrait, TestScoping {
  @TaskLocal fileprivate static var current: Int?

  static var all: [UnsafePointer<apus_kernels>] { (0..<8).compactMap { apus_kernels_of_set($0) } }

  fileprivate static var kernels: UnsafePointer<apus_kernels> {
    guard let current, let kernels = apus_kernels_of_set(Int32(current)) else {
      preconditionFailure("The suite is not marked with .everyInstructionSet.")
    }
    return kernels
  }

  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    if testCase == nil { return try await function() }
    for ordinal in Self.all.indices {
      try await Self.$current.withValue(ordinal) { try await function() }
    }
  }
}

extension Trait where Self == EveryInstructionSet {
  static var everyInstructionSet: Self { Self() }
}
