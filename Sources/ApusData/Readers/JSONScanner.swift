// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Reads JSON from the left, without building a tree of it.
///
/// > T. Bray. "The JavaScript Object Notation (JSON) data interchange format." RFC 8259.
struct JSONScanner {
  /// Arrays and objects within each other that are skipped; more is an error, not a crash.
  private static let depthLimit = 64

  private let bytes: UnsafeBufferPointer<UInt8>
  private let file: String
  private var position = 0
  /// The line that is read, from 1.
  private(set) var line = 1

  init(_ bytes: UnsafeBufferPointer<UInt8>, file: String) {
    self.bytes = bytes
    self.file = file
  }

  /// Calls `read` for every member of the object that comes next; it must read or skip the value.
  mutating func object(
    _ read: (inout JSONScanner, String) throws(DataError) -> Void
  ) throws(DataError) {
    try expect(UInt8(ascii: "{"), "an object")
    if take(UInt8(ascii: "}")) { return }
    repeat {
      let key = try string()
      try expect(UInt8(ascii: ":"), "a colon")
      try read(&self, key)
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"), "a comma or the object's end")
  }

  /// Calls `read` for every element of the array that comes next; it must read or skip it.
  mutating func array(
    _ read: (inout JSONScanner) throws(DataError) -> Void
  ) throws(DataError) {
    try expect(UInt8(ascii: "["), "an array")
    if take(UInt8(ascii: "]")) { return }
    repeat { try read(&self) } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"), "a comma or the array's end")
  }

  /// The next string, its escapes resolved.
  mutating func string() throws(DataError) -> String {
    try expect(UInt8(ascii: "\""), "a string")
    var units: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: units, as: UTF8.self) else {
          throw error("a string that is not UTF-8")
        }
        return text
      case UInt8(ascii: "\\"): try escape(into: &units)
      case 0..<0x20: throw error("a control character in a string")
      default: units.append(byte)
      }
    }
    throw error("the end of the file in a string")
  }

  /// The next number, finite.
  mutating func number() throws(DataError) -> Double {
    skipBlanks()
    let start = position
    while position < bytes.count, Self.isNumeric(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let number = Double(text), number.isFinite else {
      throw error("\"\(text.prefix(40))\" where a number was expected")
    }
    return number
  }

  /// The first byte of the next value; nil at the file's end.
  mutating func peek() -> UInt8? {
    skipBlanks()
    return position < bytes.count ? bytes[position] : nil
  }

  /// Goes beyond the next value, whatever it is.
  mutating func skipValue(depth: Int = 0) throws(DataError) {
    guard depth < Self.depthLimit else {
      throw error("more than \(Self.depthLimit) arrays within each other")
    }
    switch peek() {
    case UInt8(ascii: "{"):
      try object { (scanner, _) throws(DataError) in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["):
      try array { (scanner) throws(DataError) in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: _ = try number()
    }
  }

  /// Only blanks may follow.
  mutating func end() throws(DataError) {
    if peek() != nil { throw error("more text after the value's end") }
  }

  /// An error at the current line.
  func error(_ found: String) -> DataError {
    DataError(.malformed, file: file, line: line, "the JSON has \(found).")
  }

  private mutating func expect(_ byte: UInt8, _ what: String) throws(DataError) {
    guard take(byte) else {
      let found =
        position < bytes.count
        ? "\"\(Unicode.Scalar(bytes[position]))\"" : "the end of the file"
      throw error("\(found) where \(what) was expected")
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  private mutating func word(_ word: StaticString) throws(DataError) {
    let letters = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard bytes[position...].starts(with: letters) else { throw error("an unknown word") }
    position += letters.count
  }

  private mutating func skipBlanks() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\n"): line += 1
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
      default: return
      }
      position += 1
    }
  }

  private static func isNumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
      UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private mutating func escape(into units: inout [UInt8]) throws(DataError) {
    guard position < bytes.count else { throw error("the end of the file in a string") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
    case UInt8(ascii: "b"): units.append(8)
    case UInt8(ascii: "f"): units.append(12)
    case UInt8(ascii: "n"): units.append(10)
    case UInt8(ascii: "r"): units.append(13)
    case UInt8(ascii: "t"): units.append(9)
    case UInt8(ascii: "u"): units += try codePoint().utf8
    default: throw error("an unknown escape in a string")
    }
  }

  /// What follows `\u`, and the second half of a pair, if it is one.
  private mutating func codePoint() throws(DataError) -> String {
    var units = [try hexadecimal()]
    if UTF16.isLeadSurrogate(units[0]) {
      guard bytes[position...].starts(with: Array("\\u".utf8)) else {
        throw error("half of a surrogate pair")
      }
      position += 2
      units.append(try hexadecimal())
    }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw error("half of a surrogate pair")
    }
    return text
  }

  private mutating func hexadecimal() throws(DataError) -> UInt16 {
    let digits = bytes[position...].prefix(4)
    let text = String(decoding: digits, as: UTF8.self)
    guard digits.count == 4, !text.hasPrefix("+"), let value = UInt16(text, radix: 16) else {
      throw error("an escape without four hexadecimal digits")
    }
    position += 4
    return value
  }
}
