// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import COpenSSL
import Foundation
import OwnThreads
import Testing

@testable import ApusTransport

@Suite("Certificates", .ownThread)
struct IdentityCertificateTests {
  @Test("An issued certificate says who holds it, what for and for how long")
  func issuedCertificateReadsBack() throws {
    let house = try Household(at: someTime)
    let identity = try house.identity(at: someTime)
    let name = try Certificate.identify(identity.certificate.der)
    #expect(name.federation == "birds")
    #expect(name.role == .device)
    #expect(name.id == Household.deviceID)
    #expect(name.fingerprint == identity.certificate.fingerprint)
    #expect(name.expires == someTime + 7 * 86_400)
    #expect(identity.certificate.notBefore == someTime - CertificateAuthority.clockMargin)
    #expect(identity.certificate.usages == [.client])
    #expect(!identity.certificate.isAuthority)
    #expect(house.authority.certificate.isAuthority)
  }

  @Test(
    "openssl verifies what we issue, and sees pathlen 0, key usage and names",
    .enabled(if: OpenSSLProgram.isThere))
  func opensslAgrees() throws {
    let house = try Household()
    let nest = try Nest()
    let hosts = ["hub.example.org", "192.0.2.7", "2001:db8::7"].compactMap { HostName($0) }
    let server = try house.identity(.server, hosts: hosts)
    let device = try house.identity()
    let ca = try nest.write(house.authority.certificate.pem, to: "ca.pem")
    let serverFile = try nest.write(server.certificate.pem, to: "server.pem")
    let deviceFile = try nest.write(device.certificate.pem, to: "device.pem")

    let good = try OpenSSLProgram.run(
      "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "hub.example.org",
      "-CAfile", ca, serverFile)
    #expect(good.status == 0, "\(good.text)")
    let address = try OpenSSLProgram.run(
      "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "2001:db8::7", "-CAfile", ca,
      serverFile)
    #expect(address.status == 0, "\(address.text)")
    let client = try OpenSSLProgram.run(
      "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", ca, deviceFile)
    #expect(client.status == 0, "\(client.text)")
    let wrongPurpose = try OpenSSLProgram.run(
      "verify", "-purpose", "sslserver", "-CAfile", ca, deviceFile)
    #expect(wrongPurpose.status != 0)
    let otherHost = try OpenSSLProgram.run(
      "verify", "-verify_hostname", "evil.example.org", "-CAfile", ca, serverFile)
    #expect(otherHost.status != 0)

    let text = try OpenSSLProgram.run("x509", "-noout", "-text", "-in", ca).text
    #expect(text.contains("CA:TRUE, pathlen:0"))
    #expect(text.contains("Certificate Sign, CRL Sign"))
    let deviceText = try OpenSSLProgram.run("x509", "-noout", "-text", "-in", deviceFile).text
    #expect(deviceText.contains("URI:apus://birds/device/\(Household.deviceID)"))
    #expect(deviceText.contains("CA:FALSE"))
    #expect(deviceText.contains("TLS Web Client Authentication"))
    #expect(!deviceText.contains("TLS Web Server Authentication"))
  }

  @Test("A certificate is believed only from its authority, in its time and for its use")
  func chains() throws {
    let (house, other) = (try Household(at: someTime), try Household(at: someTime))
    let device = try house.identity(at: someTime).certificate
    let authority = house.authority.certificate
    func isBelieved(
      _ chain: [Certificate], by authorities: [Certificate], _ usage: Certificate.Usage = .client,
      at time: Int64 = someTime
    ) -> Bool {
      (try? CertificateChain.verify(chain, against: authorities, for: usage, at: time)) != nil
    }
    #expect(isBelieved([device], by: [authority]))
    #expect(isBelieved([device], by: [other.authority.certificate, authority]))
    #expect(!isBelieved([device], by: [other.authority.certificate]))
    #expect(!isBelieved([device], by: []))
    #expect(!isBelieved([], by: [authority]))
    #expect(!isBelieved([device], by: [authority], .server))
    // Clocks may differ by an hour, and no more.
    #expect(isBelieved([device], by: [authority], at: someTime - 3_599))
    #expect(!isBelieved([device], by: [authority], at: someTime - 3_601))
    #expect(isBelieved([device], by: [authority], at: someTime + 7 * 86_400 - 1))
    #expect(!isBelieved([device], by: [authority], at: someTime + 7 * 86_400 + 1))
    // The authority that comes along is not trusted for it.
    let foreign = try other.identity(at: someTime).certificate
    #expect(!isBelieved([foreign, other.authority.certificate], by: [authority]))
  }

  @Test("A device cannot make devices: what it signs is not believed")
  func devicesSignNothing() throws {
    let house = try Household(at: someTime)
    let device = try house.identity(at: someTime)
    #expect(throws: TransportError.self) {
      _ = try CertificateAuthority(certificate: device.certificate, key: device.key)
    }
    // As a device would do it that does not ask our code.
    let key = try PrivateKey.generate()
    var draft = try CertificateDraft(
      publicKey: try key.publicKey(), from: someTime - 60, until: someTime + 60)
    try draft.name(subject: "operator", issuer: device.certificate)
    try draft.add(NID_ext_key_usage, "clientAuth")
    try draft.add(NID_subject_alt_name, "URI:apus://birds/operator/\(Household.deviceID)")
    let forged = try draft.signed(by: device.key)
    #expect(throws: TransportError.self) {
      try CertificateChain.verify(
        [forged, device.certificate], against: [house.authority.certificate], for: .client,
        at: someTime)
    }
    // An authority below ours is one too many (pathlen 0).
    var between = try CertificateDraft(
      publicKey: try key.publicKey(), from: someTime - 60, until: someTime + 60)
    try between.name(subject: "between", issuer: house.authority.certificate)
    try between.add(NID_basic_constraints, "critical,CA:TRUE")
    try between.add(NID_key_usage, "critical,keyCertSign")
    try between.add(NID_subject_key_identifier, "hash")
    let lower = try CertificateAuthority(
      certificate: try between.signed(by: house.authority.key), key: key)
    let leaf = try lower.issue(
      for: .make(for: .generate()),
      try IdentityName(uri: "apus://birds/device/\(Household.deviceID)"),
      at: someTime)
    #expect(throws: TransportError.self) {
      try CertificateChain.verify(
        [leaf, lower.certificate], against: [house.authority.certificate], for: .client,
        at: someTime)
    }
  }

  /// A certificate of the authority's with any names: as an organization's could be.
  static func certificate(
    _ names: String?, usage: String? = "clientAuth", subject: String = "x",
    isAuthority: Bool = false
  ) throws -> [UInt8] {
    let house = try Household(at: someTime)
    var draft = try CertificateDraft(
      publicKey: try PrivateKey.generate().publicKey(), from: someTime, until: someTime + 60)
    try draft.name(subject: subject, issuer: house.authority.certificate)
    if isAuthority { try draft.add(NID_basic_constraints, "critical,CA:TRUE") }
    if let usage { try draft.add(NID_ext_key_usage, usage) }
    if let names { try draft.add(NID_subject_alt_name, names) }
    return try draft.signed(by: house.authority.key).der
  }

  static let id = Household.deviceID

  @Test(
    "Identities are read from one well-formed SAN URI and from nothing else",
    arguments: [
      (nil, "namesnobody"), ("DNS:apus", "namesnobody"),
      ("email:apus@birds.example", "namesnobody"),
      ("URI:https://birds/device/\(id)", "namesnobody"),
      ("URI:apus://birds/device/\(id),URI:apus://birds/operator/\(id)", "severalidentities"),
      ("URI:apus://birds/device/\(id),URI:apus://birds/device/\(id)", "severalidentities"),
      ("URI:apus://birds/admin/\(id)", "Aroleis"), ("URI:apus://birds/Device/\(id)", "Aroleis"),
      ("URI:apus://Birds/device/\(id)", "federation'sname"),
      ("URI:apus:///device/\(id)", "federation'sname"),
      ("URI:apus://bi_rds/device/\(id)", "federation'sname"),
      ("URI:apus://birds/device/\(id)0", "Anidis"),
      ("URI:apus://birds/device/\(id.uppercased())", "Anidis"),
      ("URI:apus://birds/device/", "Anidis"), ("URI:apus://birds/device", "nomoreparts"),
      ("URI:apus://birds/device/\(id)/x", "nomoreparts"),
      ("URI:apus:birds/device/\(id)", "beginswith"),
      ("URI:apus://birds/device/\(id) ", nil),
    ] as [(String?, String?)])
  func identityNames(names: String?, problem: String?) throws {
    do {
      let name = try Certificate.identify(try Self.certificate(names))
      #expect(problem == nil, "taken as \(name)")
    } catch let error as TransportError {
      let text = error.message.filter { $0 != " " }
      #expect(problem.map { text.contains($0) } == true, "\(error.message)")
      #expect(error.code == .namelessCertificate)
    }
  }

  @Test("A common name is never an identity")
  func commonNames() throws {
    let der = try Self.certificate(nil, subject: "apus://birds/operator/\(Self.id)")
    #expect(try Certificate(der: der).subject.contains("operator"))
    #expect(throws: TransportError.self) { try Certificate.identify(der) }
  }

  @Test("Other names beside the identity do no harm")
  func otherNames() throws {
    let der = try Self.certificate(
      "DNS:laptop.example.org,URI:spiffe://example.org/x,URI:apus://birds/auditor/\(Self.id)")
    #expect(try Certificate.identify(der).role == .auditor)
  }

  @Test(
    "A zero byte or a line's end in a name is no way to another name",
    arguments: [
      [UInt8]("apus://birds/device/00112233445566778899aabbccddeeff\0.evil".utf8),
      [UInt8]("apus://birds\0/device/00112233445566778899aabbccddeeff".utf8),
      [UInt8]("apus://birds/device/00112233445566778899aabbccddeeff\n".utf8),
      [UInt8]("apus://b\u{fc}rds/device/00112233445566778899aabbccddeeff".utf8),
    ])
  func bytesInNames(bytes: [UInt8]) throws {
    // Written over a name of the same length in a finished certificate: its signature is not looked at here.
    let placeholder = [UInt8](repeating: UInt8(ascii: "x"), count: bytes.count - 5)
    let text = "URI:apus:" + String(decoding: placeholder, as: UTF8.self)
    var der = try Self.certificateWithAnyNames(text)
    let target = Array("apus:".utf8) + placeholder
    let index = try #require(der.indices.first { der[$0...].starts(with: target) })
    der.replaceSubrange(index..<index + bytes.count, with: bytes)
    do {
      let name = try Certificate(der: der).name
      Issue.record("taken as \(String(describing: name))")
    } catch { #expect(error.code == .namelessCertificate) }
  }

  /// DER of a certificate whose names our own reader would refuse.
  static func certificateWithAnyNames(_ names: String) throws -> [UInt8] {
    let key = try PrivateKey.generate()
    var draft = try CertificateDraft(
      publicKey: try key.publicKey(), from: someTime, until: someTime + 60)
    try draft.name(subject: "x", issuer: nil)
    try draft.add(NID_ext_key_usage, "clientAuth")
    try draft.add(NID_subject_alt_name, names)
    return try draft.signedBytes(by: key)
  }

  @Test(
    "A role's certificate must be for what the role does",
    arguments: [
      ("device", "serverAuth", false), ("device", nil, false), ("server", "clientAuth", false),
      ("server", "serverAuth", true), ("operator", "clientAuth,serverAuth", true),
      ("device", "codeSigning", false), ("device", "anyExtendedKeyUsage", false),
    ] as [(String, String?, Bool)])
  func usages(role: String, usage: String?, isAccepted: Bool) throws {
    let der = try Self.certificate("URI:apus://birds/\(role)/\(Self.id)", usage: usage)
    let isTaken = (try? Certificate.identify(der)) != nil
    #expect(isTaken == isAccepted)
  }

  @Test("An authority's certificate is nobody's identity")
  func authoritiesAreNobody() throws {
    let der = try Self.certificate("URI:apus://birds/operator/\(Self.id)", isAuthority: true)
    #expect(throws: TransportError.self) { try Certificate.identify(der) }
  }

  @Test(
    "A certificate with a byte too many, too few or changed is refused or another, and nothing crashes"
  )
  func mutations() throws {
    let der = try Household(at: someTime).identity(at: someTime).certificate.der
    let fingerprint = try Certificate(der: der).fingerprint
    #expect(throws: TransportError.self) { try Certificate(der: der + [0]) }
    for count in 0..<der.count {
      #expect(throws: TransportError.self) { try Certificate(der: Array(der.prefix(count))) }
    }
    var readCount = 0
    for index in der.indices {
      var changed = der
      changed[index] ^= 0x41
      guard let certificate = try? Certificate(der: changed) else { continue }
      readCount += 1
      #expect(certificate.fingerprint != fingerprint)
    }
    #expect(readCount > 100, "changes of signatures and keys are not seen by reading")
  }

  @Test(
    "Renewal is due after about two thirds of the time, for each certificate at a time of its own")
  func renewalTimes() throws {
    let house = try Household(at: someTime)
    let certificates = try (0..<8).map { _ in try house.identity(at: someTime).certificate }
    // However short its time is, a certificate is not due when it is made.
    let short = try (0..<8).map { _ in try house.identity(lifetime: 60, at: someTime).certificate }
    for certificate in certificates + short {
      let share =
        Double(certificate.renewal() - someTime) / Double(certificate.notAfter - someTime)
      #expect((0.56...0.69).contains(share))
      #expect(!certificate.isDue(at: certificate.renewal() - 1))
      #expect(certificate.isDue(at: certificate.renewal()))
    }
    #expect(Set(certificates.map { $0.renewal() }).count > 4)
  }

  @Test("Nothing outlives its authority, and an authority that is over signs nothing")
  func authorityEnds() throws {
    let house = try Household(at: someTime)
    let end = house.authority.certificate.notAfter
    #expect(try house.identity(at: end - 60).certificate.notAfter == end)
    #expect(throws: TransportError.self) { try house.identity(at: end) }
  }
}

@Suite("Signing requests", .ownThread)
struct IdentitySigningRequestTests {
  private func code(_ der: [UInt8]) -> TransportError.Code? {
    do throws(TransportError) {
      _ = try SigningRequest(der: der)
      return nil
    } catch { return error.code }
  }

  @Test("A request shows that its sender has the key")
  func proofOfPossession() throws {
    let key = try PrivateKey.generate()
    let request = try SigningRequest.make(for: key)
    #expect(try request.publicKey == key.publicKey())
    var forged = request.der
    forged[forged.count - 1] ^= 1
    #expect(code(forged) == .notProven)
    // Somebody else's key in an otherwise good request.
    let other = try PrivateKey.generate().publicKey()
    let index = try #require(
      request.der.indices.first { request.der[$0...].starts(with: request.publicKey) })
    var swapped = request.der
    swapped.replaceSubrange(index..<index + other.count, with: other)
    #expect(code(swapped) == .notProven)
    #expect(code(request.der + [0]) == .malformed)
    #expect(code([]) == .malformed)
    #expect(code([UInt8](repeating: 0x30, count: 9_000)) == .malformed)
  }

  @Test(
    "Only keys of P-256 and Ed25519 are signed", .enabled(if: OpenSSLProgram.isThere),
    arguments: [
      (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], true),
      (["-algorithm", "ED25519"], true),
      (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], false),
      (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"], false),
      (
        [
          "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
          "ec_param_enc:explicit",
        ], false
      ),
      (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], false),
      (["-algorithm", "ED448"], false),
    ])
  func kindsOfKeys(words: [String], isAccepted: Bool) throws {
    let nest = try Nest()
    let (key, file) = (nest.path("key.pem"), nest.path("request.der"))
    #expect(try OpenSSLProgram.run(["genpkey"] + words + ["-out", key]).status == 0)
    let made = try OpenSSLProgram.run(
      "req", "-new", "-key", key, "-subj", "/CN=x", "-outform", "DER", "-out", file)
    #expect(made.status == 0, "\(made.text)")
    let der = [UInt8](try Data(contentsOf: URL(filePath: file)))
    #expect(code(der) == (isAccepted ? nil : .unsupportedKey))
  }

  @Test("Names that a request asks for are not given", .enabled(if: OpenSSLProgram.isThere))
  func forgedNames() throws {
    let (nest, house) = (try Nest(), try Household(at: someTime))
    let made = try OpenSSLProgram.run(
      "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
      nest.path("key.pem"), "-subj", "/CN=apus:\\/\\/birds\\/operator", "-addext",
      "subjectAltName=URI:apus://birds/operator/\(String(repeating: "f", count: 32))", "-addext",
      "basicConstraints=critical,CA:TRUE", "-addext", "extendedKeyUsage=serverAuth", "-outform",
      "DER", "-out", nest.path("request.der"))
    #expect(made.status == 0, "\(made.text)")
    let der = [UInt8](try Data(contentsOf: URL(filePath: nest.path("request.der"))))
    let certificate = try house.authority.issue(
      for: try SigningRequest(der: der),
      try IdentityName(uri: "apus://birds/device/\(Household.deviceID)"), at: someTime)
    let name = try Certificate.identify(certificate.der)
    #expect(name.role == .device && name.id == Household.deviceID)
    #expect(!certificate.isAuthority && certificate.usages == [.client])
    #expect(!certificate.subject.contains("operator"))
  }

  @Test("openssl verifies our request", .enabled(if: OpenSSLProgram.isThere))
  func opensslAgrees() throws {
    let nest = try Nest()
    let file = try nest.write(try SigningRequest.make(for: .generate()).der, to: "request.der")
    let checked = try OpenSSLProgram.run(
      "req", "-verify", "-noout", "-inform", "DER", "-in", file)
    #expect(checked.status == 0 && checked.text.contains("verify OK"), "\(checked.text)")
  }
}
