// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// Who we are: a private key, the certificate that says whose it is, and the authority that signed it.
///
/// On disk it is a directory that only its owner may enter, with `key.pem`, `authority.pem` and `certificate.pem`,
/// written in this order: where there is a certificate, the identity is whole. A renewal keeps the key and replaces
/// one file.
package struct Identity: Sendable {
  /// Our own first, then those between it and the authority.
  package let certificates: [Certificate]
  package let key: PrivateKey
  /// Whom we trust: one, unless an organization has its own.
  package let authorities: [Certificate]
  /// What our certificate says.
  package let name: PeerIdentity

  package static let keyFile = "key.pem"
  package static let certificateFile = "certificate.pem"
  package static let authorityFile = "authority.pem"

  /// - Throws: ``TransportError``: `mismatch` where the key is not the certificate's, and what
  ///   ``Certificate/identity()`` throws.
  package init(
    certificates: [Certificate], key: PrivateKey, authorities: [Certificate]
  ) throws(TransportError) {
    guard let own = certificates.first else {
      throw TransportError(.missingIdentity, "An identity without a certificate is none.")
    }
    guard try own.belongs(to: key) else {
      throw TransportError(.mismatch, "The certificate and the private key do not belong together.")
    }
    name = try own.identity()
    self.certificates = certificates
    self.key = key
    self.authorities = authorities
  }

  /// Our own certificate.
  package var certificate: Certificate { certificates[0] }

  /// What TLS shows; a server shows the authority too, so that a client that knows only its digest can check it.
  package func tlsMaterial() -> TLSMaterial {
    var chain = certificates.map(\.der)
    if name.role == .server {
      let ends = authorities.filter { !certificates.contains($0) && $0.issuer == $0.subject }
      chain += ends.map(\.der)
    }
    return TLSMaterial(certificateChain: chain, key: key)
  }

  /// Reads the identity in a directory.
  ///
  /// - Throws: ``TransportError``: `missing-identity` where there is none or it is not finished, `exposed-key` where
  ///   others may read the key, and what reading its parts throws, with the file's name.
  package static func load(from directory: String) throws(TransportError) -> Identity {
    try load(
      certificateFile: "\(directory)/\(certificateFile)", keyFile: "\(directory)/\(keyFile)",
      authorityFile: "\(directory)/\(authorityFile)")
  }

  /// Reads an identity from PEM files as an organization gives them out.
  ///
  /// - Parameters:
  ///   - certificateFile: our own certificate first, then those between it and the authority.
  ///   - keyFile: without a password; only its owner may read it.
  ///   - authorityFile: whom we trust.
  /// - Returns: the identity, whose parts belong together.
  /// - Throws: as ``load(from:)``.
  package static func load(
    certificateFile: String, keyFile: String, authorityFile: String
  ) throws(TransportError) -> Identity {
    let certificates = try load(chain: certificateFile)
    let authorities = try load(chain: authorityFile)
    let key = try load(key: keyFile)
    do {
      return try Identity(certificates: certificates, key: key, authorities: authorities)
    } catch {
      throw TransportError(error.code, "\(certificateFile): \(error.message)", cause: error)
    }
  }

  /// Reads certificates from a PEM file.
  package static func load(chain file: String) throws(TransportError) -> [Certificate] {
    let text = try PrivateFile.read(file)
    do {
      return try Certificate.chain(pem: text)
    } catch {
      throw TransportError(error.code, "\(file): \(error.message)", cause: error)
    }
  }

  /// Reads a key from a PEM file that only its owner may read.
  package static func load(key file: String) throws(TransportError) -> PrivateKey {
    var text = try PrivateFile.read(secret: file)
    defer { text.wipe() }
    do {
      return try PrivateKey(pem: text)
    } catch {
      throw TransportError(error.code, "\(file): \(error.message)", cause: error)
    }
  }

  /// Writes a key where ``load(from:)`` looks for it, in a directory that is made if it is missing.
  ///
  /// - Parameters:
  ///   - key: replaces the one that is there.
  ///   - directory: for its owner only.
  ///   - others: files that are written behind it.
  /// - Throws: ``TransportError`` (`file-system`).
  package static func save(
    _ key: PrivateKey, to directory: String,
    followedBy others: [(path: String, bytes: [UInt8])] = []
  ) throws(TransportError) {
    try PrivateFile.makeDirectory(directory)
    var der = try key.pkcs8()
    defer { der.wipe() }
    var text = PEM.text("PRIVATE KEY", der)
    defer { text.wipe() }
    try PrivateFile.write(group: [("\(directory)/\(keyFile)", text)] + others)
  }

  /// Writes everything; a crash on the way leaves the identity that was there, or one that ``load(from:)`` calls
  /// unfinished.
  package func save(to directory: String) throws(TransportError) {
    // An old certificate beside the new key would be neither identity.
    try PrivateFile.remove("\(directory)/\(Self.certificateFile)")
    try Self.save(key, to: directory, followedBy: certificateFiles(in: directory))
  }

  /// Writes the certificates beside the key that is there: the last one written is our own, whole or not at all.
  ///
  /// - Parameters:
  ///   - directory: has the key.
  ///   - others: files that are written before.
  /// - Throws: ``TransportError`` (`file-system`).
  package func saveCertificates(
    to directory: String, after others: [(path: String, bytes: [UInt8])] = []
  ) throws(TransportError) {
    try PrivateFile.write(group: others + certificateFiles(in: directory))
  }

  private func certificateFiles(in directory: String) -> [(path: String, bytes: [UInt8])] {
    [
      ("\(directory)/\(Self.authorityFile)", authorities.flatMap(\.pem)),
      ("\(directory)/\(Self.certificateFile)", certificates.flatMap(\.pem)),
    ]
  }
}
