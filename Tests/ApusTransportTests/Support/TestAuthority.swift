// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import Synchronization

/// A certificate authority of the tests', made with the openssl command in a temporary directory.
final class TestAuthority: Sendable {
  let directory: URL
  let certificate: [UInt8]

  /// One for all tests, for it takes a moment.
  static let shared = Result { try TestAuthority.untilExit() }
  /// Another one, which nobody trusts.
  static let foreign = Result { try TestAuthority.untilExit() }

  private static let directories = Mutex<[URL]>([])

  /// One whose directory goes when the process ends: what is static is never let go.
  private static func untilExit() throws -> TestAuthority {
    let authority = try TestAuthority()
    let isFirst = directories.withLock { directories in
      directories.append(authority.directory)
      return directories.count == 1
    }
    if isFirst {
      atexit {
        for directory in TestAuthority.directories.withLock({ $0 }) {
          try? FileManager.default.removeItem(at: directory)
        }
      }
    }
    return authority
  }

  init() throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try Self.run(
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
        "2",
        "-subj", "/CN=apus tests", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
        "keyUsage=critical,keyCertSign,cRLSign", "-keyout", "ca.key", "-out", "ca.pem",
      ], in: directory)
    certificate = try Self.der(of: "ca.pem", in: directory)
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  /// A certificate with its key, for alternative names such as `IP:127.0.0.1` or `URI:apus://f/device/1`.
  func issue(_ names: String, purpose: String, days: Int = 1) throws -> TLSMaterial {
    let name = UUID().uuidString
    try Self.run(
      [
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
        "/CN=test",
        "-keyout", "\(name).key", "-out", "\(name).csr",
      ], in: directory)
    try Data(
      "subjectAltName=\(names)\nextendedKeyUsage=\(purpose)\nbasicConstraints=CA:FALSE\n".utf8
    )
    .write(to: directory.appending(path: "\(name).ext"))
    try Self.run(
      [
        "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-set_serial",
        String(UInt64.random(in: 1...UInt64.max)),
        "-days", String(days), "-extfile", "\(name).ext", "-out", "\(name).pem",
      ], in: directory)
    let key = try Data(contentsOf: directory.appending(path: "\(name).key"))
    return TLSMaterial(
      certificateChain: [try Self.der(of: "\(name).pem", in: directory), certificate],
      key: try PrivateKey(pem: [UInt8](key)))
  }

  func server() throws -> TLSMaterial {
    try issue("IP:127.0.0.1,DNS:localhost", purpose: "serverAuth")
  }

  func device(_ id: String = String(repeating: "0", count: 32)) throws -> TLSMaterial {
    try issue("URI:apus://test/device/\(id)", purpose: "clientAuth")
  }

  /// Writes material as PEM files for other programs: NAME.pem (with the chain) and NAME.key.
  func write(_ material: TLSMaterial, as name: String) throws {
    func pem(_ kind: String, _ der: [UInt8]) -> String {
      let text = Data(der).base64EncodedString(options: [
        .lineLength64Characters, .endLineWithLineFeed,
      ])
      return "-----BEGIN \(kind)-----\n\(text)\n-----END \(kind)-----\n"
    }
    let chain = material.certificateChain.map { pem("CERTIFICATE", $0) }.joined()
    try Data(chain.utf8).write(to: directory.appending(path: "\(name).pem"))
    try Data(pem("PRIVATE KEY", material.key.pkcs8()).utf8)
      .write(to: directory.appending(path: "\(name).key"))
  }

  private static func run(_ arguments: [String], in directory: URL) throws {
    let output = try Program("openssl", arguments, in: directory).run()
    guard output.status == 0 else { throw Failure(text: output.text) }
  }

  private static func der(of file: String, in directory: URL) throws -> [UInt8] {
    let name = "\(UUID().uuidString).der"
    try run(["x509", "-in", file, "-outform", "DER", "-out", name], in: directory)
    return [UInt8](try Data(contentsOf: directory.appending(path: name)))
  }

  struct Failure: Error { let text: String }
}
