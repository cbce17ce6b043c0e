// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import COpenSSL

/// TLS for one connection, without a socket: encrypted bytes go in and come out.
final class TLSConnection {
  enum Progress: Equatable {
    case wantsMore
    case done
    /// The other side has said goodbye.
    case ended
    case failed(TLSFailure)
  }

  /// What OpenSSL reads and writes through; lives as long as the connection.
  private struct Pipe {
    var input: UnsafeRawBufferPointer
    let output: Unmanaged<OutputBuffer>
  }

  private let ssl: OpaquePointer
  private let context: TLSContext
  private let pipe: UnsafeMutablePointer<Pipe>

  /// Encrypted bytes go to `output`; `host` is, for clients, the name or the address that must be in the server's
  /// certificate.
  init(_ context: TLSContext, output: OutputBuffer, host: String?) throws(TransportError) {
    guard let ssl = SSL_new(context.pointer), let bio = BIO_new(Self.method) else {
      throw TransportError(.system, "OpenSSL could not make a connection: \(opensslMessage()).")
    }
    self.ssl = ssl
    self.context = context
    pipe = .allocate(capacity: 1)
    pipe.initialize(
      to: Pipe(
        input: UnsafeRawBufferPointer(start: nil, count: 0), output: .passUnretained(output)))
    BIO_set_data(bio, pipe)
    BIO_set_init(bio, 1)
    SSL_set_bio(ssl, bio, bio)
    if context.isServer { SSL_set_accept_state(ssl) } else { SSL_set_connect_state(ssl) }
    if let host { try expect(host) }
  }

  deinit {
    SSL_free(ssl)
    pipe.deallocate()
  }

  private func expect(_ host: String) throws(TransportError) {
    let parameters = SSL_get0_param(ssl)
    if X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 { return }
    ERR_clear_error()
    guard X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) == 1 else {
      throw TransportError(.address, "\(host) is no name of a host.")
    }
    host.withCString {
      _ = SSL_ctrl(
        ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
        UnsafeMutableRawPointer(mutating: $0))
    }
  }

  /// Sets what is read next; the bytes must stay valid until they are read, which is until `handshake` or `read`
  /// wants more.
  func feed(_ bytes: UnsafeRawBufferPointer) { pipe.pointee.input = bytes }

  func handshake() -> Progress {
    ERR_clear_error()
    let status = SSL_do_handshake(ssl)
    guard status == 1 else { return progress(after: status) }
    return hasAgreedOnHTTP2
      ? .done : .failed(TLSFailure(.other, "The other side does not speak HTTP/2."))
  }

  private var hasAgreedOnHTTP2: Bool {
    var name: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &length)
    guard let name, length == 2 else { return false }
    return name[0] == UInt8(ascii: "h") && name[1] == UInt8(ascii: "2")
  }

  /// The other side's certificate, DER; nil where it showed none.
  var peerCertificate: [UInt8]? {
    guard let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
    return PeerCheck.der(of: certificate)
  }

  /// Gives back what only the handshake needed: the certificates above the other side's own.
  func forgetHandshake() {
    guard let chain = SSL_get_peer_cert_chain(ssl) else { return }
    let least: Int32 = context.isServer ? 0 : 1
    while OPENSSL_sk_num(chain) > least, let certificate = OPENSSL_sk_pop(chain) {
      X509_free(OpaquePointer(certificate))
    }
  }

  /// Hands decrypted bytes to `take` until there are no more.
  func read(
    through buffer: UnsafeMutableRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Bool
  ) -> Progress {
    while true {
      ERR_clear_error()
      let count = SSL_read(ssl, buffer.baseAddress, Int32(buffer.count))
      guard count > 0 else { return progress(after: count) }
      guard take(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)])) else { return .ended }
    }
  }

  /// Encrypts bytes.
  func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count > 0 else { return true }
    ERR_clear_error()
    return SSL_write(ssl, bytes.baseAddress, Int32(bytes.count)) == Int32(bytes.count)
  }

  /// Says goodbye.
  func close() {
    ERR_clear_error()
    SSL_shutdown(ssl)
    ERR_clear_error()
  }

  private func progress(after status: Int32) -> Progress {
    switch SSL_get_error(ssl, status) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: .wantsMore
    case SSL_ERROR_ZERO_RETURN: .ended
    default: .failed(TLSFailure(of: ssl, refusal: context.check.takeRefusal()))
    }
  }

  // MARK: OpenSSL's way to the bytes

  /// A table of functions, the same for all connections.
  nonisolated(unsafe) private static let method: OpaquePointer? = {
    let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "apus")
    BIO_meth_set_read(method) { bio, buffer, length in
      guard let bio, let buffer, let data = BIO_get_data(bio) else { return -1 }
      BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
      let pipe = data.assumingMemoryBound(to: Pipe.self)
      let count = min(Int(length), pipe.pointee.input.count)
      guard count > 0, let source = pipe.pointee.input.baseAddress else {
        BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
        return -1
      }
      UnsafeMutableRawPointer(buffer).copyMemory(from: source, byteCount: count)
      pipe.pointee.input = UnsafeRawBufferPointer(
        rebasing: pipe.pointee.input.dropFirst(count))
      return Int32(count)
    }
    BIO_meth_set_write(method) { bio, buffer, length in
      guard let bio, let buffer, let data = BIO_get_data(bio) else { return -1 }
      let pipe = data.assumingMemoryBound(to: Pipe.self)
      pipe.pointee.output.takeUnretainedValue().append(
        UnsafeRawBufferPointer(start: buffer, count: Int(length)))
      return length
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
  }()
}
