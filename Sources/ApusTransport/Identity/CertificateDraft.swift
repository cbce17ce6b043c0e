// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import COpenSSL

/// A certificate that is being written.
struct CertificateDraft: ~Copyable {
  private let certificate: X509Handle
  private var issuer: X509Handle?

  /// With a random serial number; times in seconds since 1970 (UTC).
  init(publicKey: [UInt8], from begin: Int64, until end: Int64) throws(TransportError) {
    guard let pointer = X509_new() else { throw .cryptography("No certificate can be made") }
    let handle = X509Handle(owning: pointer)
    var serial = try SecureRandom.bytes(16)
    // Positive, and of the same length always.
    serial[0] = serial[0] & 0x3f | 0x40
    let key = publicKey.withUnsafeBufferPointer { bytes in
      var next = bytes.baseAddress
      return d2i_PUBKEY(nil, &next, bytes.count)
    }
    guard let key else { throw .malformed("A public key cannot be read") }
    defer { EVP_PKEY_free(key) }
    guard X509_set_version(pointer, 2) == 1,
      ASN1_STRING_set(X509_get_serialNumber(pointer), serial, 16) == 1,
      ASN1_TIME_set(X509_getm_notBefore(pointer), time_t(begin)) != nil,
      ASN1_TIME_set(X509_getm_notAfter(pointer), time_t(end)) != nil,
      X509_set_pubkey(pointer, key) == 1
    else { throw .cryptography("No certificate could be made") }
    certificate = handle
    issuer = nil
  }

  /// Common names are for people who look at certificates with other tools; nothing here reads them.
  mutating func name(subject: String, issuer: Certificate?) throws(TransportError) {
    let name = X509_get_subject_name(certificate.pointer)
    let text = Array(subject.utf8.prefix(64))
    guard
      X509_NAME_add_entry_by_NID(
        name, NID_commonName, MBSTRING_UTF8, text, Int32(text.count), -1, 0) == 1
    else { throw .cryptography("A certificate's name could not be written") }
    if let issuer {
      let handle = try X509Handle(reading: issuer.der)
      guard
        X509_set_issuer_name(certificate.pointer, X509_get_subject_name(handle.pointer)) == 1
      else { throw .cryptography("A certificate's issuer could not be written") }
      self.issuer = consume handle
    } else {
      guard X509_set_issuer_name(certificate.pointer, name) == 1 else {
        throw .cryptography("A certificate's issuer could not be written")
      }
    }
  }

  /// Adds an extension by a text of our own: never by one that a peer had a part in.
  borrowing func add(_ kind: Int32, _ value: StaticString) throws(TransportError) {
    try add(kind, "\(value)")
  }

  borrowing func add(_ kind: Int32, _ value: String) throws(TransportError) {
    var context = X509V3_CTX()
    switch issuer {
    case .some(let handle):
      X509V3_set_ctx(&context, handle.pointer, certificate.pointer, nil, nil, 0)
    case .none:
      X509V3_set_ctx(&context, certificate.pointer, certificate.pointer, nil, nil, 0)
    }
    guard let entry = X509V3_EXT_conf_nid(nil, &context, kind, value) else {
      throw .cryptography("A certificate's extension could not be written")
    }
    defer { X509_EXTENSION_free(entry) }
    guard X509_add_ext(certificate.pointer, entry, -1) == 1 else {
      throw .cryptography("A certificate's extension could not be written")
    }
  }

  /// Adds who holds the certificate, and where a server is reached.
  borrowing func add(_ name: IdentityName, _ hosts: [HostName]) throws(TransportError) {
    guard let names = OPENSSL_sk_new_null() else {
      throw .cryptography("A certificate's names could not be written")
    }
    defer { GENERAL_NAMES_free(names) }
    try push(GEN_URI, V_ASN1_IA5STRING, Array(name.uri.utf8), onto: names)
    for host in hosts {
      if let address = host.addressBytes {
        try push(GEN_IPADD, V_ASN1_OCTET_STRING, address, onto: names)
      } else {
        try push(GEN_DNS, V_ASN1_IA5STRING, Array(host.text.utf8), onto: names)
      }
    }
    guard
      X509_add1_ext_i2d(
        certificate.pointer, NID_subject_alt_name, UnsafeMutableRawPointer(names), 0, 0) == 1
    else { throw .cryptography("A certificate's names could not be written") }
  }

  private borrowing func push(
    _ kind: Int32, _ type: Int32, _ bytes: [UInt8], onto names: OpaquePointer
  ) throws(TransportError) {
    guard let string = ASN1_STRING_type_new(type) else {
      throw .cryptography("A certificate's name could not be written")
    }
    guard ASN1_STRING_set(string, bytes, Int32(bytes.count)) == 1, let name = GENERAL_NAME_new()
    else {
      ASN1_STRING_free(string)
      throw .cryptography("A certificate's name could not be written")
    }
    // The name owns the string from here on, and the list owns the name.
    GENERAL_NAME_set0_value(name, kind, string)
    guard OPENSSL_sk_push(names, name) > 0 else {
      GENERAL_NAME_free(name)
      throw .cryptography("A certificate's name could not be written")
    }
  }

  /// The finished certificate.
  borrowing func signed(by key: PrivateKey) throws(TransportError) -> Certificate {
    try Certificate(der: try signedBytes(by: key))
  }

  /// The finished certificate, DER, whatever is in it.
  borrowing func signedBytes(by key: PrivateKey) throws(TransportError) -> [UInt8] {
    let pointer = certificate.pointer
    guard X509_sign(pointer, key.handle, EVP_sha256()) > 0 else {
      throw .cryptography("A certificate could not be signed")
    }
    return try DER.bytes("A certificate cannot be written") { i2d_X509(pointer, $0) }
  }
}
