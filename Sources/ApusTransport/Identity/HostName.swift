// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Where a server is: a DNS name or an address.
package enum HostName: Hashable, Sendable {
  /// In lower case, without a point at the end.
  case dns(String)
  /// For example 192.0.2.1.
  case ipv4(String)
  /// In its shortest form, for example 2001:db8::1.
  case ipv6(String)

  /// Reads a name or an address, without brackets, port or zone; nil where it is none.
  package init?(_ text: String) {
    if let bytes = Self.addressBytes(text, AF_INET, 4), let host = HostName(addressBytes: bytes) {
      self = host
    } else if let bytes = Self.addressBytes(text, AF_INET6, 16),
      let host = HostName(addressBytes: bytes)
    {
      self = host
    } else if let host = HostName(dns: Array(text.utf8)) {
      self = host
    } else {
      return nil
    }
  }

  /// A DNS name as a certificate has it; a wildcard is none of ours.
  init?(dns bytes: some Collection<UInt8>) {
    guard (1...253).contains(bytes.count) else { return nil }
    let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    for label in labels {
      guard (1...63).contains(label.count),
        label.allSatisfy({ Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }),
        label.first != UInt8(ascii: "-"), label.reversed().first != UInt8(ascii: "-")
      else { return nil }
    }
    // 1.2.3.400 is a wrong address and not a name.
    guard labels.last?.contains(where: { !(0x30...0x39).contains($0) }) == true else { return nil }
    self = .dns(String(decoding: bytes, as: UTF8.self).lowercased())
  }

  /// 4 or 16 bytes, as a certificate has them.
  init?(addressBytes bytes: some Collection<UInt8>) {
    let family: Int32
    switch bytes.count {
    case 4: family = AF_INET
    case 16: family = AF_INET6
    default: return nil
    }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let address = Array(bytes)
    guard inet_ntop(family, address, &text, socklen_t(text.count)) != nil else { return nil }
    let string = String(
      decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    self = family == AF_INET ? .ipv4(string) : .ipv6(string)
  }

  /// Without brackets.
  package var text: String {
    switch self {
    case .dns(let text), .ipv4(let text), .ipv6(let text): text
    }
  }

  /// As URLs have it: an IPv6 address in brackets.
  package var bracketed: String {
    if case .ipv6(let text) = self { "[\(text)]" } else { text }
  }

  /// The address in network order; nil for a name.
  var addressBytes: [UInt8]? {
    switch self {
    case .dns: nil
    case .ipv4(let text): Self.addressBytes(text, AF_INET, 4)
    case .ipv6(let text): Self.addressBytes(text, AF_INET6, 16)
    }
  }

  private static func addressBytes(_ text: String, _ family: Int32, _ count: Int) -> [UInt8]? {
    guard text.utf8.count < 64, !text.utf8.contains(0) else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    return inet_pton(family, text, &bytes) == 1 ? bytes : nil
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte)
  }
}
