// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import OwnThreads
import Testing

@testable import ApusAggregator

@Suite("The hub's directory", .ownThread)
struct HubDirectoryTests {
  /// A directory of one test.
  final class Place {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-place-\(UUID().uuidString)").path

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func permissions(of name: String) throws -> Int {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
      return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }

    /// All files, by their paths within.
    func files() throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: path).sorted().filter { name in
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
          && !isDirectory.boolValue
      }
    }

    func bytes(of name: String) throws -> Data {
      try Data(contentsOf: URL(filePath: "\(path)/\(name)"))
    }
  }

  static let now: Int64 = 1_767_323_045

  static let files = [
    "authority/certificate.pem", "authority/key.pem", "federation", "operator/authority.pem",
    "operator/certificate.pem", "operator/key.pem", "server/authority.pem",
    "server/certificate.pem", "server/key.pem",
  ]

  private func code(_ body: () throws -> Void) -> TransportError? {
    do {
      try body()
      return nil
    } catch { return error as? TransportError }
  }

  @Test("The first start makes an authority, a server and an operator, for their owner's eyes")
  func firstStart() throws {
    let place = Place()
    let directory = HubDirectory(path: place.path)
    let hub = try directory.open(hosts: [try HostName.named("hub.example.org")], at: Self.now)
    #expect(hub.isNew)
    #expect(try place.files() == Self.files)
    for file in Self.files { #expect(try place.permissions(of: file) == 0o600, "\(file)") }
    for folder in ["", "authority", "server", "operator"] {
      #expect(try place.permissions(of: folder) == 0o700)
    }
    #expect(hub.server.name.role == .server && hub.localOperator?.name.role == .operator)
    #expect(hub.server.name.federation == hub.federation)
    let hosts = hub.server.certificate.hosts.map(\.text)
    #expect(Set(hosts) == ["hub.example.org", "localhost", "127.0.0.1", "::1"])
    let authority = try #require(hub.authority?.certificate)
    try CertificateChain.verify(
      hub.server.certificates, against: [authority], for: .server, at: Self.now)
    let person = try #require(hub.localOperator)
    try CertificateChain.verify(
      person.certificates, against: [authority], for: .client, at: Self.now)
  }

  @Test("Later starts find what is there, and change nothing")
  func laterStarts() throws {
    let place = Place()
    let directory = HubDirectory(path: place.path)
    let first = try directory.open(at: Self.now)
    let before = try Self.files.map { try place.bytes(of: $0) }
    let second = try directory.open(at: Self.now + 86_400)
    #expect(!second.isNew)
    #expect(second.federation == first.federation)
    #expect(second.server.name == first.server.name)
    #expect(try Self.files.map { try place.bytes(of: $0) } == before)
    #expect(try second.renewed(at: Self.now + 86_400) == nil)
    #expect(
      code { _ = try directory.open(federation: "bees", at: Self.now) }?.code == .mismatch)
  }

  @Test("The server's certificate is renewed before it ends, with its name, its key and its hosts")
  func renewal() throws {
    let place = Place()
    let host = try HostName.named("hub.example.org")
    let hub = try HubDirectory(path: place.path).open(hosts: [host], at: Self.now)
    let due = max(
      hub.server.certificate.renewal(), try #require(hub.localOperator).certificate.renewal())
    #expect(due < hub.server.certificate.notAfter - 25 * 86_400)
    let renewed = try #require(try hub.renewed(at: due))
    #expect(renewed.server.name.id == hub.server.name.id)
    #expect(try renewed.server.key.publicKey() == hub.server.key.publicKey())
    #expect(renewed.server.certificate.hosts.contains(host))
    #expect(renewed.server.certificate.notAfter > hub.server.certificate.notAfter)
    #expect(renewed.localOperator?.name.id == hub.localOperator?.name.id)
    #expect(renewed.authority?.certificate == hub.authority?.certificate)
    // It is the one on disk, too.
    #expect(
      try HubDirectory(path: place.path).open(hosts: [host], at: due).server.name
        == renewed.server.name)
    // After a long sleep, when all but the authority is over.
    let late = hub.server.certificate.notAfter + 365 * 86_400
    let awake = try HubDirectory(path: place.path).open(hosts: [host], at: late)
    #expect(awake.server.certificate.notAfter > late)
  }

  @Test("A host that is new is put into the certificate, and old ones stay")
  func newHosts() throws {
    let place = Place()
    let (old, new) = (try HostName.named("old.example.org"), try HostName.named("2001:db8::5"))
    _ = try HubDirectory(path: place.path).open(hosts: [old], at: Self.now)
    let hub = try HubDirectory(path: place.path).open(hosts: [new], at: Self.now)
    #expect(Set([old, new]).isSubset(of: hub.server.certificate.hosts))
  }

  @Test("A first start that was interrupted anywhere is gone on with")
  func interruptedFirstStart() throws {
    // In the order in which they are written.
    let order = [
      "federation", "authority/key.pem", "authority/certificate.pem", "server/key.pem",
      "server/authority.pem", "server/certificate.pem", "operator/key.pem",
      "operator/authority.pem", "operator/certificate.pem",
    ]
    #expect(order.sorted() == Self.files)
    for count in 0..<order.count {
      let place = Place()
      let hub = try HubDirectory(path: place.path).open(at: Self.now)
      for file in order[count...] {
        try FileManager.default.removeItem(atPath: "\(place.path)/\(file)")
      }
      let again = try HubDirectory(path: place.path).open(at: Self.now + 5)
      #expect(try place.files() == Self.files)
      if count > 0 { #expect(again.federation == hub.federation) }
      if count > 2 { #expect(again.authority?.certificate == hub.authority?.certificate) }
      if count > 5 { #expect(again.server.name == hub.server.name) }
      #expect(again.isNew == (count <= 2))
    }
  }

  @Test("An authority that was lost is not made anew in silence")
  func lostAuthority() throws {
    let place = Place()
    _ = try HubDirectory(path: place.path).open(at: Self.now)
    try FileManager.default.removeItem(atPath: "\(place.path)/authority/certificate.pem")
    let error = code { _ = try HubDirectory(path: place.path).open(at: Self.now) }
    #expect(error?.code == .missingIdentity)
    #expect(error?.message.contains("backup") == true)
  }

  @Test("Keys that others may read stop the start", arguments: ["authority", "server", "operator"])
  func exposedKeys(folder: String) throws {
    let place = Place()
    _ = try HubDirectory(path: place.path).open(at: Self.now)
    let path = "\(place.path)/\(folder)/key.pem"
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    let error = code { _ = try HubDirectory(path: place.path).open(at: Self.now) }
    #expect(error?.code == .exposedKey)
    #expect(error?.message.contains("chmod 600") == true)
  }

  @Test("With an organization's certificates nothing is made, and the identity is the SAN's")
  func organization() throws {
    let (house, place) = (Place(), Place())
    // The organization's own authority, in whose place ours stands here.
    let theirs = try HubDirectory(path: house.path).open(federation: "clinic.example", at: Self.now)
    let hub = try HubDirectory(path: place.path).open(
      certificateFile: "\(house.path)/server/certificate.pem",
      keyFile: "\(house.path)/server/key.pem",
      clientAuthorityFile: "\(house.path)/authority/certificate.pem")
    #expect(hub.federation == "clinic.example")
    #expect(hub.authority == nil && hub.localOperator == nil)
    #expect(hub.server.name == theirs.server.name)
    #expect(try place.files().isEmpty)
    #expect(try hub.renewed(at: .max / 2) == nil)
    // What the server shows ends in the authority, so that it can be pinned.
    #expect(
      hub.server.tlsMaterial().certificateChain.last == theirs.authority?.certificate.der)
    let error = code {
      _ = try HubDirectory(path: place.path).open(
        certificateFile: "\(house.path)/operator/certificate.pem",
        keyFile: "\(house.path)/operator/key.pem",
        clientAuthorityFile: "\(house.path)/authority/certificate.pem")
    }
    #expect(error?.code == .wrongUsage)
  }
}
