// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// Somebody who has joined: a device; or an operator or an auditor, who are kept in the same table.
package struct DeviceRecord: Hashable, Sendable {
  /// 32 hexadecimal digits.
  package var id: String
  package var role: Role
  /// Counted from 0 within the role, in the order of enrolment.
  package var number: UInt64
  package var name: String
  package var labels: [String: String]
  package var isEnabled: Bool
  /// For good.
  package var isRevoked: Bool
  /// Milliseconds since 1970 (UTC).
  package var enrolled: Int64
  /// Milliseconds since 1970 (UTC); as of the last renewal, what is newer is in the ``AccessBook``.
  package var lastSeen: Int64
  /// Milliseconds since 1970 (UTC) when the newest certificate ends.
  package var certificateExpires: Int64
  package var build: String
}
