// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusTransport
internal import ApusWire

/// Where a hub keeps who it is: its authority, the server's identity and the first operator's.
///
/// ```
/// DIR/federation                    the federation's name
/// DIR/authority/{key,certificate}.pem
/// DIR/server/{key,certificate,authority}.pem
/// DIR/operator/{key,certificate,authority}.pem
/// ```
///
/// Everything is for its owner's eyes (0600 in 0700). Each part is written whole and in this order, and what is there
/// is kept: a first start that was interrupted is gone on with.
package struct HubDirectory: Sendable {
  package let path: String

  /// - Parameter path: made where it is not there.
  package init(path: String) { self.path = path }

  package var authorityDirectory: String { "\(path)/authority" }
  package var serverDirectory: String { "\(path)/server" }
  package var operatorDirectory: String { "\(path)/operator" }
  private var federationFile: String { "\(path)/federation" }

  /// Reads what is there, makes what is missing, and renews what ends soon.
  ///
  /// - Parameters:
  ///   - federation: a name for a new federation; nil for a random one. Must be the old one's where there is one.
  ///   - hosts: where the server is reached; this machine's own names are added. A server certificate that lacks
  ///     one is made anew.
  ///   - now: seconds since 1970 (UTC).
  /// - Returns: the hub, all of whose parts are durable.
  /// - Throws: ``TransportError``: `exposed-key`, `file-system`, `mismatch` where the directory is another
  ///   federation's, `missing-identity` where the authority was lost, and what reading its parts throws.
  package func open(
    federation: String? = nil, hosts: [HostName] = [], at now: Int64
  ) throws(TransportError) -> Hub {
    try PrivateFile.makeDirectory(path)
    let isNew = !PrivateFile.exists("\(authorityDirectory)/\(Identity.certificateFile)")
    let name = try openFederation(federation)
    let authority = try openAuthority(name, now)
    let server = try openServer(authority, name, Self.withLocalHosts(hosts), now)
    let person = try openOperator(authority, name, now)
    return Hub(
      directory: self, federation: name, hosts: hosts, server: server, localOperator: person,
      authority: authority, clientAuthorities: [authority.certificate], isNew: isNew)
  }

  /// Uses the certificates of an organization: nothing is made, and nothing is written.
  ///
  /// - Parameters:
  ///   - certificateFile: the server's certificate (PEM), then those between it and the authority; its SAN names
  ///     it with a URI apus://FEDERATION/server/ID, and the hosts where it is reached.
  ///   - keyFile: its key (PEM, without a password).
  ///   - clientAuthorityFile: whose client certificates are accepted (PEM).
  /// - Returns: the hub, with no authority of its own.
  /// - Throws: ``TransportError``, with the file's name.
  package func open(
    certificateFile: String, keyFile: String, clientAuthorityFile: String
  ) throws(TransportError) -> Hub {
    try PrivateFile.makeDirectory(path)
    let server = try Identity.load(
      certificateFile: certificateFile, keyFile: keyFile, authorityFile: clientAuthorityFile)
    guard server.name.role == .server else {
      throw TransportError(
        .wrongUsage,
        "\(certificateFile): the certificate is a \(server.name.role.rawValue)'s; a SAN URI "
          + "apus://FEDERATION/server/ID is expected.")
    }
    return Hub(
      directory: self, federation: server.name.federation, hosts: [], server: server,
      localOperator: nil, authority: nil, clientAuthorities: server.authorities, isNew: false)
  }

  private func openFederation(_ wanted: String?) throws(TransportError) -> String {
    if PrivateFile.exists(federationFile) {
      let text = String(decoding: try PrivateFile.read(federationFile), as: UTF8.self)
      let name = text.hasSuffix("\n") ? String(text.dropLast()) : text
      guard IdentityName.isFederation(name) else {
        throw TransportError(.malformed, "\(federationFile) does not hold a federation's name.")
      }
      guard wanted == nil || wanted == name else {
        throw TransportError(
          .mismatch,
          "\(path) belongs to the federation \(name); choose another directory for another one.")
      }
      return name
    }
    let name: String
    if let wanted { name = wanted } else { name = try SecureRandom.id() }
    guard IdentityName.isFederation(name) else {
      throw TransportError(
        .malformed,
        "A federation's name is 1 to 64 lower-case letters, digits, hyphens and points, and begins "
          + "with a letter or a digit.")
    }
    try PrivateFile.write(Array("\(name)\n".utf8), to: federationFile)
    return name
  }

  private func openAuthority(
    _ federation: String, _ now: Int64
  ) throws(TransportError) -> CertificateAuthority {
    let certificateFile = "\(authorityDirectory)/\(Identity.certificateFile)"
    if PrivateFile.exists(certificateFile) {
      let chain = try Identity.load(chain: certificateFile)
      let key = try Identity.load(key: "\(authorityDirectory)/\(Identity.keyFile)")
      return try CertificateAuthority(certificate: chain[0], key: key)
    }
    // The authority is made before all that it signs. Where that is there, it was lost, and a new one would lock
    // every device out without a word.
    guard !PrivateFile.exists("\(serverDirectory)/\(Identity.certificateFile)") else {
      throw TransportError(
        .missingIdentity,
        "\(certificateFile) is missing, and without it no device can be let in. Restore "
          + "\(authorityDirectory) from a backup.")
    }
    let authority = try CertificateAuthority.make(federation: federation, at: now)
    try Identity.save(authority.key, to: authorityDirectory)
    try PrivateFile.write(authority.certificate.pem, to: certificateFile)
    return authority
  }

  private func openServer(
    _ authority: CertificateAuthority, _ federation: String, _ hosts: [HostName], _ now: Int64
  ) throws(TransportError) -> Identity {
    guard PrivateFile.exists("\(serverDirectory)/\(Identity.certificateFile)") else {
      return try make(.server, authority, federation, hosts, serverDirectory, now)
    }
    let server = try Identity.load(from: serverDirectory)
    let lacksHosts = !Set(hosts).isSubset(of: server.certificate.hosts)
    guard lacksHosts || server.certificate.isDue(at: now) else { return server }
    // Old names stay: devices that know the server by them have no other.
    let all = server.certificate.hosts + hosts.filter { !server.certificate.hosts.contains($0) }
    return try renewed(server, authority, all, serverDirectory, now)
  }

  private func openOperator(
    _ authority: CertificateAuthority, _ federation: String, _ now: Int64
  ) throws(TransportError) -> Identity {
    guard PrivateFile.exists("\(operatorDirectory)/\(Identity.certificateFile)") else {
      return try make(.operator, authority, federation, [], operatorDirectory, now)
    }
    let person = try Identity.load(from: operatorDirectory)
    guard person.certificate.isDue(at: now) else { return person }
    return try renewed(person, authority, [], operatorDirectory, now)
  }

  private func make(
    _ role: Role, _ authority: CertificateAuthority, _ federation: String, _ hosts: [HostName],
    _ directory: String, _ now: Int64
  ) throws(TransportError) -> Identity {
    let key = try PrivateKey.generate()
    let name = try IdentityName(federation: federation, role: role, id: try SecureRandom.id())
    let certificate = try authority.issue(for: .make(for: key), name, hosts: hosts, at: now)
    let identity = try Identity(
      certificates: [certificate], key: key, authorities: [authority.certificate])
    try identity.save(to: directory)
    return identity
  }

  /// The same holder and the same key, for longer.
  fileprivate func renewed(
    _ identity: Identity, _ authority: CertificateAuthority, _ hosts: [HostName],
    _ directory: String, _ now: Int64
  ) throws(TransportError) -> Identity {
    let name = try IdentityName(
      federation: identity.name.federation, role: identity.name.role, id: identity.name.id)
    let certificate = try authority.issue(
      for: .make(for: identity.key), name, hosts: hosts, at: now)
    let identity = try Identity(
      certificates: [certificate], key: identity.key, authorities: [authority.certificate])
    try identity.saveCertificates(to: directory)
    return identity
  }

  private static func withLocalHosts(_ hosts: [HostName]) -> [HostName] {
    let local = ["localhost", "127.0.0.1", "::1"].compactMap { HostName($0) }
    return hosts + local.filter { !hosts.contains($0) }
  }
}

/// Who a hub is.
package struct Hub: Sendable {
  package let directory: HubDirectory
  /// The federation's name: in every certificate.
  package let federation: String
  let hosts: [HostName]
  /// What the server shows.
  package let server: Identity
  /// The operator on this machine; nil with an organization's certificates.
  package let localOperator: Identity?
  /// Who signs certificates; nil with an organization's, which then come from elsewhere.
  package let authority: CertificateAuthority?
  /// Whose client certificates are accepted.
  package let clientAuthorities: [Certificate]
  /// Whether this is the first start.
  package let isNew: Bool

  /// The hub with certificates that hold for longer; to be asked every hour.
  ///
  /// - Parameter now: seconds since 1970 (UTC).
  /// - Returns: nil while they hold for long enough.
  /// - Throws: as ``HubDirectory/open(federation:hosts:at:)``.
  package func renewed(at now: Int64) throws(TransportError) -> Hub? {
    guard authority != nil else { return nil }
    let isDue =
      server.certificate.isDue(at: now) || localOperator?.certificate.isDue(at: now) == true
    guard isDue else { return nil }
    return try directory.open(federation: federation, hosts: hosts, at: now)
  }
}
