// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where a server listens: `HOST:PORT`, an IPv6 address in brackets.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
  package var host: HostName
  /// 1...65535.
  package var port: Int

  package init(host: HostName, port: Int) {
    precondition((1...65_535).contains(port), "A port is in 1...65535.")
    self.host = host
    self.port = port
  }

  /// Reads an address.
  ///
  /// - Throws: ``TransportError`` (`address`), with what is wrong.
  package init(_ text: some StringProtocol) throws(TransportError) {
    func problem(_ what: String) -> TransportError { TransportError(.address, what) }
    let text = String(text)
    let isBracketed = text.hasPrefix("[")
    var hostText = Substring(text)
    var portText = Substring()
    if isBracketed {
      guard let end = text.firstIndex(of: "]") else { throw problem("a bracket is not closed") }
      hostText = text[text.index(after: text.startIndex)..<end]
      guard text[end...].hasPrefix("]:") else { throw problem("the port is missing") }
      portText = text[end...].dropFirst(2)
    } else {
      // The last colon, so that an IPv6 address without brackets is told so.
      guard let colon = text.lastIndex(of: ":") else { throw problem("the port is missing") }
      hostText = text[..<colon]
      portText = text[colon...].dropFirst()
    }
    guard let host = HostName(String(hostText)) else {
      throw problem("'\(hostText.prefix(80))' is neither a host's name nor an address")
    }
    if case .ipv6 = host {
      guard isBracketed else { throw problem("an IPv6 address stands in brackets") }
    } else if isBracketed {
      throw problem("only an IPv6 address stands in brackets")
    }
    guard portText.utf8.count <= 5, portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      portText.first != "0", let port = Int(portText), (1...65_535).contains(port)
    else { throw problem("the port is not a number in 1...65535") }
    self.init(host: host, port: port)
  }

  package var description: String { "\(host.bracketed):\(port)" }
}
