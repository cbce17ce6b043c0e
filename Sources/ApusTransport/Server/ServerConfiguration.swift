// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// Where and how a server listens.
package struct ServerConfiguration: Sendable {
  /// A name or an address of this machine, for example `0.0.0.0`.
  package var host: String
  /// 0 for any that is free.
  package var port: Int
  /// What the server shows.
  package var material: TLSMaterial
  /// Certificates of the authorities that client certificates must come from, DER.
  package var clientAuthorities: [[UInt8]]
  package var limits = ServerLimits()
  /// Pages for GET, by path, for example `/metrics`; only for callers with an identity.
  package var pages: [String: @Sendable (Peer) async -> PlainPage] = [:]
  /// Is told of connections that came to nothing because one side does not accept the other's certificate: from
  /// where, and why in words; on the loop's thread, which it must not hold up.
  package var onDistrust: @Sendable (_ address: String, _ reason: String) -> Void = { _, _ in }

  package init(host: String, port: Int, material: TLSMaterial, clientAuthorities: [[UInt8]]) {
    self.host = host
    self.port = port
    self.material = material
    self.clientAuthorities = clientAuthorities
  }
}

/// What a GET is answered with.
package struct PlainPage: Sendable, Hashable {
  /// For example `text/plain; version=0.0.4`.
  package var contentType: String
  package var body: [UInt8]

  package init(contentType: String, body: [UInt8]) {
    self.contentType = contentType
    self.body = body
  }
}
