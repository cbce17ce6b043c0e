// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation

@testable import ApusTransport

/// Friday, 2026-01-02 03:04:05 UTC.
let someTime: Int64 = 1_767_323_045

/// An authority and what it signs, for tests.
struct Household {
  static let deviceID = "00112233445566778899aabbccddeeff"

  let authority: CertificateAuthority
  let federation: String

  init(_ federation: String = "birds", at now: Int64 = Household.now) throws {
    self.federation = federation
    authority = try .make(federation: federation, at: now)
  }

  static var now: Int64 { Int64(Date().timeIntervalSince1970) }

  func identity(
    _ role: Role = .device, id: String = Household.deviceID, hosts: [HostName] = [],
    lifetime: Int64? = nil, at now: Int64 = Household.now
  ) throws -> Identity {
    let key = try PrivateKey.generate()
    let name = try IdentityName(federation: federation, role: role, id: id)
    let certificate = try authority.issue(
      for: .make(for: key), name, hosts: hosts, lifetime: lifetime, at: now)
    return try Identity(
      certificates: [certificate], key: key, authorities: [authority.certificate])
  }
}

/// A directory of one test, removed with it.
final class Nest {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("apus-nest-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
    try Data(bytes).write(to: URL(filePath: path(name)))
    return path(name)
  }

  func permissions(of name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path(name))
    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
  }

  func setPermissions(_ permissions: Int, of name: String) throws {
    try FileManager.default.setAttributes(
      [.posixPermissions: permissions], ofItemAtPath: path(name))
  }
}

/// The `openssl` program: another reader of what we write.
enum OpenSSLProgram {
  static let path = ["/usr/bin/openssl", "/usr/local/bin/openssl", "/opt/homebrew/bin/openssl"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  static var isThere: Bool { path != nil }

  /// Its exit status, and what it printed on both ways.
  static func run(_ words: String...) throws -> (status: Int32, text: String) { try run(words) }

  static func run(_ words: [String]) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(filePath: path ?? "/usr/bin/openssl")
    process.arguments = words
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}
