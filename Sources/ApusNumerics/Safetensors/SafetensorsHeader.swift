// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What the beginning of a safetensors file says about the rest.
///
/// The rules are those of the reference library, and stricter where it is lax: keys appear once, and only
/// the keys that the format has.
struct SafetensorsHeader: Hashable, Sendable {
  /// The reference library's limit.
  static let longest = 100_000_000

  var metadata: [String: String] = [:]
  /// In the order of their bytes, which follow each other without gaps.
  var tensors: [Safetensors.Tensor] = []

  /// - Parameters:
  ///   - bytes: the header, without the length before it.
  ///   - dataCount: how many bytes come behind it.
  /// - Throws: ``NumericsError`` (`malformed`) with what is wrong, and (`unsupported`) for a kind of number
  ///   that is not known.
  init(_ bytes: UnsafeRawBufferPointer, dataCount: Int) throws(NumericsError) {
    guard bytes.first == UInt8(ascii: "{") else { throw .header("it does not begin with {") }
    var scanner = SafetensorsScanner(bytes)
    var names: Set<String> = []
    try scanner.object { scanner, name throws(NumericsError) in
      guard names.insert(name).inserted else { throw .header("\"\(name)\" is there twice") }
      if name == "__metadata__" {
        metadata = try scanner.dictionary()
      } else {
        tensors.append(try scanner.tensor(name))
      }
    }
    try scanner.end()
    try checkRanges(dataCount: dataCount)
  }

  private mutating func checkRanges(dataCount: Int) throws(NumericsError) {
    // Empty arrays share their beginning with the next one.
    tensors.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    for tensor in tensors {
      guard let count = tensor.shape.checkedCount,
        case let (byteCount, overflowed) = count.multipliedReportingOverflow(
          by: tensor.element.byteCount), !overflowed
      else { throw .header("the shape of \"\(tensor.name)\" is too large") }
      guard tensor.range.count == byteCount else {
        throw .header(
          "\"\(tensor.name)\" has \(tensor.range.count) bytes where its shape needs \(byteCount)")
      }
      guard tensor.range.lowerBound == end else {
        throw .header(
          "\"\(tensor.name)\" begins at byte \(tensor.range.lowerBound) instead of \(end)")
      }
      end = tensor.range.upperBound
    }
    guard end == dataCount else {
      throw .header("it describes \(end) bytes of numbers, and \(dataCount) follow")
    }
  }
}

extension NumericsError {
  static func header(_ problem: String) -> NumericsError {
    NumericsError(.malformed, "The header of the safetensors file is wrong: \(problem).")
  }
}
