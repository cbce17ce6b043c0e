// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusWire
internal import COpenSSL

/// What all connections of one side have in common: certificates, keys, whom to trust.
///
/// TLS 1.3 only, ALPN `h2`, X25519 and P-256; no early data, and no resumption: every connection shows its
/// certificate, so that one that was revoked gets no further.
// Sendable: an SSL_CTX is reference-counted with atomics, and is not changed after its initializer.
final class TLSContext: @unchecked Sendable {
  let pointer: OpaquePointer
  let check: PeerCheck
  /// Whether the connections are a server's.
  let isServer: Bool

  deinit { SSL_CTX_free(pointer) }

  private init(isServer: Bool, check: PeerCheck) throws(TransportError) {
    guard let pointer = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
      throw TransportError(.system, "OpenSSL could not make a context: \(opensslMessage()).")
    }
    self.pointer = pointer
    self.check = check
    self.isServer = isServer
    SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_3_VERSION), nil)
    SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(TLS1_3_VERSION), nil)
    "X25519:P-256".withCString {
      _ = SSL_CTX_ctrl(pointer, SSL_CTRL_SET_GROUPS_LIST, 0, UnsafeMutableRawPointer(mutating: $0))
    }
    // Buffers are given back when they are empty; an idle connection holds none.
    SSL_CTX_ctrl(
      pointer, SSL_CTRL_MODE,
      Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER),
      nil)
    SSL_CTX_ctrl(pointer, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
    SSL_CTX_set_options(pointer, UInt64(1) << 14)  // SSL_OP_NO_TICKET, a macro with a cast
    SSL_CTX_set_num_tickets(pointer, 0)
    SSL_CTX_set_max_early_data(pointer, 0)
    SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MAX_CERT_LIST, 64 << 10, nil)
    SSL_CTX_set_cert_verify_callback(
      pointer, { store, argument in PeerCheck.of(argument).verify(store) },
      Unmanaged.passUnretained(check).toOpaque())
  }

  /// A server's: asks for a client certificate and takes none for an answer, but no bad one.
  ///
  /// `identify` gets a verified certificate (DER); what it throws refuses the connection.
  static func server(
    _ material: TLSMaterial, clientAuthorities: [[UInt8]],
    identify: @escaping @Sendable ([UInt8]) throws -> PeerIdentity
  ) throws(TransportError) -> TLSContext {
    let context = try TLSContext(
      isServer: true,
      check: PeerCheck(trust: .authorities(clientAuthorities)) { der in _ = try identify(der) })
    let pointer = context.pointer
    try context.use(material)
    SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
    SSL_CTX_set_alpn_select_cb(
      pointer,
      { _, chosen, chosenLength, offered, offeredLength, _ in
        TLSContext.chooseProtocol(chosen, chosenLength, offered, offeredLength)
      }, nil)
    // Which authorities a client may choose among its certificates by.
    for authority in clientAuthorities {
      let certificate = try Self.certificate(authority)
      defer { X509_free(certificate) }
      SSL_CTX_add_client_CA(pointer, certificate)
    }
    return context
  }

  /// A client's.
  static func client(
    trust: PeerTrust, identity: TLSMaterial?
  ) throws(TransportError) -> TLSContext {
    let context = try TLSContext(isServer: false, check: PeerCheck(trust: trust, accept: nil))
    if let identity { try context.use(identity) }
    SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
    let protocols: [UInt8] = [2, UInt8(ascii: "h"), UInt8(ascii: "2")]
    SSL_CTX_set_alpn_protos(context.pointer, protocols, UInt32(protocols.count))
    return context
  }

  private func use(_ material: TLSMaterial) throws(TransportError) {
    for (place, der) in material.certificateChain.enumerated() {
      let certificate = try Self.certificate(der)
      defer { X509_free(certificate) }
      // A server has its clients' authorities; only clients may know theirs by nothing but a digest.
      if !isServer, place > 0, X509_self_signed(certificate, 0) == 1 { continue }
      let status =
        place == 0
        ? Int(SSL_CTX_use_certificate(pointer, certificate))
        : SSL_CTX_ctrl(pointer, SSL_CTRL_CHAIN_CERT, 1, UnsafeMutableRawPointer(certificate))
      guard status == 1 else {
        throw TransportError(
          .certificate, "Certificate \(place + 1) of the chain cannot be used: \(opensslMessage())."
        )
      }
    }
    // Another owner of the same key; nothing is copied.
    guard SSL_CTX_use_PrivateKey(pointer, material.key.handle) == 1,
      SSL_CTX_check_private_key(pointer) == 1
    else {
      throw TransportError(
        .certificate, "The private key does not belong to the certificate: \(opensslMessage()).")
    }
  }

  static func certificate(_ der: [UInt8]) throws(TransportError) -> OpaquePointer {
    let certificate = der.withUnsafeBufferPointer { bytes in
      var next = bytes.baseAddress
      return d2i_X509(nil, &next, bytes.count)
    }
    guard let certificate else {
      throw TransportError(.certificate, "A certificate is no X.509 in DER: \(opensslMessage()).")
    }
    return certificate
  }

  private static func chooseProtocol(
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenLength: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
    _ offeredLength: UInt32
  ) -> Int32 {
    let refusal = SSL_TLSEXT_ERR_ALERT_FATAL
    guard let chosen, let chosenLength, let offered else { return refusal }
    var place = 0
    while place < Int(offeredLength) {
      let length = Int(offered[place])
      guard place + 1 + length <= Int(offeredLength) else { return refusal }
      if length == 2, offered[place + 1] == UInt8(ascii: "h"),
        offered[place + 2] == UInt8(ascii: "2")
      {
        chosen.pointee = offered + place + 1
        chosenLength.pointee = 2
        return SSL_TLSEXT_ERR_OK
      }
      place += 1 + length
    }
    return refusal
  }
}

/// What OpenSSL says of its last failure on this thread; forgets it.
func opensslMessage() -> String {
  let code = ERR_get_error()
  ERR_clear_error()
  guard code != 0, let reason = ERR_reason_error_string(code) else { return "no reason given" }
  return String(cString: reason)
}
