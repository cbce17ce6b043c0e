// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusNumerics

struct RandomStreamTests {
  @Test("Philox4x32-10 gives the known answers of Random123 (kat_vectors)")
  func knownAnswers() {
    let answers: [(key: UInt64, low: UInt64, high: UInt64, UInt64, UInt64)] = [
      (0, 0, 0, 0xe169_c58d_6627_e8d5, 0x9b00_dbd8_bc57_ac4c),
      (.max, .max, .max, 0x41c8_3b0e_408f_276d, 0x6d54_51fd_a20b_c7c6),
      (
        0x299f_31d0_a409_3822, 0x85a3_08d3_243f_6a88, 0x0370_7344_1319_8a2e, 0x94fd_cceb_d16c_fe09,
        0x2412_6ea1_5001_e420
      ),
    ]
    for (key, low, high, first, second) in answers {
      let block = RandomStream.philox(key: key, low: low, high: high)
      #expect(block == (first, second))
    }
  }

  @Test("A seed's numbers stay what they are")
  func stays() {
    var random = RandomStream(seed: 0)
    #expect(random.next() == 0xe169_c58d_6627_e8d5)
    #expect(random.next() == 0x9b00_dbd8_bc57_ac4c)
    var split = RandomStream(seed: 42).split(7).split(3)
    #expect((0..<3).map { _ in split.below(1000) } == Self.recorded)
  }

  /// What came out when the streams were defined; experiments depend on it.
  static let recorded = [233, 835, 258]

  @Test("A split stream does not depend on what was drawn, and differs by label, seed and depth")
  func splitting() {
    let parent = RandomStream(seed: 1)
    var drawn = parent
    for _ in 0..<5 { _ = drawn.next() }
    #expect(drawn.split(3) == parent.split(3))
    #expect(parent.split(-1) == parent.split(UInt64.max))
    var streams: Set<RandomStream> = [parent]
    var firsts: Set<UInt64> = []
    for label in 0..<300 {
      streams.insert(parent.split(label))
      streams.insert(RandomStream(seed: 2).split(label))
      streams.insert(parent.split(label).split(label))
    }
    for var stream in streams {
      firsts.insert(stream.next())
      firsts.insert(stream.next())
    }
    #expect(streams.count == 901)
    #expect(firsts.count == 1802)
  }

  /// Σ (found − expected)² / expected, for counts that should all be the same.
  private func chiSquare(_ counts: [Int]) -> Double {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }

  // Limits: the 99.99th percentile of χ² with so many degrees of freedom, and for the bits its 0.01st,
  // because numbers that are too even are no random numbers either.

  @Test("Bytes of a stream, and first bytes of its splits, are even")
  func evenness() {
    for fromSplits in [false, true] {
      var random = RandomStream(seed: 11)
      var counts = Array(repeating: 0, count: 256)
      for label in 0..<50_000 {
        var split = random.split(label)
        counts[Int((fromSplits ? split.next() : random.next()) & 255)] += 1
      }
      let found = chiSquare(counts)
      #expect(found < 347.7 && found > 179.4)  // 255 degrees
    }
  }

  @Test("Pairs of neighbours, in a stream and among splits, are independent")
  func independence() {
    var random = RandomStream(seed: 12)
    var (inStream, amongSplits) = (Array(repeating: 0, count: 64), Array(repeating: 0, count: 64))
    for label in 0..<10_000 {
      inStream[random.below(8) * 8 + random.below(8)] += 1
      var (a, b) = (random.split(2 * label), random.split(2 * label + 1))
      amongSplits[a.below(8) * 8 + b.below(8)] += 1
    }
    #expect(chiSquare(inStream) < 113.5)  // 63 degrees
    #expect(chiSquare(amongSplits) < 113.5)
  }

  @Test("Whole numbers below a bound are all as likely", arguments: [1, 2, 3, 7, 100])
  func below(bound: Int) {
    var random = RandomStream(seed: 13)
    var counts = Array(repeating: 0, count: bound)
    for _ in 0..<20_000 { counts[random.below(bound)] += 1 }
    let limits = [1: 0.001, 2: 15.2, 3: 18.5, 7: 27.9, 100: 160.1]
    #expect(chiSquare(counts) < limits[bound, default: 0])
  }

  @Test("Large bounds are not biased by the remainder")
  func largeBounds() {
    // With 3 · 2⁶¹, two numbers of three would come from three of 2⁶⁴, and the third from two.
    let bound = 3 << 61
    var random = RandomStream(seed: 14)
    var counts = [0, 0, 0]
    for _ in 0..<9000 { counts[random.below(bound) % 3] += 1 }
    #expect(chiSquare(counts) < 18.5)
  }

  @Test("Uniform and normal numbers have their moments and ranges")
  func moments() {
    var random = RandomStream(seed: 15)
    let count = 40_000
    var (sum, squares, normalSum, normalSquares, tails) = (0.0, 0.0, 0.0, 0.0, 0)
    for _ in 0..<count {
      let u = random.uniform()
      #expect(u >= 0 && u < 1)
      sum += u
      squares += u * u
      let z = random.normal()
      normalSum += z
      normalSquares += z * z
      if abs(z) > 1.959964 { tails += 1 }
      let f = random.uniform(in: -2..<6)
      #expect(f >= -2 && f < 6)
    }
    // Four standard deviations each.
    let n = Double(count)
    #expect(abs(sum / n - 0.5) < 4 * (1 / 12 / n).squareRoot())
    #expect(abs(squares / n - 1.0 / 3) < 4 * (4.0 / 45 / n).squareRoot())
    #expect(abs(normalSum / n) < 4 / n.squareRoot())
    #expect(abs(normalSquares / n - 1) < 4 * (2 / n).squareRoot())
    #expect(abs(Double(tails) / n - 0.05) < 4 * (0.05 * 0.95 / n).squareRoot())
  }

  @Test("A shuffle is a permutation, and all orders are as likely")
  func shuffles() {
    var random = RandomStream(seed: 16)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<12_000 {
      var order = [0, 1, 2, 3]
      random.shuffle(&order)
      counts[order, default: 0] += 1
    }
    #expect(counts.count == 24)
    #expect(counts.keys.allSatisfy { $0.sorted() == [0, 1, 2, 3] })
    #expect(chiSquare(Array(counts.values)) < 57.1)  // 23 degrees
    var (empty, single) = ([Int](), [7])
    random.shuffle(&empty)
    random.shuffle(&single)
    #expect(empty.isEmpty && single == [7])
  }

  @Test("A sample has different numbers in rising order, and all samples are as likely")
  func samples() {
    var random = RandomStream(seed: 17)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<10_000 { counts[random.sample(2, outOf: 5), default: 0] += 1 }
    #expect(counts.count == 10)
    #expect(counts.keys.allSatisfy { $0[0] < $0[1] && $0[0] >= 0 && $0[1] < 5 })
    #expect(chiSquare(Array(counts.values)) < 33.8)  // 9 degrees
    #expect(random.sample(0, outOf: 9) == [])
    #expect(random.sample(4, outOf: 4) == [0, 1, 2, 3])
    let few = random.sample(100, outOf: 1_000_000_000)
    #expect(Set(few).count == 100 && few == few.sorted())
  }
}
