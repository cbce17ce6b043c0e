// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

// Written out rather than taken from the standard library, whose algorithms may change with its version,
// or from the C library, whose last bits change with the processor: the same seed gives the same numbers as
// long as this file stays.

extension RandomStream {
  /// A number in 0..<1, in steps of 2⁻⁵³.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in the range, in steps of its 2⁻²⁴th part.
  public mutating func uniform(in range: Range<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * Float(next() >> 40) * 0x1p-24
  }

  /// A whole number in 0..<bound, every one equally likely.
  ///
  /// > D. Lemire. "Fast random integer generation in an interval." TOMACS 2019.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "There is no whole number in 0..<\(bound).")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// A sample of the standard normal distribution (Box and Muller's transform).
  public mutating func normal() -> Double {
    if let spareNormal {
      self.spareNormal = nil
      return spareNormal
    }
    let radius = (-2 * apus_elementary_log(1 - uniform())).squareRoot()
    var (sine, cosine) = (0.0, 0.0)
    apus_elementary_sincos(2 * Double.pi * uniform(), &sine, &cosine)
    spareNormal = radius * sine
    return radius * cosine
  }

  /// Puts the elements in a random order, every one equally likely (Fisher and Yates).
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    guard elements.count > 1 else { return }
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, below(last + 1))
    }
  }

  /// `count` different whole numbers in 0..<population, in rising order.
  ///
  /// - Complexity: O(count log count) whatever the population (Floyd's algorithm).
  public mutating func sample(_ count: Int, outOf population: Int) -> [Int] {
    precondition(count >= 0 && count <= population, "Cannot sample \(count) of \(population).")
    if count == population { return Array(0..<population) }
    var chosen = Set<Int>(minimumCapacity: count)
    for last in (population - count)..<population {
      let candidate = below(last + 1)
      if !chosen.insert(candidate).inserted { chosen.insert(last) }
    }
    return chosen.sorted()
  }
}
