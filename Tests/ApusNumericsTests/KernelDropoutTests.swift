// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import CApus
import Testing

@Suite(.everyInstructionSet) struct KernelDropoutTests {
  /// The 32-bit words that the stream draws.
  private func words(_ count: Int, of stream: RandomStream) -> [UInt32] {
    var stream = stream
    return (0..<(count + 1) / 2).flatMap { _ in
      let drawn = stream.next()
      return [UInt32(truncatingIfNeeded: drawn), UInt32(truncatingIfNeeded: drawn >> 32)]
    }.prefix(count).map { $0 }
  }

  private let stream = RandomStream(seed: 7).split(3).split(0xFFFF_0000_1234)

  @Test(
    "An element is kept where its word reaches the threshold", arguments: awkwardLengths + [1000])
  func dropout(n: Int) throws {
    let x = numbers(n, seed: 1)
    let threshold: UInt64 = 1 << 30
    let expected = zip(x, words(n, of: stream)).map { $1 >= threshold ? 2 * $0 : 0 }
    #expect(
      try output(n) {
        $0.update(from: x, count: n)
        kernels.dropout(n, stream.key, stream.nonce, threshold, 2, $0, $0)
      } == expected)
  }

  @Test("Thresholds of 0 and 2^32 keep and drop everything")
  func extremes() throws {
    let x = numbers(100, seed: 1)
    #expect(try output(100) { kernels.dropout(100, 1, 2, 0, 1, x, $0) } == x)
    #expect(
      try output(100) { kernels.dropout(100, 1, 2, 1 << 32, 1, x, $0) }.allSatisfy { $0 == 0 })
  }
}
