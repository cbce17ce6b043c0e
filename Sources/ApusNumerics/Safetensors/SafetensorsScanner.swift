// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The part of JSON that headers are written in.
///
/// Not Foundation's parser, because that keeps the last of two equal keys in silence.
struct SafetensorsScanner {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private func unexpected(_ expected: String) -> NumericsError {
    .header("at byte \(position), expected \(expected)")
  }

  /// Whether the next byte behind white space is this one; takes it if so.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(NumericsError) {
    guard take(character) else { throw unexpected("\(character)") }
  }

  mutating func end() throws(NumericsError) {
    skipSpace()
    guard position == bytes.count else { throw unexpected("the end") }
  }

  /// An object; `body` is called behind every key and colon, and takes the value.
  mutating func object(
    _ body: (inout SafetensorsScanner, String) throws(NumericsError) -> Void
  ) throws(NumericsError) {
    try expect("{")
    if take("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try body(&self, key)
    } while take(",")
    try expect("}")
  }

  mutating func dictionary() throws(NumericsError) -> [String: String] {
    var result: [String: String] = [:]
    try object { scanner, key throws(NumericsError) in
      let value = try scanner.string()
      guard result.updateValue(value, forKey: key) == nil else {
        throw .header("\"\(key)\" is in the metadata twice")
      }
    }
    return result
  }

  mutating func tensor(_ name: String) throws(NumericsError) -> Safetensors.Tensor {
    var (type, shape, offsets) = (String?.none, [Int]?.none, [Int]?.none)
    try object { scanner, key throws(NumericsError) in
      switch key {
      case "dtype" where type == nil: type = try scanner.string()
      case "shape" where shape == nil: shape = try scanner.numbers()
      case "data_offsets" where offsets == nil: offsets = try scanner.numbers()
      default: throw .header("\"\(name)\" has a key \"\(key)\" too many")
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
      throw .header("\"\(name)\" needs dtype, shape and two rising data_offsets")
    }
    guard let element = Safetensors.Element(rawValue: type) else {
      throw NumericsError(
        .unsupported,
        "\"\(name)\" holds numbers of type \"\(type)\"; this version knows "
          + Safetensors.Element.allCases.map(\.rawValue).joined(separator: ", ") + ".")
    }
    return Safetensors.Tensor(
      name: name, element: element, shape: Shape(shape), range: offsets[0]..<offsets[1])
  }

  private mutating func numbers() throws(NumericsError) -> [Int] {
    try expect("[")
    if take("]") { return [] }
    var result: [Int] = []
    repeat {
      result.append(try number())
    } while take(",")
    try expect("]")
    return result
  }

  /// A whole number, at least 0.
  private mutating func number() throws(NumericsError) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, case let digit = Int(bytes[position]) - 48, (0...9) ~= digit {
      let (tenfold, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (next, overflowedToo) = tenfold.addingReportingOverflow(digit)
      guard !overflowed, !overflowedToo else { throw unexpected("a number below 2^63") }
      value = next
      position += 1
    }
    let hasLeadingZero = position - start > 1 && bytes[start] == UInt8(ascii: "0")
    guard position > start, !hasLeadingZero else { throw unexpected("a whole number") }
    return value
  }

  private mutating func string() throws(NumericsError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw unexpected("text in UTF-8 before it")
        }
        return string
      case UInt8(ascii: "\\"): try escape(into: &text)
      case ..<0x20: throw unexpected("no control character before it")
      default: text.append(byte)
      }
    }
    throw unexpected("the end of a text")
  }

  private mutating func escape(into text: inout [UInt8]) throws(NumericsError) {
    guard position < bytes.count else { throw unexpected("an escape") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var units = [try codeUnit()]
      if UTF16.isLeadSurrogate(units[0]), position + 1 < bytes.count,
        bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        units.append(try codeUnit())
      }
      guard let string = String(validating: units, as: UTF16.self) else {
        throw unexpected("a pair of surrogates before it")
      }
      text += Array(string.utf8)
    default: throw unexpected("a known escape before it")
    }
  }

  private mutating func codeUnit() throws(NumericsError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard position < bytes.count,
        let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
      else { throw unexpected("four hexadecimal digits") }
      value = value << 4 | UInt16(digit)
      position += 1
    }
    return value
  }
}
