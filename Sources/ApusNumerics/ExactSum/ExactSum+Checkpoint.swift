// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

// Layout, all little-endian: "APXSUM" and the version (UInt16); bounds: coordinate (Float32), weight
// (UInt32), contributions (UInt64); contributionCount, totalWeight, count (UInt64); units (Int64 each).

extension ExactSum {
  private static let magic = Array("APXSUM".utf8)
  private static let version: UInt16 = 1
  private static let headerLength = 48

  /// The bytes that ``init(decoding:)`` reads; equal sums have equal bytes.
  public func encoded() -> [UInt8] {
    var bytes = header(capacity: Self.headerLength + 8 * count)
    #if _endian(little)
      units.withUnsafeBytes { bytes.append(contentsOf: $0) }
    #else
      for unit in units {
        withUnsafeBytes(of: unit.littleEndian) { bytes.append(contentsOf: $0) }
      }
    #endif
    return bytes
  }

  /// Lends the bytes of ``encoded()`` in pieces that are not copied, where the processor's order allows.
  package func withEncodedPieces<Result>(
    _ body: ([UnsafeRawBufferPointer]) -> Result
  ) -> Result {
    #if _endian(little)
      return header(capacity: Self.headerLength).withUnsafeBytes { header in
        units.withUnsafeBytes { units in body([header, units]) }
      }
    #else
      return encoded().withUnsafeBytes { bytes in body([bytes]) }
    #endif
  }

  private func header(capacity: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(capacity)
    func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    bytes += Self.magic
    append(Self.version)
    append(bounds.coordinate.bitPattern)
    append(UInt32(bounds.weight))
    append(UInt64(bounds.contributions))
    append(UInt64(contributionCount))
    append(UInt64(totalWeight))
    append(UInt64(count))
    return bytes
  }

  /// The sum that ``encoded()`` made these bytes of.
  ///
  /// - Throws: ``NumericsError``: `unsupported` for another version; `malformed` if the bytes are no sum, or
  ///   one that updates within its bounds cannot have led to.
  public init(decoding bytes: UnsafeRawBufferPointer) throws(NumericsError) {
    func value<Value: FixedWidthInteger>(at offset: Int, _: Value.Type) -> Value {
      Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
    guard bytes.count >= Self.headerLength, bytes[..<6].elementsEqual(Self.magic) else {
      throw NumericsError(.malformed, "These \(bytes.count) bytes are no stored sum.")
    }
    let version = value(at: 6, UInt16.self)
    guard version == Self.version else {
      throw NumericsError(
        .unsupported,
        "The stored sum has format \(version); this version of Apus reads \(Self.version).")
    }
    let bounds = Bounds(
      coordinate: Float(bitPattern: value(at: 8, UInt32.self)),
      weight: Int(value(at: 12, UInt32.self)),
      contributions: Int(clamping: value(at: 16, UInt64.self)))
    let contributionCount = value(at: 24, UInt64.self)
    let totalWeight = value(at: 32, UInt64.self)
    let count = (bytes.count - Self.headerLength) / 8
    guard value(at: 40, UInt64.self) == UInt64(count),
      bytes.count == Self.headerLength + 8 * count
    else {
      throw NumericsError(
        .malformed, "The stored sum is cut off or too long: it has \(bytes.count) bytes.")
    }
    do {
      try self.init(count: count, bounds: bounds)
    } catch {
      throw NumericsError(
        .malformed, "The stored sum has bounds that cannot be: \(error.message)", cause: error)
    }
    // With bounds in their ranges, none of these products overflows.
    let greatest = contributionCount.multipliedReportingOverflow(by: bounds.greatestTerm)
    guard contributionCount <= UInt64(bounds.contributions), totalWeight >= contributionCount,
      totalWeight <= contributionCount * UInt64(bounds.weight), !greatest.overflow
    else {
      throw NumericsError(
        .malformed,
        "The stored sum has \(contributionCount) updates of a total weight of "
          + "\(totalWeight), which its bounds do not allow.")
    }
    units.withUnsafeMutableBytes {
      $0.copyMemory(from: .init(rebasing: bytes[Self.headerLength...]))
    }
    #if !_endian(little)
      for i in units.indices { units[i] = UInt64(littleEndian: units[i]) }
    #endif
    let found = units.withUnsafeBufferPointer { apus_exact_greatest($0.count, $0.baseAddress) }
    guard found <= greatest.partialValue else {
      throw NumericsError(
        .malformed, "The stored sum has a coordinate that its updates cannot have led to.")
    }
    self.contributionCount = Int(contributionCount)
    self.totalWeight = Int(totalWeight)
  }
}
