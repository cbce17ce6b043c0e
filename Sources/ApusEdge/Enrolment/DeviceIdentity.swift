// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusTransport
package import ApusWire

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Who this device is in a federation, and where the federation is.
///
/// A directory for its owner's eyes: the ``Identity``'s files, `address` (HOST:PORT), `number`, and `joining`, what is
/// known of the attempt to join. Operators and auditors who join have the same. Where an organization gives out the
/// certificates, its administrators put them and `address` there; there is no `number` and no `joining`.
package struct DeviceIdentity: Sendable {
  package let directory: String
  package let identity: Identity
  package let address: ServerAddress
  /// The device's number in the federation, counted from 0; operators and auditors have numbers of their own.
  ///
  /// Nil with an organization's certificate: the aggregator gives a number with the first call, and does not tell.
  package let number: UInt64?

  package var role: Role { identity.name.role }

  /// Opens a way to a server; tests put another one in place.
  package typealias Connector =
    @Sendable (ServerAddress, PeerTrust, TLSMaterial?) throws -> any Channel

  package static let connect: Connector = { address, trust, material in
    try GRPCChannel(
      host: address.host.text, port: address.port, trust: trust, identity: material)
  }

  /// Reads who the device is.
  ///
  /// - Throws: ``EdgeError``: `not-joined` where there is nothing or joining was not finished; `file-system` with
  ///   what is wrong, among others a key that others may read, and the command that mends it.
  package static func load(from directory: String) throws(EdgeError) -> DeviceIdentity {
    do throws(TransportError) {
      return try read(directory)
    } catch {
      if error.code == .missingIdentity {
        throw EdgeError(
          .notJoined,
          "\(directory) holds no identity: this device has not joined. Join with: apus join "
            + "INVITATION. An operator makes an invitation with: apus invite.", cause: error)
      }
      throw EdgeError(.fileSystem, error.message, cause: error)
    }
  }

  private static func read(_ directory: String) throws(TransportError) -> DeviceIdentity {
    let identity = try Identity.load(from: directory)
    let address = try line("\(directory)/address")
    var number: UInt64?
    if PrivateFile.exists("\(directory)/\(EnrolmentAttempt.file)") {
      number = UInt64(try line("\(directory)/number"))
      guard number != nil else {
        throw TransportError(.malformed, "\(directory)/number does not hold a number.")
      }
    }
    return DeviceIdentity(
      directory: directory, identity: identity, address: try ServerAddress(address), number: number)
  }

  private static func line(_ path: String) throws(TransportError) -> String {
    let text = String(decoding: try PrivateFile.read(path), as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  // MARK: Joining

  /// Joins a federation, or finds that it has been joined with this invitation before.
  ///
  /// The key is made here and stays here. Key and idempotency key are durable before the first call, and the
  /// certificate is written last: after a crash at any moment the same invitation leads to the same device.
  ///
  /// - Parameters:
  ///   - invitation: its digest pins the authority: nobody else's server is spoken to.
  ///   - name: what people call the device, at most 100 bytes.
  ///   - labels: what the device says of itself; the invitation's count more.
  ///   - directory: made if it is missing. Nobody else may work in it.
  ///   - patience: how long a server that cannot be reached is tried again.
  ///   - connect: opens the way to the server.
  /// - Returns: who the device is; durable.
  /// - Throws: ``EdgeError``: `unreachable`; `refused` with the reason in words; `file-system`; `in-use` where the
  ///   directory belongs to another device.
  package static func join(
    _ invitation: Invitation, name: String, labels: [String: String] = [:],
    in directory: String, patience: Duration = .seconds(10), connect: Connector = Self.connect
  ) async throws(EdgeError) -> DeviceIdentity {
    let attempt: EnrolmentAttempt
    let key: PrivateKey
    do throws(TransportError) {
      if let joined = try joined(before: invitation, in: directory) { return joined }
      (attempt, key) = try prepare(invitation, in: directory)
    } catch {
      throw EdgeError(error)
    }
    let server = "\(invitation.address)"
    var request = Proto.EnrollRequest()
    request.token = invitation.token.text
    request.name = name
    request.labels = labels
    request.idempotencyKey = attempt.idempotencyKey
    do throws(TransportError) {
      request.signingRequest = try SigningRequest.make(for: key).der
    } catch {
      throw EdgeError(error)
    }

    let trust = PeerTrust.pinnedAuthority(sha256: invitation.authorityDigest)
    let channel: any Channel
    do { channel = try connect(invitation.address, trust, nil) } catch {
      throw EdgeError(.unreachable, "\(server) cannot be reached: \(error)", cause: error)
    }
    let reply: Proto.EnrollReply
    do throws(RPCError) {
      reply = try await enroll(request, over: channel, patience: patience)
    } catch {
      await channel.close()
      throw EdgeError(joining: error, at: server)
    }
    await channel.close()
    do throws(TransportError) {
      let identity = try check(reply, key, invitation)
      try identity.saveCertificates(
        to: directory,
        after: [
          ("\(directory)/address", Array("\(invitation.address)\n".utf8)),
          ("\(directory)/number", Array("\(reply.deviceNumber)\n".utf8)),
        ])
      return DeviceIdentity(
        directory: directory, identity: identity, address: invitation.address,
        number: reply.deviceNumber)
    } catch {
      throw EdgeError(error)
    }
  }

  /// Whether this invitation has been used here to its end.
  private static func joined(
    before invitation: Invitation, in directory: String
  ) throws(TransportError) -> DeviceIdentity? {
    guard PrivateFile.exists("\(directory)/\(Identity.certificateFile)") else { return nil }
    let device: DeviceIdentity
    do throws(TransportError) { device = try read(directory) } catch {
      // The certificate survived a loss of power and what was written before it did not.
      guard error.code != .missingIdentity else { return nil }
      throw error
    }
    guard try EnrolmentAttempt.load(from: directory)?.token == invitation.token.digest else {
      throw TransportError(
        .mismatch,
        "\(directory) belongs to the \(device.role.rawValue) \(device.identity.name.id) of the "
          + "federation \(device.identity.name.federation). Choose another directory (--state), or "
          + "remove it to join anew.")
    }
    return device
  }

  /// Makes durable what a repeated attempt must have: the key pair and the idempotency key.
  private static func prepare(
    _ invitation: Invitation, in directory: String
  ) throws(TransportError) -> (EnrolmentAttempt, PrivateKey) {
    try PrivateFile.makeDirectory(directory)
    let keyFile = "\(directory)/\(Identity.keyFile)"
    let token = invitation.token.digest
    let fresh = EnrolmentAttempt(token: token, idempotencyKey: try SecureRandom.bytes(16))
    guard PrivateFile.exists(keyFile) else {
      let key = try PrivateKey.generate()
      try Identity.save(key, to: directory, followedBy: [fresh.contents(in: directory)])
      return (fresh, key)
    }
    let key = try Identity.load(key: keyFile)
    if let attempt = try EnrolmentAttempt.load(from: directory), attempt.token == token {
      return (attempt, key)
    }
    try PrivateFile.write(group: [fresh.contents(in: directory)])
    return (fresh, key)
  }

  private static func enroll(
    _ request: Proto.EnrollRequest, over channel: any Channel, patience: Duration
  ) async throws(RPCError) -> Proto.EnrollReply {
    let end = ContinuousClock.now + patience
    while true {
      do throws(RPCError) {
        var hello = Proto.HelloRequest()
        hello.versionMin = 1
        hello.versionMax = 1
        _ = try await channel.call(EdgeMethods.hello, hello, timeout: .seconds(15))
        return try await channel.call(EdgeMethods.enroll, request, timeout: .seconds(30))
      } catch {
        let wait = error.retryAfter ?? .milliseconds(500)
        guard [.unavailable, .aborted, .resourceExhausted].contains(error.code),
          ContinuousClock.now + wait < end, !Task.isCancelled
        else { throw error }
        try? await Task.sleep(for: wait)
      }
    }
  }

  /// Whether an answer is for us and from whom we asked.
  private static func check(
    _ reply: Proto.EnrollReply, _ key: PrivateKey, _ invitation: Invitation
  ) throws(TransportError) -> Identity {
    let authority = try Certificate(der: reply.authority)
    guard authority.digest == invitation.authorityDigest else {
      throw TransportError(
        .untrusted, "The federation's authority is not the one that the invitation names.")
    }
    let identity = try checkedIdentity(reply, key, [authority])
    guard identity.name.id == reply.deviceId, identity.name.role.rawValue == reply.role else {
      throw TransportError(
        .mismatch, "The certificate that the server gave names somebody else than its answer.")
    }
    return identity
  }

  private static func checkedIdentity(
    _ reply: Proto.EnrollReply, _ key: PrivateKey, _ authorities: [Certificate]
  ) throws(TransportError) -> Identity {
    var chain: [Certificate] = []
    for der in reply.certificates.prefix(8) { chain.append(try Certificate(der: der)) }
    do {
      try CertificateChain.verify(chain, against: authorities, for: .client, at: Self.now())
    } catch {
      throw TransportError(
        error.code,
        "The certificate that the server gave cannot be used. \(error.message) Is this device's "
          + "clock right?", cause: error)
    }
    return try Identity(certificates: chain, key: key, authorities: authorities)
  }

  // MARK: Going on

  /// Whom this device takes for its server.
  package var trust: PeerTrust { .authorities(identity.authorities.map(\.der)) }

  /// A way to the federation that shows who we are.
  ///
  /// - Throws: ``EdgeError`` (`unreachable`).
  package func channel(connect: Connector = Self.connect) throws(EdgeError) -> any Channel {
    do { return try connect(address, trust, identity.tlsMaterial()) } catch {
      throw EdgeError(.unreachable, "\(address) cannot be reached: \(error)", cause: error)
    }
  }

  /// Whether the certificate is over: the device has to join again.
  ///
  /// - Parameter now: seconds since 1970 (UTC).
  /// - Returns: whether its end has passed.
  package func isOver(at now: Int64 = Self.now()) -> Bool { identity.certificate.notAfter <= now }

  /// Renews the certificate when two thirds of its time are over; devices that joined together do it apart.
  ///
  /// - Parameters:
  ///   - channel: shows the certificate that still holds.
  ///   - now: seconds since 1970 (UTC).
  /// - Returns: the device with its new certificate, durable, for channels made from now on; nil where it is not
  ///   time.
  /// - Throws: ``EdgeError``: `unreachable` (try again later: there is a third of the time left for it), `refused`.
  package func renewIfDue(
    over channel: any Channel, at now: Int64 = Self.now()
  ) async throws(EdgeError) -> DeviceIdentity? {
    guard identity.certificate.isDue(at: now) else { return nil }
    var request = Proto.RenewCertificateRequest()
    do throws(TransportError) {
      request.signingRequest = try SigningRequest.make(for: identity.key).der
    } catch {
      throw EdgeError(error)
    }
    let reply: Proto.EnrollReply
    do throws(RPCError) {
      reply = try await channel.call(EdgeMethods.renewCertificate, request, timeout: .seconds(30))
    } catch {
      throw EdgeError(calling: error, at: "\(address)")
    }
    do throws(TransportError) {
      let renewed = try Self.checkedIdentity(reply, identity.key, identity.authorities)
      guard renewed.name.id == identity.name.id, renewed.name.role == identity.name.role,
        renewed.name.federation == identity.name.federation
      else {
        throw TransportError(.mismatch, "The renewed certificate names somebody else.")
      }
      try renewed.saveCertificates(to: directory)
      return DeviceIdentity(
        directory: directory, identity: renewed, address: address, number: number)
    } catch {
      throw EdgeError(error)
    }
  }

  /// Seconds since 1970 (UTC), as the device's clock says.
  package static func now() -> Int64 { Int64(time(nil)) }
}
