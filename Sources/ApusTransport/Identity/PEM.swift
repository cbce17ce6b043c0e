// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// DER in letters, with a line before it that says what it is (RFC 7468).
enum PEM {
  struct Block: Equatable {
    var label: String
    var der: [UInt8]
  }

  static let limit = 1 << 20

  /// All blocks of a text, in order; what stands between them is left out.
  ///
  /// - Throws: ``TransportError`` (`malformed`) where a block is cut off or has letters that do not belong.
  static func blocks(of text: [UInt8]) throws(TransportError) -> [Block] {
    guard text.count <= limit else {
      throw TransportError(.malformed, "A PEM text of more than 1 MiB is not read.")
    }
    guard !text.isEmpty else { return [] }
    return try text.withUnsafeBufferPointer { text throws(TransportError) in
      guard let source = BIO_new_mem_buf(text.baseAddress, Int32(text.count)) else {
        throw .cryptography("A PEM text cannot be read")
      }
      defer { BIO_free(source) }
      return try blocks(from: source)
    }
  }

  private static func blocks(from source: OpaquePointer) throws(TransportError) -> [Block] {
    var blocks: [Block] = []
    while true {
      var name: UnsafeMutablePointer<CChar>?
      var header: UnsafeMutablePointer<CChar>?
      var data: UnsafeMutablePointer<UInt8>?
      var count = 0
      ERR_clear_error()
      guard PEM_read_bio(source, &name, &header, &data, &count) == 1 else {
        let number = ERR_peek_last_error()
        let isEnd = ERR_GET_REASON(number) == PEM_R_NO_START_LINE
        if isEnd {
          ERR_clear_error()
          return blocks
        }
        throw .malformed("A PEM block cannot be read")
      }
      defer {
        CRYPTO_free(name, #fileID, #line)
        CRYPTO_free(header, #fileID, #line)
        CRYPTO_clear_free(data, count, #fileID, #line)
      }
      guard let name, let data else { continue }
      blocks.append(
        Block(
          label: String(cString: name),
          der: [UInt8](UnsafeBufferPointer(start: data, count: count))))
    }
  }

  /// Writes one block; 64 letters a line.
  static func text(_ label: String, _ der: [UInt8]) -> [UInt8] {
    var text = [UInt8]("-----BEGIN \(label)-----\n".utf8)
    text.reserveCapacity(der.count * 2 + 100)
    // 48 bytes are 64 letters.
    var line = [UInt8](repeating: 0, count: 65)
    for start in stride(from: 0, to: der.count, by: 48) {
      let count = min(48, der.count - start)
      let letters = der.withUnsafeBufferPointer { bytes in
        bytes.baseAddress.map { EVP_EncodeBlock(&line, $0 + start, Int32(count)) } ?? 0
      }
      text += line[..<Int(letters)]
      text.append(UInt8(ascii: "\n"))
    }
    line.wipe()
    text += "-----END \(label)-----\n".utf8
    return text
  }
}
