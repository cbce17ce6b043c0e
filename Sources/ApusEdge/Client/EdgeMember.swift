// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusTransport
internal import ApusWire

/// Who somebody is in a federation, as the state directory says.
public struct EdgeMember: Hashable, Sendable {
  public var federation: String
  /// `HOST:PORT`.
  public var address: String
  /// `device`, `operator` or `auditor`.
  public var role: String
  /// 32 hexadecimal digits.
  public var id: String
  /// The device's number in the federation, counted from 0 in the order of joining; nil where an organization has
  /// given out the certificate.
  public var number: UInt64?
  /// Seconds since 1970 (UTC).
  public var certificateExpires: Int64

  /// - Throws: ``EdgeError``: `not-joined` where there is no identity in the directory, `file-system`.
  public init(in directory: String) throws(EdgeError) {
    self.init(try DeviceIdentity.load(from: directory))
  }

  init(_ device: DeviceIdentity) {
    federation = device.identity.name.federation
    address = "\(device.address)"
    role = device.identity.name.role.rawValue
    id = device.identity.name.id
    number = device.number
    certificateExpires = device.identity.name.expires
  }

  /// Takes an invitation up: makes a key that never leaves the device, and gets a certificate for it.
  ///
  /// - Parameters:
  ///   - invitation: `apus://HOST:PORT/?token=…&ca=sha256:…`
  ///   - name: what people call the device.
  ///   - labels: for choosing devices by group.
  ///   - directory: made where it is missing; only its owner may enter it.
  /// - Returns: who the device is now.
  /// - Throws: ``EdgeError``: `unreachable`, `refused` for an invitation that is not good any more, `in-use` where
  ///   the directory belongs to another device, `file-system`.
  public static func join(
    _ invitation: String, name: String, labels: [String: String] = [:], state directory: String
  ) async throws(EdgeError) -> EdgeMember {
    let parsed: Invitation
    do { parsed = try Invitation(url: invitation) } catch {
      throw EdgeError(.refused, error.message)
    }
    return EdgeMember(
      try await DeviceIdentity.join(parsed, name: name, labels: labels, in: directory))
  }
}
