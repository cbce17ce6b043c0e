// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

@testable import ApusTransport

// What says who somebody is: invitations that were copied from anywhere, certificates that anybody shows in a
// handshake, requests of those who are not known yet.

let identityReaders = [
  Reader(name: "invitation") { bytes in
    let url = String(decoding: bytes, as: UTF8.self)
    do throws(TransportError) {
      let invitation = try Invitation(url: url)
      precondition((try? Invitation(url: invitation.url)) == invitation)
      precondition(invitation.url.utf8.count <= 1_000)
    } catch {
      for secret in secrets(in: url) {
        precondition(
          !Array(error.message.utf8).contains(secret), "A message holds what may be a token.")
      }
    }
  },
  /// As DER and as PEM.
  Reader(name: "certificate") { bytes in
    if let certificate = try? Certificate(der: bytes) { check(certificate) }
    for certificate in (try? Certificate.chain(pem: bytes)) ?? [] { check(certificate) }
  },
  Reader(name: "signing-request") { bytes in
    guard let request = try? SigningRequest(der: bytes) else { return }
    let name = try? IdentityName(uri: "apus://birds/device/00112233445566778899aabbccddeeff")
    guard let authority, let name,
      let certificate = try? authority.issue(for: request, name, at: moment)
    else { preconditionFailure("A request was read, and no certificate can be made for it.") }
    precondition(certificate.publicKey == request.publicKey && certificate.name == name)
    precondition(!certificate.isAuthority && certificate.usages == [.client])
  },
  /// As text, and as the bytes of a certificate's name.
  Reader(name: "identity-name") { bytes in
    let name = try? IdentityName(uri: String(decoding: bytes, as: UTF8.self))
    if let name { precondition(Array(name.uri.utf8) == bytes, "A name has two spellings.") }
    guard bytes.starts(with: "apus:".utf8), bytes.count <= 300 else { return }
    let certificate = try? Certificate(der: certificate(naming: bytes))
    precondition(certificate?.name == name, "A certificate's name is not what its bytes say.")
  },
]

/// What stands behind the question mark and nowhere before it, in parts that are long enough for a secret.
private func secrets(in url: String) -> [[UInt8]] {
  let bytes = Array(url.utf8)
  guard let mark = bytes.firstIndex(of: UInt8(ascii: "?")) else { return [] }
  return bytes[mark...].split { "?&=".utf8.contains($0) }.map(Array.init)
    .filter { $0.count >= 20 && !Array(bytes[..<mark]).contains($0) }
}

private func check(_ certificate: Certificate) {
  precondition((try? Certificate(der: certificate.der)) == certificate)
  precondition((try? Certificate.chain(pem: certificate.pem)) == [certificate])
  precondition(certificate.digest.count == 32)
  for host in certificate.hosts { precondition(HostName(host.text) == host) }
  _ = certificate.renewal()
  // Nobody's word counts for themselves, unless they are an authority.
  let isBelieved =
    (try? CertificateChain.verify(
      [certificate], against: authority.map { [$0.certificate] } ?? [], for: .client, at: moment))
    != nil
  precondition(!isBelieved, "A certificate is believed that our authority has not signed.")
  guard let identity = try? certificate.identity() else { return }
  precondition(IdentityName.isFederation(identity.federation) && IdentityName.isID(identity.id))
  precondition(!certificate.isAuthority && identity.expires == certificate.notAfter)
}

/// 2026-01-02 03:04:05 UTC.
private let moment: Int64 = 1_767_323_045
private let authority = try? CertificateAuthority.make(federation: "birds", at: moment)

/// By the length of their names: to make a certificate for each input would take most of the time.
private let templates = Mutex<[Int: (der: [UInt8], place: Int)]>([:])

/// A certificate whose SAN is a URI of these bytes, which no tool would write; its signature is wrong.
private func certificate(naming bytes: [UInt8]) -> [UInt8] {
  var (der, place) = templates.withLock { templates in
    if let template = templates[bytes.count] { return template }
    let text = "apus:" + String(repeating: "x", count: bytes.count - 5)
    guard let key = try? PrivateKey.generate(), let publicKey = try? key.publicKey(),
      var draft = try? CertificateDraft(publicKey: publicKey, from: moment, until: moment + 60),
      (try? draft.name(subject: "x", issuer: nil)) != nil,
      // 85 is NID_subject_alt_name.
      (try? draft.add(85, "URI:\(text)")) != nil, let der = try? draft.signedBytes(by: key),
      let place = der.indices.first(where: { der[$0...].starts(with: text.utf8) })
    else { preconditionFailure("No certificate could be made.") }
    templates[bytes.count] = (der, place)
    return (der, place)
  }
  der.replaceSubrange(place..<place + bytes.count, with: bytes)
  return der
}
