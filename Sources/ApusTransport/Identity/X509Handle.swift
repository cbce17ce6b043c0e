// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import COpenSSL

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// libcrypto's certificate, freed with its owner.
struct X509Handle: ~Copyable {
  let pointer: OpaquePointer

  init(owning pointer: OpaquePointer) { self.pointer = pointer }

  deinit { X509_free(pointer) }

  init(reading der: [UInt8]) throws(TransportError) {
    self.init(owning: try Self.read(der))
  }

  private static func read(_ der: [UInt8]) throws(TransportError) -> OpaquePointer {
    guard der.count <= Certificate.sizeLimit else {
      throw TransportError(.malformed, "A certificate of more than 64 KiB is not read.")
    }
    return try der.withUnsafeBufferPointer { bytes throws(TransportError) in
      var next = bytes.baseAddress
      ERR_clear_error()
      guard let handle = d2i_X509(nil, &next, bytes.count) else {
        throw TransportError.malformed("A certificate cannot be read")
      }
      guard let start = bytes.baseAddress, next == start + bytes.count else {
        X509_free(handle)
        throw TransportError(.malformed, "Behind a certificate there are bytes that do not belong.")
      }
      // Reads the extensions once; a certificate with a broken or doubled one is no certificate.
      guard X509_get_extension_flags(handle) & UInt32(EXFLAG_INVALID) == 0 else {
        X509_free(handle)
        ERR_clear_error()
        throw TransportError(.malformed, "A certificate has extensions that cannot be read.")
      }
      return handle
    }
  }

  /// Seconds since 1970.
  func time(_ time: UnsafePointer<ASN1_TIME>?) throws(TransportError) -> Int64 {
    var parts = tm()
    guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else {
      throw .malformed("A certificate's time cannot be read")
    }
    return Int64(timegm(&parts))
  }

  func usages() -> Set<Certificate.Usage> {
    guard X509_get_extension_flags(pointer) & UInt32(EXFLAG_XKUSAGE) != 0 else { return [] }
    let bits = X509_get_extended_key_usage(pointer)
    var usages: Set<Certificate.Usage> = []
    if bits & UInt32(XKU_SSL_CLIENT) != 0 { usages.insert(.client) }
    if bits & UInt32(XKU_SSL_SERVER) != 0 { usages.insert(.server) }
    return usages
  }

  /// The identity and the hosts of the subject alternative names.
  func alternativeNames() throws(TransportError) -> (IdentityName?, [HostName]) {
    var critical: Int32 = 0
    ERR_clear_error()
    guard
      let raw = X509_get_ext_d2i(pointer, NID_subject_alt_name, &critical, nil)
    else {
      // -1: there is none. Anything else: there are several, or one that cannot be read.
      guard critical == -1 else { throw .malformed("A certificate's names cannot be read") }
      return (nil, [])
    }
    let names = OpaquePointer(raw)
    defer { GENERAL_NAMES_free(names) }
    var identity: IdentityName?
    var hosts: [HostName] = []
    for index in 0..<max(0, OPENSSL_sk_num(names)) {
      guard let value = OPENSSL_sk_value(names, index) else { continue }
      var kind: Int32 = 0
      let general = value.assumingMemoryBound(to: GENERAL_NAME.self)
      guard let part = GENERAL_NAME_get0_value(general, &kind) else { continue }
      guard kind == GEN_URI || kind == GEN_DNS || kind == GEN_IPADD else { continue }
      let string = part.assumingMemoryBound(to: ASN1_STRING.self)
      let bytes = UnsafeBufferPointer(
        start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
      switch kind {
      case GEN_URI:
        guard bytes.starts(with: "apus:".utf8) else { continue }
        // Two identities would be two answers to one question.
        guard identity == nil else {
          throw TransportError(
            .namelessCertificate, "The certificate has several identities; one is expected.")
        }
        // Every byte counts: a zero in the middle must not end the text.
        guard bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else {
          throw TransportError(
            .namelessCertificate, "The certificate's identity has characters that do not belong.")
        }
        identity = try IdentityName(uri: String(decoding: bytes, as: UTF8.self))
      case GEN_DNS: if let host = HostName(dns: bytes) { hosts.append(host) }
      default: if let host = HostName(addressBytes: bytes) { hosts.append(host) }
      }
    }
    return (identity, hosts)
  }

  func publicKey() throws(TransportError) -> [UInt8] {
    guard let key = X509_get_X509_PUBKEY(pointer) else {
      throw .malformed("A certificate has no public key")
    }
    return try DER.bytes("A public key cannot be written") { i2d_X509_PUBKEY(key, $0) }
  }

  func text(of name: OpaquePointer?) -> String {
    var buffer = [CChar](repeating: 0, count: 300)
    guard let name, X509_NAME_oneline(name, &buffer, Int32(buffer.count)) != nil else { return "" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  func serial() -> String {
    guard let serial = X509_get0_serialNumber(pointer) else { return "" }
    let bytes = UnsafeBufferPointer(
      start: ASN1_STRING_get0_data(serial), count: Int(ASN1_STRING_length(serial)))
    return SHA256.hexadecimal(bytes)
  }
}
