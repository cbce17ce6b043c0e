// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A stream of random numbers that can be split: streams of different labels are independent, whoever
/// draws from them and in whatever order.
///
/// Counter based, so a stream is some words and splitting costs one block. Everything random in an
/// experiment comes from one seed: `stream.split(round).split(client).split(use)`.
///
/// > J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw. "Parallel random numbers: as easy as 1, 2, 3."
/// > SC 2011. Philox4x32-10.
///
/// - Important: for experiments only. Keys, masks and noise that protect people come from the system's
///   cryptographic generator.
public struct RandomStream: RandomNumberGenerator, Hashable, Sendable {
  /// The key, which with ``nonce`` names the stream.
  public let key: UInt64
  /// The upper half of the 128-bit counter.
  public let nonce: UInt64
  private var block: UInt64 = 0
  private var spare: UInt64?
  /// The second of two normal samples that were made together.
  var spareNormal: Double?

  public init(seed: UInt64) {
    key = seed
    nonce = 0
  }

  /// The stream of this name, from its beginning.
  package init(key: UInt64, nonce: UInt64) {
    self.key = key
    self.nonce = nonce
  }

  /// The stream of this label; it does not depend on what was drawn from this one.
  public func split(_ label: UInt64) -> RandomStream {
    // A key of its own, so that labels never meet the counters that numbers are drawn at.
    let mixed = Self.philox(key: key ^ 0x9E37_79B9_7F4A_7C15, low: label, high: nonce)
    return RandomStream(key: mixed.0, nonce: mixed.1)
  }

  public func split(_ label: Int) -> RandomStream { split(UInt64(bitPattern: Int64(label))) }

  public mutating func next() -> UInt64 {
    if let spare {
      self.spare = nil
      return spare
    }
    let (first, second) = Self.philox(key: key, low: block, high: nonce)
    block &+= 1
    spare = second
    return first
  }

  /// Ten rounds of Philox4x32 on the counter (low, high).
  static func philox(key: UInt64, low: UInt64, high: UInt64) -> (UInt64, UInt64) {
    var (c0, c1) = (UInt32(truncatingIfNeeded: low), UInt32(truncatingIfNeeded: low >> 32))
    var (c2, c3) = (UInt32(truncatingIfNeeded: high), UInt32(truncatingIfNeeded: high >> 32))
    var (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    for _ in 0..<10 {
      let p0 = UInt64(c0) &* 0xD251_1F53
      let p1 = UInt64(c2) &* 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (UInt64(c0) | UInt64(c1) << 32, UInt64(c2) | UInt64(c3) << 32)
  }
}
