// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusTransport
internal import ApusWire
internal import Foundation

/// Where an aggregator is, and who asks it.
///
/// It is a directory: an aggregator's own data directory, whose `operator/` is the identity of who set it up, or
/// one that `apus join` made of an operator's or auditor's invitation. The file `address` in it says where.
package struct HubProfile: Sendable {
  package let directory: String
  /// A name or an address, without brackets.
  package let host: String
  package let port: Int
  package let identity: Identity

  /// As messages and files have it.
  package var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  package static let addressFile = "address"

  /// The profile that somebody means.
  ///
  /// - Parameters:
  ///   - name: a directory, or `HOST:PORT` of an aggregator that was joined; nil for `$APUS_HUB`, then `./hub`
  ///     where it is an aggregator's, then the only one that was joined.
  ///   - environment: for `APUS_HUB`, `XDG_CONFIG_HOME` and `HOME`.
  ///   - workingDirectory: what paths are relative to.
  /// - Returns: the profile; nobody was asked yet whether it is up.
  /// - Throws: ``CoordinationError`` (`no-hub`), which says what to do.
  package static func find(
    _ name: String?, environment: [String: String], workingDirectory: String = "."
  ) throws(CoordinationError) -> HubProfile {
    func absolute(_ path: String) -> String {
      path.hasPrefix("/") || workingDirectory == "." ? path : "\(workingDirectory)/\(path)"
    }
    let named = name ?? environment["APUS_HUB"].flatMap { $0.isEmpty ? nil : $0 }
    if let named {
      if isDirectory(absolute(named)) { return try HubProfile(directory: absolute(named)) }
      let joined = joinedDirectory(environment) + "/" + directoryName(forAddress: named)
      if isDirectory(joined) { return try HubProfile(directory: joined) }
      throw CoordinationError(
        .noHub,
        "there is no hub \(named): expected an aggregator's data directory, or the HOST:PORT of one that "
          + "this user has joined ('apus join INVITATION' with an operator's invitation)")
    }
    if isDirectory(absolute("hub/operator")) {
      return try HubProfile(directory: absolute("hub"))
    }
    let joined = joinedDirectory(environment)
    let all = ((try? FileManager.default.contentsOfDirectory(atPath: joined)) ?? []).sorted()
      .filter { isDirectory("\(joined)/\($0)") }
    switch all.count {
    case 1: return try HubProfile(directory: "\(joined)/\(all[0])")
    case 0:
      throw CoordinationError(
        .noHub,
        "no hub is known here: expected --hub DIR (an aggregator's data directory), or that this user has "
          + "joined one ('apus join INVITATION' with an operator's invitation)")
    default:
      throw CoordinationError(
        .noHub,
        "\(all.count) hubs are known here: expected --hub with one of "
          + all.map { (try? HubProfile(directory: "\(joined)/\($0)").address) ?? $0 }
          .joined(separator: ", "))
    }
  }

  /// The profile in a directory.
  ///
  /// - Throws: ``CoordinationError`` (`no-hub`) where it is none, or one that was never up.
  package init(directory: String) throws(CoordinationError) {
    self.directory = directory
    let own = "\(directory)/operator"
    let identityDirectory = Self.isDirectory(own) ? own : directory
    do {
      identity = try Identity.load(from: identityDirectory)
    } catch {
      throw CoordinationError(
        .noHub, "\(directory) has no identity to ask a hub with: \(error.message)", cause: error)
    }
    let file = "\(directory)/\(Self.addressFile)"
    guard let text = try? String(contentsOfFile: file, encoding: .utf8),
      let place = Self.hostAndPort(text.trimmingCharacters(in: .whitespacesAndNewlines))
    else {
      throw CoordinationError(
        .noHub,
        "\(file) does not say where the hub is: it has never been up, or the file was changed. 'apus serve "
          + "--data-dir \(directory)' writes it")
    }
    (host, port) = place
  }

  /// A client over TLS with the profile's identity; it connects with the first call.
  package func client() throws(CoordinationError) -> CoordinatorClient {
    do {
      let channel = try GRPCChannel(
        host: host, port: port, trust: .authorities(identity.authorities.map(\.der)),
        identity: identity.tlsMaterial())
      return CoordinatorClient(channel: channel, address: address)
    } catch {
      throw CoordinationError(.refused, "\(directory): \(error)", cause: error)
    }
  }

  // MARK: Places

  /// Where `apus join` keeps the hubs that this user may ask.
  package static func joinedDirectory(_ environment: [String: String]) -> String {
    let configuration =
      environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? "\(environment["HOME"] ?? "")/.config"
    return "\(configuration)/apus/hubs"
  }

  /// `192.0.2.1_8443` for `192.0.2.1:8443`.
  package static func directoryName(forAddress address: String) -> String {
    String(address.map { $0 == ":" || $0 == "/" || $0 == "[" || $0 == "]" ? "_" : $0 })
  }

  /// The two parts of `HOST:PORT` or `[HOST]:PORT`; nil where it is neither.
  package static func hostAndPort(_ text: String) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard let name = HostName(String(host)) else { return nil }
    return (name.text, port)
  }

  private static func isDirectory(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }
}
