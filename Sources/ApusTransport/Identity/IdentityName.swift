// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// Who somebody is in a federation: what the SAN URI `apus://FEDERATION/ROLE/ID` of a certificate says.
package struct IdentityName: Hashable, Sendable {
  /// 1...64 lower-case letters, digits, hyphens and points.
  package var federation: String
  package var role: Role
  /// 32 lower-case hexadecimal digits.
  package var id: String

  /// - Throws: ``TransportError`` (`nameless-certificate`) where a part is not in its alphabet.
  package init(federation: String, role: Role, id: String) throws(TransportError) {
    guard Self.isFederation(federation) else {
      throw TransportError(
        .namelessCertificate,
        "A federation's name is 1 to 64 lower-case letters, digits, hyphens and points, and begins "
          + "with a letter or a digit.")
    }
    guard Self.isID(id) else {
      throw TransportError(.namelessCertificate, "An id is 32 lower-case hexadecimal digits.")
    }
    self.federation = federation
    self.role = role
    self.id = id
  }

  /// Reads a URI; exactly what ``uri`` writes, and nothing else.
  package init(uri: String) throws(TransportError) {
    let scheme = "apus://"
    guard uri.utf8.count <= 200, uri.hasPrefix(scheme) else {
      throw TransportError(.namelessCertificate, "An identity begins with \(scheme).")
    }
    let parts = uri.utf8.dropFirst(scheme.utf8.count)
      .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 3 else {
      throw TransportError(
        .namelessCertificate,
        "An identity is apus://FEDERATION/ROLE/ID, with no more parts or fewer.")
    }
    guard let role = Role(rawValue: String(decoding: parts[1], as: UTF8.self)) else {
      throw TransportError(
        .namelessCertificate, "A role is device, operator, auditor or server.")
    }
    try self.init(
      federation: String(decoding: parts[0], as: UTF8.self), role: role,
      id: String(decoding: parts[2], as: UTF8.self))
  }

  package var uri: String { "apus://\(federation)/\(role.rawValue)/\(id)" }

  package static func isFederation(_ text: String) -> Bool {
    let bytes = text.utf8
    guard (1...64).contains(bytes.count), let first = bytes.first else { return false }
    return isLetterOrDigit(first)
      && bytes.allSatisfy {
        isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
      }
  }

  package static func isID(_ text: String) -> Bool {
    text.utf8.count == 32
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }
}
