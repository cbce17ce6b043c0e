// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// What lets somebody join: `apus://HOST:PORT/?token=…&ca=sha256:…`.
///
/// Whoever has it can join once, or as often as it says: treat it as a password.
package struct Invitation: Hashable, Sendable {
  package var host: HostName
  /// 1...65535.
  package var port: Int
  package var token: Token
  /// SHA-256 of the authority's certificate (DER), 32 bytes: the server must show a chain to it.
  package var authorityDigest: [UInt8]

  package init(host: HostName, port: Int, token: Token, authorityDigest: [UInt8]) {
    precondition((1...65_535).contains(port), "A port is in 1...65535.")
    precondition(authorityDigest.count == 32, "A SHA-256 digest has 32 bytes.")
    self.host = host
    self.port = port
    self.token = token
    self.authorityDigest = authorityDigest
  }

  /// Reads an invitation; exactly what ``url`` writes, but the two parameters in any order.
  ///
  /// - Throws: ``TransportError`` (`bad-invitation`), which says what is wrong, without the token.
  package init(url: String) throws(TransportError) {
    func problem(_ what: String) -> TransportError {
      TransportError(
        .badInvitation,
        "The invitation cannot be read: \(what). It has the form "
          + "apus://HOST:PORT/?token=…&ca=sha256:… ; perhaps a part was lost in copying, or the "
          + "quotation marks around it are missing.")
    }
    guard url.utf8.count <= 1_000 else { throw problem("it is too long") }
    guard url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw problem("it has blanks or characters that do not belong")
    }
    guard url.hasPrefix("apus://") else { throw problem("it does not begin with apus://") }
    let rest = url.dropFirst("apus://".count)
    // Whatever stands behind a question mark may be the token, and is never taken for an address and told.
    guard let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }), rest[slash] == "/" else {
      throw problem("there is no /? behind the port")
    }
    let query = rest[rest.index(after: slash)...]
    guard query.first == "?" else { throw problem("there is no ? behind the slash") }

    let address: ServerAddress
    do throws(TransportError) { address = try ServerAddress(rest[..<slash]) } catch {
      throw problem(error.message)
    }

    var token: Token?
    var digest: [UInt8]?
    for pair in query.dropFirst().split(separator: "&", omittingEmptySubsequences: false) {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      switch (parts[0], parts.count) {
      case ("token", 2):
        guard token == nil else { throw problem("there are two tokens") }
        token = Token(text: String(parts[1]))
        if token == nil { throw problem("its token is not 43 characters of base64url") }
      case ("ca", 2):
        guard digest == nil else { throw problem("there are two values of ca") }
        guard parts[1].hasPrefix("sha256:"),
          let bytes = Hexadecimal.bytes(parts[1].dropFirst("sha256:".count)), bytes.count == 32
        else { throw problem("ca is not sha256: and 64 lower-case hexadecimal digits") }
        digest = bytes
      default:
        // The name only: the value could be a token whose name was misspelt.
        throw problem("it has a parameter other than token and ca")
      }
    }
    guard let token else { throw problem("the token is missing") }
    guard let digest else { throw problem("ca, the digest of the authority, is missing") }
    self.init(host: address.host, port: address.port, token: token, authorityDigest: digest)
  }

  package var address: ServerAddress { ServerAddress(host: host, port: port) }

  package var url: String {
    "apus://\(address)/?token=\(token.text)"
      + "&ca=sha256:\(SHA256.hexadecimal(authorityDigest))"
  }
}
