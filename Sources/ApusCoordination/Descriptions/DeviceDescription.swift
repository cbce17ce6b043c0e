// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// A device that has enrolled, as programs read it.
package struct DeviceDescription: Codable, Hashable, Sendable {
  /// Its id, 32 hexadecimal digits.
  package var device: String
  /// Counted from 0 in the order of enrolment: the client's number.
  package var number: UInt64
  package var name: String
  package var labels: [String: String]
  /// device, operator or auditor.
  package var role: String
  package var enabled: Bool
  package var revoked: Bool
  /// Whether it waits for work now.
  package var connected: Bool
  package var enrolled: String
  package var lastSeen: String?
  package var certificateExpires: String?
  package var roundsCounted: UInt64
  package var updatesRejected: UInt64
  package var leasesLost: UInt64
  /// What it runs.
  package var build: String

  package init(_ info: Proto.DeviceInfo) {
    device = info.deviceId
    number = info.deviceNumber
    name = info.name
    labels = info.labels
    role = info.role
    enabled = info.enabled
    revoked = info.revoked
    connected = info.connected
    enrolled = Moment.text(info.enrolledMs) ?? ""
    lastSeen = Moment.text(info.lastSeenMs)
    certificateExpires = Moment.text(info.certificateExpiresMs)
    roundsCounted = info.roundsCounted
    updatesRejected = info.updatesRejected
    leasesLost = info.leasesLost
    build = info.build
  }

  /// connected, away, disabled or revoked.
  package var standing: String {
    revoked ? "revoked" : !enabled ? "disabled" : connected ? "connected" : "away"
  }
}
