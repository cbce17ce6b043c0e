// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusNumerics

struct ExactSumTests {
  static let bounds = ExactSum.Bounds(coordinate: 8, weight: 600, contributions: 40)

  /// Updates within the bounds, with numbers of all sizes, zeros of both signs and the bound itself.
  static func contributions(
    _ number: Int, count: Int, seed: UInt64 = 1, bounds: ExactSum.Bounds = Self.bounds
  ) -> [ExactSum.Contribution] {
    var random = RandomStream(seed: seed)
    return (0..<number).map { _ in
      let update = ParameterVector(
        (0..<count).map { _ -> Float in
          switch random.below(8) {
          case 0: return random.below(2) == 0 ? bounds.coordinate : -bounds.coordinate
          case 1: return random.below(2) == 0 ? 0 : -0.0
          case 2: return random.uniform(in: -1..<1) * 0x1p-130
          default:
            let size = Float(sign: .plus, exponent: -random.below(40), significand: 1)
            return random.uniform(in: -1..<1) * bounds.coordinate * size
          }
        })
      return (update, 1 + random.below(bounds.weight))
    }
  }

  static func sum(
    of contributions: [ExactSum.Contribution], count: Int, bounds: ExactSum.Bounds = Self.bounds
  ) throws -> ExactSum {
    var sum = try ExactSum(count: count, bounds: bounds)
    for (update, weight) in contributions { try sum.add(update, weight: weight) }
    return sum
  }

  @Test("Sums are those of integers, rounded once a term", arguments: [1, 7, 16, 33, 257])
  func oracle(count: Int) throws {
    let contributions = Self.contributions(40, count: count)
    let sum = try Self.sum(of: contributions, count: count)
    #expect(sum.contributionCount == 40)
    #expect(sum.totalWeight == contributions.reduce(0) { $0 + $1.weight })
    let k = Self.bounds.exponent
    let mean = try #require(sum.mean())
    for i in 0..<count {
      // Powers of two do not round, so neither does this product: 24 bits times 29.
      let expected = contributions.reduce(Int64(0)) { total, contribution in
        let exact = Double(contribution.weight) * Double(contribution.update[i])
        let units = Double(sign: .plus, exponent: k, significand: exact.magnitude)
          .rounded(.toNearestOrEven)
        return total + Int64(exact < 0 ? -units : units)
      }
      #expect(Int64(bitPattern: sum.units[i]) == expected)
      let scaled = Double(sign: .plus, exponent: k, significand: Double(sum.totalWeight))
      #expect(mean[i] == Float(Double(expected) / scaled))
    }
  }

  @Test("Any order, any partition and any merge give the same bytes")
  func orderIndependence() throws {
    let count = 101
    let contributions = Self.contributions(40, count: count)
    let expected = try Self.sum(of: contributions, count: count).encoded()
    var random = RandomStream(seed: 2)
    for _ in 0..<20 {
      var shuffled = contributions
      random.shuffle(&shuffled)
      var parts = try (0..<4).map { _ in try ExactSum(count: count, bounds: Self.bounds) }
      for (update, weight) in shuffled {
        try parts[random.below(4)].add(update, weight: weight)
      }
      random.shuffle(&parts)
      var whole = parts[0]
      for part in parts[1...] { try whole.merge(part) }
      #expect(whole.encoded() == expected)
    }
  }

  @Test("Folding gives the same bytes as adding one by one", arguments: 0...8)
  func folding(number: Int) throws {
    for count in [1, 15, 16, 100] {
      let contributions = Self.contributions(number, count: count, seed: UInt64(number))
      var folded = try ExactSum(count: count, bounds: Self.bounds)
      try folded.add(folding: contributions)
      #expect(try folded == Self.sum(of: contributions, count: count))
    }
  }

  @Test(
    "What breaks a bound is refused with its reason, wherever it is, and changes nothing",
    arguments: [
      (Float.nan, NumericsError.Code.notFinite), (-.nan, .notFinite),
      (Float(bitPattern: 0x7F80_0001), .notFinite), (.infinity, .notFinite),
      (-.infinity, .notFinite), (Float(8).nextUp, .outOfBounds), (-Float(8).nextUp, .outOfBounds),
      (.greatestFiniteMagnitude, .outOfBounds), (-1e20, .outOfBounds),
    ])
  func refusals(bad: Float, code: NumericsError.Code) throws {
    let count = 70
    let contributions = Self.contributions(10, count: count)
    var sum = try Self.sum(of: contributions, count: count)
    let before = sum.encoded()
    for position in [0, 1, 31, 64, 69] {
      var spoiled = contributions[3].update
      spoiled[position] = bad
      let error = #expect(throws: NumericsError.self) { try sum.add(spoiled, weight: 599) }
      #expect(error?.code == code)
      #expect(sum.encoded() == before)
      for number in [1, 2, 3, 8] {
        var fold = Array(contributions[..<number])
        fold[number - 1].update = spoiled
        let error = #expect(throws: NumericsError.self) { try sum.add(folding: fold) }
        #expect(error?.code == code)
        #expect(sum.encoded() == before)
      }
    }
    #expect(sum.contributionCount == 10)
  }

  @Test("Wrong lengths, weights and numbers of updates are refused and change nothing")
  func otherRefusals() throws {
    let bounds = ExactSum.Bounds(coordinate: 1, weight: 5, contributions: 3)
    var sum = try ExactSum(count: 4, bounds: bounds)
    let x = ParameterVector(repeating: 1, count: 4)
    func code(_ body: () throws -> Void) -> NumericsError.Code? {
      #expect(throws: NumericsError.self, performing: body)?.code
    }
    #expect(code { try sum.add(ParameterVector(count: 5), weight: 1) } == .wrongLength)
    #expect(code { try sum.add(x, weight: 0) } == .weightOutOfBounds)
    #expect(code { try sum.add(x, weight: -1) } == .weightOutOfBounds)
    #expect(code { try sum.add(x, weight: 6) } == .weightOutOfBounds)
    #expect(
      code { try sum.add(folding: [(x, 1), (x, 1), (x, 1), (x, 1)]) } == .tooManyContributions)
    #expect(code { try sum.add(folding: [(x, 1), (x, 6)]) } == .weightOutOfBounds)
    #expect(try sum == ExactSum(count: 4, bounds: bounds))
    #expect(sum.mean() == nil)

    for _ in 0..<3 { try sum.add(x, weight: 5) }
    let before = sum
    #expect(code { try sum.add(x, weight: 1) } == .tooManyContributions)
    #expect(code { try sum.merge(sum) } == .tooManyContributions)
    #expect(code { try sum.merge(try ExactSum(count: 5, bounds: bounds)) } == .wrongLength)
    let other = ExactSum.Bounds(coordinate: 1, weight: 5, contributions: 4)
    #expect(code { try sum.merge(try ExactSum(count: 4, bounds: other)) } == .scaleMismatch)
    #expect(sum == before)
    #expect(sum.mean() == x)
  }

  @Test(
    "At the bounds themselves nothing overflows, and the mean is right",
    arguments: [
      (Float(1), 1, 1), (1, (1 << 29) - 1, 1000), (.greatestFiniteMagnitude, (1 << 29) - 1, 7),
      (.leastNonzeroMagnitude, 1, 3), (.leastNonzeroMagnitude, (1 << 29) - 1, 100), (3, 3, 1 << 31),
      (0.1, 12345, 129),
    ])
  func extremes(coordinate: Float, weight: Int, contributions: Int) throws {
    let bounds = ExactSum.Bounds(
      coordinate: coordinate, weight: weight, contributions: contributions)
    let greatest = Double(weight) * Double(coordinate)
    let term = Double(sign: .plus, exponent: bounds.exponent, significand: greatest)
    #expect(term <= 0x1p51)
    #expect(Double(contributions) * (term + 0.5) < 0x1p62)
    // The next k would be too great for one or the other.
    #expect(2 * term > 0x1p51 || 2 * term * Double(contributions) > 0x1p60)
    var sum = try ExactSum(count: 2, bounds: bounds)
    let x = ParameterVector([coordinate, -coordinate])
    for _ in 0..<min(contributions, 1000) { try sum.add(x, weight: weight) }
    #expect(sum.mean() == x)
    #expect(try sum.encoded().withUnsafeBytes { try ExactSum(decoding: $0) } == sum)
  }

  @Test("The mean's error is within the bound that is documented, and comes near it")
  func error() throws {
    // Few units, so that rounding to them is what one sees.
    let bounds = ExactSum.Bounds(coordinate: 0x1p40, weight: 1, contributions: 1000)
    #expect(bounds.exponent == 11)
    #expect(bounds.meanError == 0x1p-12)
    var random = RandomStream(seed: 4)
    var worst = 0.0
    for _ in 0..<50 {
      let updates = (0..<3).map { _ in
        ParameterVector((0..<64).map { _ in random.uniform(in: -1..<1) * 0x1p-9 })
      }
      let sum = try Self.sum(of: updates.map { ($0, 1) }, count: 64, bounds: bounds)
      let mean = try #require(sum.mean())
      for i in 0..<64 {
        let exact = updates.reduce(0.0) { $0 + Double($1[i]) } / 3
        worst = max(worst, abs(Double(mean[i]) - exact))
      }
    }
    #expect(worst <= bounds.meanError * (1 + 0x1p-20))
    #expect(worst > bounds.meanError * 0.9)
  }

  @Test("Bounds out of their ranges are refused by name")
  func bounds() {
    for (bounds, name) in [
      (.init(coordinate: 0, weight: 1, contributions: 1), "coordinate"),
      (.init(coordinate: .infinity, weight: 1, contributions: 1), "coordinate"),
      (.init(coordinate: .nan, weight: 1, contributions: 1), "coordinate"),
      (.init(coordinate: 1, weight: 0, contributions: 1), "weight"),
      (.init(coordinate: 1, weight: 1 << 29, contributions: 1), "weight"),
      (.init(coordinate: 1, weight: 1, contributions: 0), "contributions"),
      (.init(coordinate: 1, weight: 1, contributions: 1 << 31 + 1), "contributions"),
    ] as [(ExactSum.Bounds, String)] {
      let error = #expect(throws: NumericsError.self) { try ExactSum(count: 1, bounds: bounds) }
      #expect(error?.message.hasPrefix(name) == true)
    }
  }

  @Test("A stored sum goes on to the same bytes")
  func checkpoint() throws {
    let contributions = Self.contributions(40, count: 33)
    let whole = try Self.sum(of: contributions, count: 33)
    var half = try Self.sum(of: Array(contributions[..<17]), count: 33)
    half = try half.encoded().withUnsafeBytes { try ExactSum(decoding: $0) }
    for (update, weight) in contributions[17...] { try half.add(update, weight: weight) }
    #expect(half == whole)
    #expect(half.encoded() == whole.encoded())
  }

  @Test("Stored sums that are damaged are refused")
  func damagedCheckpoints() throws {
    let bytes = try Self.sum(of: Self.contributions(3, count: 5), count: 5).encoded()
    func code(_ bytes: [UInt8]) -> NumericsError.Code? {
      #expect(throws: NumericsError.self) {
        try bytes.withUnsafeBytes { try ExactSum(decoding: $0) }
      }?.code
    }
    func changed(_ offset: Int, _ value: UInt8) -> [UInt8] {
      var copy = bytes
      copy[offset] = value
      return copy
    }
    for length in 0..<bytes.count { #expect(code(Array(bytes[..<length])) == .malformed) }
    #expect(code(bytes + [0]) == .malformed)
    #expect(code(changed(0, 0)) == .malformed)
    #expect(code(changed(6, 2)) == .unsupported)
    #expect(code(changed(11, 0xFF)) == .malformed)  // coordinate below 0
    #expect(code(changed(15, 0xFF)) == .malformed)  // weight
    #expect(code(changed(16, 2)) == .malformed)  // fewer contributions allowed than there are
    #expect(code(changed(31, 1)) == .malformed)  // contributionCount
    #expect(code(changed(39, 0xFF)) == .malformed)  // totalWeight
    #expect(code(changed(40, 6)) == .malformed)  // count
    #expect(code(changed(bytes.count - 1, 0x40)) == .malformed)  // a coordinate near 2^62
    #expect(code(changed(bytes.count - 1, 0x80)) == .malformed)
  }
}
