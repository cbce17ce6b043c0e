// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

/// Σ wᵢxᵢ over weighted updates, as 64-bit fixed-point integers.
///
/// Integers can be added in any order: the bytes of the sum do not depend on the order of the updates, on
/// threads, on processes, on what was merged when, or on a crash in between.
///
/// **Units.** A coordinate x of weight w adds round(w · 2ᵏ · x), nearest, ties to even. The product is exact
/// in Double (24 bits of x times at most 29 of w), so this is the only rounding. k is ``Bounds/exponent``:
/// the greatest with which no term exceeds 2⁵¹, where Double still has its units, and no total 2⁶².
///
/// **Error.** Each term is off by at most half a unit, so the mean of n updates is off by at most
/// n / (2 Σ wᵢ) · 2⁻ᵏ ≤ 2⁻ᵏ⁻¹ (``Bounds/meanError``), and then by the roundings to Double and Float32. For
/// coordinates up to 1,024, weights up to 600 and 100 updates, k is 31: the error is 2⁻³² at most, half a
/// unit in the last place of a Float32 of 2⁻⁸.
///
/// An update that does not keep to the bounds is refused, and leaves the sum as it was.
public struct ExactSum: Sendable {
  /// What was agreed on before the first update came.
  public let bounds: Bounds
  /// How many updates are in the sum.
  public internal(set) var contributionCount = 0
  /// Σ wᵢ.
  public internal(set) var totalWeight = 0
  /// Two's complement, in units of 2⁻ᵏ.
  var units: [UInt64]

  /// An empty sum.
  ///
  /// - Parameters:
  ///   - count: coordinates of an update.
  ///   - bounds: that every update will keep to.
  /// - Throws: ``NumericsError`` (`invalid-value`) if a bound is out of its range.
  /// - Allocates: `count` × 8 bytes.
  public init(count: Int, bounds: Bounds) throws(NumericsError) {
    precondition(count >= 0, "A sum cannot have \(count) coordinates.")
    self.bounds = try bounds.validated()
    units = Array(repeating: 0, count: count)
  }

  /// How many coordinates an update has.
  public var count: Int { units.count }

  /// Adds an update.
  ///
  /// - Throws: ``NumericsError``: `wrong-length`, `weight-out-of-bounds`, `too-many-contributions`,
  ///   `not-finite` or `out-of-bounds`. The sum is then unchanged.
  /// - Complexity: one pass over the coordinates; two if they are refused.
  public mutating func add(_ x: ParameterVector, weight: Int) throws(NumericsError) {
    try check(count: x.count, weight: weight, alreadyAdded: 0)
    let scale = bounds.scale(weight: weight)
    let top = units.withUnsafeMutableBufferPointer { sum in
      x.withUnsafeBufferPointer { x in
        apus_exact_add(sum.count, sum.baseAddress, x.baseAddress, scale)
      }
    }
    contributionCount += 1
    totalWeight += weight
    if top > bounds.coordinate.bitPattern {
      // What is taken back is bit for bit what was added, so this is cheaper than looking first.
      takeBack(x, weight: weight)
      throw bounds.refusal(magnitude: top)
    }
  }

  private mutating func takeBack(_ x: ParameterVector, weight: Int) {
    let scale = bounds.scale(weight: weight)
    units.withUnsafeMutableBufferPointer { sum in
      x.withUnsafeBufferPointer { x in
        apus_exact_subtract(sum.count, sum.baseAddress, x.baseAddress, scale)
      }
    }
    contributionCount -= 1
    totalWeight -= weight
  }

  /// An update and its weight.
  public typealias Contribution = (update: ParameterVector, weight: Int)

  /// How many updates are worth folding together.
  public static let foldWidth = 8

  /// Adds up to eight updates in one pass over the sum: the same bytes as one by one, in less time
  /// where the sum does not fit in a cache.
  ///
  /// - Precondition: there are at most ``foldWidth`` contributions.
  /// - Throws: as ``add(_:weight:)``, for the first of the contributions that cannot be added. The sum is
  ///   then unchanged: none of them was added.
  public mutating func add(folding contributions: [Contribution]) throws(NumericsError) {
    precondition(contributions.count <= Self.foldWidth, "Too many updates to fold at once.")
    for (index, (update, weight)) in contributions.enumerated() {
      try check(count: update.count, weight: weight, alreadyAdded: index)
    }
    guard contributions.count > 2 else { return try addSingly(contributions) }
    // Places that are left are filled with the first update at scale 0, which adds nothing.
    var bases = Array(
      repeating: Optional(UnsafePointer(contributions[0].update.storage.base)),
      count: Self.foldWidth)
    var scales = Array(repeating: 0.0, count: Self.foldWidth)
    for (index, (update, weight)) in contributions.enumerated() {
      bases[index] = UnsafePointer(update.storage.base)
      scales[index] = bounds.scale(weight: weight)
    }
    let top = withExtendedLifetime(contributions) {
      units.withUnsafeMutableBufferPointer { sum in
        let top = apus_exact_add8(sum.count, sum.baseAddress, bases, scales)
        if top > bounds.coordinate.bitPattern {
          apus_exact_subtract8(sum.count, sum.baseAddress, bases, scales)
        }
        return top
      }
    }
    if top > bounds.coordinate.bitPattern {
      let tops = contributions.map(\.update.greatestMagnitude)
      throw bounds.refusal(magnitude: tops.first { $0 > bounds.coordinate.bitPattern } ?? top)
    }
    contributionCount += contributions.count
    totalWeight += contributions.reduce(0) { $0 + $1.weight }
  }

  private mutating func addSingly(_ contributions: [Contribution]) throws(NumericsError) {
    for (index, (update, weight)) in contributions.enumerated() {
      do {
        try add(update, weight: weight)
      } catch {
        for (update, weight) in contributions[..<index] { takeBack(update, weight: weight) }
        throw error
      }
    }
  }

  /// Makes it the sum of nothing, in the memory that it has.
  public mutating func removeAll() {
    units.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    contributionCount = 0
    totalWeight = 0
  }

  /// Adds what another sum of the same bounds has.
  ///
  /// - Throws: ``NumericsError``: `scale-mismatch`, `wrong-length` or `too-many-contributions`. The sum is
  ///   then unchanged.
  public mutating func merge(_ other: ExactSum) throws(NumericsError) {
    guard other.bounds == bounds else {
      throw NumericsError(
        .scaleMismatch, "Sums of different bounds cannot be merged: \(bounds) and \(other.bounds).")
    }
    guard other.count == count else {
      throw NumericsError(
        .wrongLength, "A sum of \(other.count) coordinates cannot be merged into one of \(count).")
    }
    try check(contributions: other.contributionCount)
    units.withUnsafeMutableBufferPointer { sum in
      other.units.withUnsafeBufferPointer { other in
        apus_exact_merge(sum.count, sum.baseAddress, other.baseAddress)
      }
    }
    contributionCount += other.contributionCount
    totalWeight += other.totalWeight
  }

  /// Σ wᵢxᵢ / Σ wᵢ; nil while there are no contributions.
  ///
  /// - Allocates: a vector.
  public func mean() -> ParameterVector? {
    guard contributionCount > 0 else { return nil }
    // Exact for total weights up to 2⁵³.
    let divisor = bounds.scale(weight: totalWeight)
    var mean = ParameterVector(count: count)
    units.withUnsafeBufferPointer { sum in
      mean.withUnsafeMutableBufferPointer { mean in
        apus_exact_mean(sum.count, sum.baseAddress, divisor, mean.baseAddress)
      }
    }
    return mean
  }

  func check(count other: Int, weight: Int, alreadyAdded: Int) throws(NumericsError) {
    guard other == count else {
      throw NumericsError(
        .wrongLength, "The update has \(other) coordinates; the sum has \(count).")
    }
    guard weight >= 1 && weight <= bounds.weight else {
      throw NumericsError(
        .weightOutOfBounds, "The update has the weight \(weight), not one in 1...\(bounds.weight).")
    }
    try check(contributions: alreadyAdded + 1)
  }

  private func check(contributions: Int) throws(NumericsError) {
    guard contributions <= bounds.contributions - contributionCount else {
      throw NumericsError(
        .tooManyContributions,
        "The sum has room for \(bounds.contributions) updates, of which \(contributionCount) came, "
          + "and now \(contributions) more.")
    }
  }
}

/// Whether the bounds, the updates counted and all coordinates are the same.
extension ExactSum: Equatable {}
