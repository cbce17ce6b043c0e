// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Foundation
import OwnThreads
import Testing

@testable import ApusTransport

@Suite("Identities on disk", .ownThread)
struct IdentityFilesTests {
  private func code(_ body: () throws -> Void) -> TransportError? {
    do {
      try body()
      return nil
    } catch { return error as? TransportError }
  }

  @Test("What is saved is for its owner's eyes and loads again")
  func saveAndLoad() throws {
    let (house, nest) = (try Household(), try Nest())
    let identity = try house.identity()
    let directory = nest.path("a/b/device")
    try identity.save(to: directory)
    #expect(try nest.permissions(of: "a/b/device") == 0o700)
    for file in ["key.pem", "certificate.pem", "authority.pem"] {
      #expect(try nest.permissions(of: "a/b/device/\(file)") == 0o600)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(names.sorted() == ["authority.pem", "certificate.pem", "key.pem"])
    let loaded = try Identity.load(from: directory)
    #expect(loaded.name == identity.name)
    #expect(try loaded.key.publicKey() == identity.key.publicKey())
    #expect(loaded.authorities == [house.authority.certificate])
  }

  @Test(
    "A key that others may read or write is refused, with the command that mends it",
    arguments: [
      0o640, 0o604, 0o644, 0o660, 0o620, 0o601, 0o777,
    ])
  func exposedKeys(permissions: Int) throws {
    let (house, nest) = (try Household(), try Nest())
    try house.identity().save(to: nest.path("it's"))
    try nest.setPermissions(permissions, of: "it's/key.pem")
    let error = code { _ = try Identity.load(from: nest.path("it's")) }
    #expect(error?.code == .exposedKey)
    #expect(error?.message.contains(String(permissions, radix: 8)) == true)
    // The command is run as it stands.
    let command = try #require(error?.message.components(separatedBy: "Mend it: ").last)
    let process = try Process.run(URL(filePath: "/bin/sh"), arguments: ["-c", command])
    process.waitUntilExit()
    #expect(code { _ = try Identity.load(from: nest.path("it's")) } == nil, "\(command)")
  }

  @Test("A file that is cut off anywhere is refused, and never half an identity")
  func tornFiles() throws {
    let (house, nest) = (try Household(), try Nest())
    let identity = try house.identity()
    for file in ["key.pem", "certificate.pem", "authority.pem"] {
      try identity.save(to: nest.path("device"))
      let whole = try Data(contentsOf: URL(filePath: nest.path("device/\(file)")))
      for count in stride(from: 0, to: whole.count - 2, by: 7) {
        try whole.prefix(count).write(to: URL(filePath: nest.path("device/\(file)")))
        let error = code { _ = try Identity.load(from: nest.path("device")) }
        #expect(error?.code == .malformed, "\(file) of \(count) bytes")
        #expect(error?.message.contains(file) == true)
      }
    }
  }

  @Test("An identity without its certificate is unfinished, and one without its key is none")
  func missingFiles() throws {
    let (house, nest) = (try Household(), try Nest())
    for file in ["key.pem", "certificate.pem", "authority.pem"] {
      try house.identity().save(to: nest.path("device"))
      try FileManager.default.removeItem(atPath: nest.path("device/\(file)"))
      #expect(
        code { _ = try Identity.load(from: nest.path("device")) }?.code == .missingIdentity)
    }
    #expect(code { _ = try Identity.load(from: nest.path("nowhere")) }?.code == .missingIdentity)
  }

  @Test("Another's key, or another kind of file, is told apart")
  func mismatches() throws {
    let (house, nest) = (try Household(), try Nest())
    try house.identity().save(to: nest.path("a"))
    try house.identity().save(to: nest.path("b"))
    try FileManager.default.removeItem(atPath: nest.path("a/key.pem"))
    try FileManager.default.copyItem(atPath: nest.path("b/key.pem"), toPath: nest.path("a/key.pem"))
    #expect(code { _ = try Identity.load(from: nest.path("a")) }?.code == .mismatch)
    try nest.write("hello".utf8, to: "b/certificate.pem")
    #expect(code { _ = try Identity.load(from: nest.path("b")) }?.code == .malformed)
  }

  @Test(
    "A key with a password is refused without asking for it", .enabled(if: OpenSSLProgram.isThere))
  func encryptedKeys() throws {
    let nest = try Nest()
    let made = try OpenSSLProgram.run(
      "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass",
      "pass:secret", "-out", nest.path("key.pem"))
    #expect(made.status == 0, "\(made.text)")
    try nest.setPermissions(0o600, of: "key.pem")
    let error = code { _ = try Identity.load(key: nest.path("key.pem")) }
    #expect(error?.code == .malformed)
    #expect(error?.message.contains("without a password") == true)
  }

  @Test(
    "An organization's keys of other kinds and forms are read",
    .enabled(if: OpenSSLProgram.isThere),
    arguments: [
      ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
      ["genpkey", "-algorithm", "ED25519"], ["ecparam", "-name", "secp384r1", "-genkey"],
      ["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
    ])
  func otherKeys(words: [String]) throws {
    let nest = try Nest()
    let path = nest.path("key.pem")
    let made = try OpenSSLProgram.run(words + ["-out", path])
    #expect(made.status == 0, "\(made.text)")
    try nest.setPermissions(0o600, of: "key.pem")
    let key = try Identity.load(key: path)
    try Identity.save(key, to: nest.path("again"))
    #expect(
      try Identity.load(key: nest.path("again/key.pem")).publicKey() == key.publicKey())
  }

  @Test("openssl reads the key that we write", .enabled(if: OpenSSLProgram.isThere))
  func opensslReadsKeys() throws {
    let nest = try Nest()
    try Identity.save(PrivateKey.generate(), to: nest.path("d"))
    let checked = try OpenSSLProgram.run("pkey", "-check", "-noout", "-in", nest.path("d/key.pem"))
    #expect(checked.status == 0 && checked.text.contains("Key is valid"), "\(checked.text)")
    let text = try OpenSSLProgram.run("pkey", "-text", "-noout", "-in", nest.path("d/key.pem")).text
    #expect(text.contains("NIST CURVE: P-256"))
  }
}
