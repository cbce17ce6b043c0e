// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import CApus
import Foundation
import Testing

/// The functions that have the same bits everywhere, against those of the C library.
@Suite struct ElementaryTests {
  private func worst(
    over range: ClosedRange<Double>, _ function: (Double) -> Double,
    against library: (Double) -> Double
  ) -> Double {
    var random = RandomStream(seed: 5)
    return (0..<20_000).map { _ in
      let x = Double.random(in: range, using: &random)
      let exact = library(x)
      return abs(function(x) - exact) / max(exact.ulp, 0x1p-1074)
    }.max() ?? .infinity
  }

  private func sine(_ x: Double) -> Double { sineAndCosine(x).0 }
  private func cosine(_ x: Double) -> Double { sineAndCosine(x).1 }

  private func sineAndCosine(_ x: Double) -> (Double, Double) {
    var (sine, cosine) = (0.0, 0.0)
    apus_elementary_sincos(x, &sine, &cosine)
    return (sine, cosine)
  }

  @Test("The logarithm is within 1 unit", arguments: [0x1p-53...1, 0.6...1.5, 1...1e300])
  func logarithm(range: ClosedRange<Double>) {
    #expect(worst(over: range, apus_elementary_log, against: log) <= 1)
  }

  @Test("The exponential is within 1 unit", arguments: [-1...1, -700...700])
  func exponential(range: ClosedRange<Double>) {
    #expect(worst(over: range, apus_elementary_exp, against: exp) <= 1)
  }

  @Test(
    "Sine and cosine are within 1 unit",
    arguments: [-1...1, 0...(2 * Double.pi), 3.1415...3.1416, 0...1e6])
  func circle(range: ClosedRange<Double>) {
    #expect(worst(over: range, sine, against: sin) <= 1)
    #expect(worst(over: range, cosine, against: cos) <= 1)
  }

  @Test("Ends of the ranges come out as the C library has them")
  func ends() {
    #expect(apus_elementary_log(0) == -.infinity && apus_elementary_log(.infinity) == .infinity)
    #expect(apus_elementary_log(-1).isNaN && apus_elementary_log(.nan).isNaN)
    #expect(apus_elementary_log(1) == 0 && apus_elementary_log(0x1p-1074) == log(0x1p-1074))
    #expect(apus_elementary_exp(0) == 1 && apus_elementary_exp(710) == .infinity)
    #expect(apus_elementary_exp(-1000) == 0 && apus_elementary_exp(.nan).isNaN)
    #expect(abs(apus_elementary_exp(709.7) / exp(709.7) - 1) < 1e-15)
    #expect(sineAndCosine(0) == (0, 1))
  }

  @Test("Their bits are these")
  func bits() {
    let values = stride(from: 0.1, to: 6.2, by: 0.1).flatMap { x in
      [apus_elementary_log(x), apus_elementary_exp(x), sine(x), cosine(x)]
    }
    let digest = values.map(\.bitPattern.littleEndian).withUnsafeBytes { SHA256.hexDigest(of: $0) }
    #expect(digest == "22a63bd679be6437d194a28b7eb6bffce844d12ae044746a3bf2d4ad31924871")
  }
}
