// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How often somebody may call before being asked to wait.
///
/// Streams count once, when they begin; what goes through them is bounded by flow control.
package struct AccessLimits: Hashable, Sendable {
  /// Of one device.
  package var device = TokenBucket.Rate(burst: 200, perSecond: 50)
  /// Of one operator or auditor.
  package var person = TokenBucket.Rate(burst: 1_000, perSecond: 200)
  /// Of all who call without a certificate from one address; many devices may be behind one.
  package var address = TokenBucket.Rate(burst: 2_000, perSecond: 500)
  /// Tokens that were wrong, of one address.
  package var wrongToken = TokenBucket.Rate(burst: 20, perSecond: 0.2)
  /// Refusals that are written to the audit log, of all addresses together; the others are counted.
  package var refusalEntry = TokenBucket.Rate(burst: 100, perSecond: 1)

  package init() {}
}

/// Names that buckets go by.
enum CallerAddress {
  /// The host of `192.0.2.1:51812`; of an IPv6 address the network of 64 bits, which is one household's.
  static func bucket(of address: String) -> String {
    guard let colon = address.lastIndex(of: ":") else { return address }
    var host = address[..<colon]
    guard host.hasPrefix("["), host.hasSuffix("]") else { return String(host) }
    host = host.dropFirst().dropLast()
    // An IPv4 address in an IPv6 coat.
    if host.hasPrefix("::ffff:"), host.contains(".") { return String(host.dropFirst(7)) }
    let groups = host.split(separator: ":", omittingEmptySubsequences: false)
    guard let gap = groups.firstIndex(of: ""), gap < 4 else {
      return groups.prefix(4).joined(separator: ":") + "::/64"
    }
    // Behind the gap there are zeros for the groups that are left out.
    let behind = groups[(gap + 1)...].filter { !$0.isEmpty }
    let head =
      groups[..<gap] + Array(repeating: "0", count: max(0, 8 - gap - behind.count)) + behind
    return head.prefix(4).joined(separator: ":") + "::/64"
  }
}
