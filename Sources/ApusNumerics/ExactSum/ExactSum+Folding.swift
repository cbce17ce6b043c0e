// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

extension ExactSum {
  /// An update whose numbers are in memory that its owner keeps until the sum has them, for example a mapped
  /// file.
  package struct Source: @unchecked Sendable {
    // Sendable: the memory is only read, and its owner keeps it and does not write to it meanwhile.
    package enum Numbers {
      /// Float32, where they are.
      case inPlace(UnsafePointer<Float>)
      /// In another format: writes the numbers of a range as Float32.
      case decoded(@Sendable (Range<Int>, UnsafeMutablePointer<Float>) -> Void)
    }

    package let numbers: Numbers
    package let count: Int
    package let weight: Int

    package init(_ numbers: Numbers, count: Int, weight: Int) {
      self.numbers = numbers
      self.count = count
      self.weight = weight
    }
  }

  /// Coordinates that one thread takes at a time, and those that are decoded at once (128 KB for eight).
  private static let pieceLength = 1 << 16
  private static let blockLength = 1 << 12

  /// Adds up to eight updates in one pass over the sum, on several threads.
  ///
  /// - Precondition: there are at most ``foldWidth`` sources.
  /// - Parameters:
  ///   - sources: of the sum's length each.
  ///   - forEach: calls a body once for each whole number below a count, on any threads and in any order, and
  ///     returns when all calls have.
  /// - Throws: as ``add(_:weight:)``; the sum is then unchanged.
  /// - Complexity: one pass over the sum and every source; two where one is refused.
  package mutating func add(
    folding sources: [Source],
    sharedBy forEach: (_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> Void
  ) throws(NumericsError) {
    precondition(sources.count <= Self.foldWidth, "Too many updates to fold at once.")
    guard !sources.isEmpty else { return }
    for (index, source) in sources.enumerated() {
      try check(count: source.count, weight: source.weight, alreadyAdded: index)
    }
    let scales = sources.map { bounds.scale(weight: $0.weight) }
    let pieces = (count + Self.pieceLength - 1) / Self.pieceLength
    var tops = [UInt32](repeating: 0, count: pieces)
    let count = count
    func pass(subtracting: Bool) {
      units.withUnsafeMutableBufferPointer { units in
        tops.withUnsafeMutableBufferPointer { tops in
          let pass = Pass(sources: sources, scales: scales, units: units, tops: tops)
          forEach(pieces) { piece in
            let first = piece * Self.pieceLength
            pass.run(
              first..<min(first + Self.pieceLength, count), piece: piece, subtracting: subtracting)
          }
        }
      }
    }
    pass(subtracting: false)
    if let top = tops.max(), top > bounds.coordinate.bitPattern {
      pass(subtracting: true)
      throw bounds.refusal(magnitude: top)
    }
    contributionCount += sources.count
    totalWeight += sources.reduce(0) { $0 + $1.weight }
  }

  /// One pass over all pieces.
  private struct Pass: @unchecked Sendable {
    // Sendable: every piece is run once, and pieces do not overlap in `units` nor in `tops`.
    let sources: [Source]
    let scales: [Double]
    let units: UnsafeMutableBufferPointer<UInt64>
    let tops: UnsafeMutableBufferPointer<UInt32>

    func run(_ range: Range<Int>, piece: Int, subtracting: Bool) {
      let isInPlace = sources.allSatisfy { if case .inPlace = $0.numbers { true } else { false } }
      if isInPlace { return runBlock(range, scratch: nil, piece: piece, subtracting: subtracting) }
      let scratch = UnsafeMutablePointer<Float>.allocate(
        capacity: sources.count * ExactSum.blockLength)
      defer { scratch.deallocate() }
      for first in stride(from: range.lowerBound, to: range.upperBound, by: ExactSum.blockLength) {
        let block = first..<min(first + ExactSum.blockLength, range.upperBound)
        runBlock(block, scratch: scratch, piece: piece, subtracting: subtracting)
      }
    }

    private func runBlock(
      _ range: Range<Int>, scratch: UnsafeMutablePointer<Float>?, piece: Int, subtracting: Bool
    ) {
      guard let all = units.baseAddress else { return }
      let sum = all + range.lowerBound
      var bases: [UnsafePointer<Float>?] = []
      bases.reserveCapacity(ExactSum.foldWidth)
      for (place, source) in sources.enumerated() {
        switch source.numbers {
        case .inPlace(let base): bases.append(base + range.lowerBound)
        case .decoded(let decode):
          guard let scratch else { return }
          let block = scratch + place * ExactSum.blockLength
          decode(range, block)
          bases.append(UnsafePointer(block))
        }
      }
      var top: UInt32 = 0
      if sources.count <= 2 {
        for (base, scale) in zip(bases, scales) {
          if subtracting {
            apus_exact_subtract(range.count, sum, base, scale)
          } else {
            top = max(top, apus_exact_add(range.count, sum, base, scale))
          }
        }
      } else {
        // Places that are left are filled with the first update at scale 0, which adds nothing.
        let missing = ExactSum.foldWidth - bases.count
        bases += Array(repeating: bases[0], count: missing)
        let scales = scales + Array(repeating: 0.0, count: missing)
        if subtracting {
          apus_exact_subtract8(range.count, sum, bases, scales)
        } else {
          top = apus_exact_add8(range.count, sum, bases, scales)
        }
      }
      if !subtracting { tops[piece] = max(tops[piece], top) }
    }
  }
}
