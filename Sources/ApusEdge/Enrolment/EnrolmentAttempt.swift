// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusTransport

/// An attempt to join, durable before the first call: however often it is repeated, it becomes one device.
struct EnrolmentAttempt: Equatable {
  /// SHA-256 of the invitation's token: tells invitations apart.
  var token: [UInt8]
  /// 16 bytes.
  var idempotencyKey: [UInt8]

  static let file = "joining"

  /// Reads the attempt in a directory; nil where there is none.
  ///
  /// - Throws: ``TransportError``.
  static func load(from directory: String) throws(TransportError) -> EnrolmentAttempt? {
    let path = "\(directory)/\(file)"
    guard PrivateFile.exists(path) else { return nil }
    let lines = String(decoding: try PrivateFile.read(path), as: UTF8.self).split(separator: "\n")
    guard lines.count == 2, let token = Hexadecimal.bytes(lines[0]), token.count == 32,
      let key = Hexadecimal.bytes(lines[1]), key.count == 16
    else {
      throw TransportError(
        .malformed, "\(path) is damaged. Remove it, and join with a new invitation.")
    }
    return EnrolmentAttempt(token: token, idempotencyKey: key)
  }

  func save(to directory: String) throws(TransportError) {
    let text = "\(SHA256.hexadecimal(token))\n\(SHA256.hexadecimal(idempotencyKey))\n"
    try PrivateFile.write(Array(text.utf8), to: "\(directory)/\(Self.file)")
  }
}
