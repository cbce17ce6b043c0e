// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import CApus
import Foundation
import Testing

/// The functions of our own against those of the C library in Double.
@Suite(.everyInstructionSet) struct KernelMathTests {
  /// The worst error in units in the last place over evenly spaced numbers.
  private func worstError(
    over range: ClosedRange<Float>, of kernel: Kernel,
    against exact: (Double) -> Double
  ) throws -> Double {
    let count = 20_011
    let x = (0..<count).map {
      range.lowerBound + (range.upperBound - range.lowerBound) * Float($0) / Float(count - 1)
    }
    let y = try output(count) { kernel(count, x, $0) }
    return zip(x, y).map { unitsInLastPlace($1, from: exact(Double($0))) }.max() ?? .infinity
  }

  @Test("exp is within 2 units in the last place", arguments: [-104...(-87), -87...88.7, -1...1])
  func exponential(range: ClosedRange<Float>) throws {
    #expect(try worstError(over: range, of: { kernels.exp($0, $1, $2) }, against: exp) < 2)
  }

  @Test(
    "ln is within 2 units in the last place",
    arguments: [0x1p-149...0x1p-123, 1e-3...1, 0.7...1.5, 1...30, 1...3e38])
  func logarithm(range: ClosedRange<Float>) throws {
    #expect(try worstError(over: range, of: { kernels.log($0, $1, $2) }, against: log) < 2)
  }

  @Test("tanh is within 3 units in the last place", arguments: [-12...12, -0.7...0.7])
  func hyperbolicTangent(range: ClosedRange<Float>) throws {
    let kernel: Kernel = { kernels.activate(.tanh, 0, $0, $1, $2) }
    #expect(try worstError(over: range, of: kernel, against: tanh) < 3)
  }

  @Test("The sigmoid is within 3 units in the last place", arguments: [-87...20, -2...2])
  func sigmoid(range: ClosedRange<Float>) throws {
    let kernel: Kernel = { kernels.activate(.sigmoid, 0, $0, $1, $2) }
    #expect(try worstError(over: range, of: kernel, against: { 1 / (1 + exp(-$0)) }) < 3)
  }

  @Test("sqrt is correctly rounded")
  func squareRoot() throws {
    #expect(
      try worstError(over: 0x1p-140...3e38, of: { kernels.sqrt($0, $1, $2) }, against: sqrt) <= 0.5)
  }

  @Test("Infinities, NaN and zeros come out as the C library has them")
  func specialNumbers() throws {
    let x: [Float] = [.infinity, -.infinity, .nan, 0, -0.0, 89, -104, 0x1p-149, -1]
    for (name, kernel, exact) in [
      ("exp", { kernels.exp($0, $1, $2) }, { expf($0) }),
      ("log", { kernels.log($0, $1, $2) }, { logf($0) }),
      ("tanh", { kernels.activate(.tanh, 0, $0, $1, $2) }, { tanhf($0) }),
    ] as [(String, Kernel, (Float) -> Float)] {
      let y = try output(x.count) { kernel(x.count, x, $0) }
      for (x, y) in zip(x, y) {
        let expected = exact(x)
        let isClose = abs(y - expected) <= 2 * expected.ulp
        #expect(
          y.isNaN && expected.isNaN || y == expected || isClose, "\(name)(\(x)) is \(y)")
      }
    }
  }

  @Test(
    "Powers agree with pow", arguments: [-3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 7, 64, 1.7, -0.3])
  func powers(p: Float) throws {
    let x = numbers(100, seed: 3, in: 0.3...1.8) + [1]
    let y = try output(x.count) { kernels.power(x.count, p, x, $0) }
    let exact = x.map { pow(Double($0), Double(p)) }
    for (y, exact) in zip(y, exact) { #expect(abs(Double(y) / exact - 1) < 8e-6) }

    let dy = numbers(x.count, seed: 4)
    let dx = try output(x.count) { kernels.power_gradient(x.count, p, x, dy, $0) }
    let slopes = zip(x, dy).map { Double($1) * Double(p) * pow(Double($0), Double(p) - 1) }
    #expect(difference(dx, slopes) < 8e-6)
  }

  @Test("A negative number has integer powers only")
  func negativeBase() throws {
    let x: [Float] = [-2, 0]
    #expect(try output(2) { kernels.power(2, 3, x, $0) } == [-8, 0])
    #expect(try output(2) { kernels.power(2, -1, x, $0) } == [-0.5, .infinity])
    #expect(try output(2) { kernels.power(2, 1.5, x, $0) }[0].isNaN)
    #expect(try output(2) { kernels.power(2, 1.5, x, $0) }[1] == 0)
  }
}
