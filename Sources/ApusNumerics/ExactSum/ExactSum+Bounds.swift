// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

extension ExactSum {
  /// What updates keep to, from which the unit follows.
  public struct Bounds: Hashable, Sendable, Codable {
    /// The greatest |x| of a coordinate; finite and above 0.
    public var coordinate: Float
    /// The greatest weight, in 1..<2²⁹.
    public var weight: Int
    /// The greatest number of updates, in 1...2³¹.
    public var contributions: Int

    public init(coordinate: Float, weight: Int, contributions: Int) {
      self.coordinate = coordinate
      self.weight = weight
      self.contributions = contributions
    }

    /// These bounds, if each is in its range.
    ///
    /// - Throws: ``NumericsError`` (`invalid-value`) that names the bound.
    public func validated() throws(NumericsError) -> Bounds {
      try NumericsError.check(
        coordinate.isFinite && coordinate > 0, "coordinate", is: "above 0 and finite",
        not: coordinate)
      try NumericsError.check(
        weight >= 1 && weight < 1 << 29, "weight", is: "in 1..<2^29", not: weight)
      try NumericsError.check(
        contributions >= 1 && contributions <= 1 << 31, "contributions", is: "in 1...2^31",
        not: contributions)
      return self
    }

    /// k: a unit of the sum is 2⁻ᵏ.
    ///
    /// With weight · coordinate ≤ 2ᵖ and contributions ≤ 2ᶜ, k = min(51, 61 − c) − p. So a term is at most
    /// 2⁵¹, and with its rounding the total at most 2⁶¹ + contributions / 2 < 2⁶².
    public var exponent: Int {
      // Exact: 29 bits times 24.
      let greatest = Double(weight) * Double(coordinate)
      let p = greatest.significand == 1 ? Int(greatest.exponent) : Int(greatest.exponent) + 1
      let c = Int.bitWidth - (contributions - 1).leadingZeroBitCount
      return min(51, 61 - c) - p
    }

    /// The greatest error of the mean that rounding to units makes, 2⁻ᵏ⁻¹: it is reached only if every
    /// weight is 1, and shrinks with the mean weight.
    public var meanError: Double { Double(sign: .plus, exponent: -exponent - 1, significand: 1) }

    /// weight · 2ᵏ.
    func scale(weight: Int) -> Double {
      Double(sign: .plus, exponent: exponent, significand: Double(weight))
    }

    /// No term is greater, in units: ⌈weight · coordinate · 2ᵏ⌉.
    var greatestTerm: UInt64 {
      UInt64((scale(weight: weight) * Double(coordinate)).rounded(.up))
    }

    /// Why a coordinate of these bits is refused; its value stays untold.
    func refusal(magnitude: UInt32) -> NumericsError {
      magnitude >= Float.infinity.bitPattern
        ? NumericsError(
          .notFinite, "The update has a coordinate that is infinite or not a number.")
        : NumericsError(
          .outOfBounds, "The update has a coordinate beyond the bound of \(coordinate).")
    }
  }
}

extension ExactSum.Bounds: CustomStringConvertible {
  public var description: String {
    "\(contributions) updates of weights up to \(weight) and coordinates up to \(coordinate)"
  }
}
