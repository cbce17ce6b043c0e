// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCoordination
import Foundation
import OwnThreads
import Testing

/// An organization's authority, made with the openssl command: a root, an authority below it that gives out
/// devices' certificates, and whoever is asked for.
private final class Organization {
  let place: Workplace
  let name: String

  static let isThere = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")
  static let federation = "acme.example"
  static let ids = (0..<10).map { String(repeating: "\($0)", count: 32) }

  init(_ name: String, in place: Workplace) throws {
    (self.place, self.name) = (place, name)
    try FileManager.default.createDirectory(
      atPath: place.path(name), withIntermediateDirectories: true)
    try openssl(
      "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=\(name) root",
      "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
      "keyUsage=critical,keyCertSign,cRLSign", "-keyout", "root.key", "-out", "root.pem")
    try issue(
      "devices", by: "root", key: "ec",
      "basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign")
  }

  func path(_ file: String) -> String { place.path("\(name)/\(file)") }

  private func openssl(_ words: String...) throws {
    let ending = try Executable.Session(
      ["-c", "cd \"$0\" && exec openssl \"$@\"", place.path(name)] + words,
      executable: URL(filePath: "/bin/sh")
    ).end()
    try #require(ending.status == 0, "\(ending.messages)")
  }

  /// A certificate and its key, as files.
  func issue(_ file: String, by issuer: String, key: String, _ extensions: String...) throws {
    let kind =
      key == "ec" ? ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] : [key]
    try place.write(extensions.joined(separator: "\n") + "\n", to: "\(name)/\(file).ext")
    if kind.count > 1 {
      try openssl(
        "req", "-newkey", kind[0], kind[1], kind[2], "-nodes", "-subj", "/CN=\(file)", "-keyout",
        "\(file).key", "-out", "\(file).csr")
    } else {
      try openssl(
        "req", "-newkey", kind[0], "-nodes", "-subj", "/CN=\(file)", "-keyout", "\(file).key",
        "-out", "\(file).csr")
    }
    try openssl(
      "x509", "-req", "-in", "\(file).csr", "-CA", "\(issuer).pem", "-CAkey", "\(issuer).key",
      "-CAcreateserial", "-days", "7", "-extfile", "\(file).ext", "-out", "\(file).pem")
  }

  /// A directory for `apus join --state` or `--hub`: what an administrator puts there, and nothing else.
  func equip(_ directory: String, with file: String, chain: [String] = [], address: String) throws {
    let certificates = try ([file] + chain).map { try place.text(of: "\(name)/\($0).pem") }
    try place.write(certificates.joined(), to: "\(directory)/certificate.pem")
    try place.write(place.bytes(of: "\(name)/\(file).key"), to: "\(directory)/key.pem")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o600], ofItemAtPath: place.path("\(directory)/key.pem"))
    try place.write(place.bytes(of: "\(name)/root.pem"), to: "\(directory)/authority.pem")
    try place.write(address + "\n", to: "\(directory)/address")
  }
}

@Suite(
  .enabled(if: Organization.isThere, "openssl is not installed"), .timeLimit(.minutes(3)),
  .ownThread)
struct OrganizationTests {
  private static let recipe = """
    {
      name: "inhouse", model: "logistic", data: { set: "digits", split: "iid", clients: 1 },
      algorithm: { fedavg: { localEpochs: 1, batchSize: 10, learningRate: 0.1 } },
      cohort: { size: 1 }, rounds: 2, serve: { overSelection: 1, minimumCohort: 1 },
    }
    """

  /// A hub with an organization's certificates; its address.
  private func serve(
    _ organization: Organization
  ) throws -> (hub: Executable.Session, address: String) {
    let place = organization.place
    try organization.issue(
      "server", by: "root", key: "rsa:2048", "extendedKeyUsage=serverAuth",
      "subjectAltName=URI:apus://\(Organization.federation)/server/\(Organization.ids[0]),"
        + "DNS:localhost,IP:127.0.0.1")
    let hub = try Executable.Session([
      "serve", "--data-dir", place.path("hub"), "--listen", "127.0.0.1:0", "--certificate",
      organization.path("server.pem"), "--key", organization.path("server.key"), "--client-ca",
      organization.path("root.pem"), "--log", place.path("hub.log"), "--format", "jsonl",
    ])
    hub.read(lines: 1)
    return (hub, try place.text(of: "hub/address").trimmingCharacters(in: .newlines))
  }

  private func name(_ role: String, _ id: Int, federation: String = Organization.federation)
    -> String
  { "subjectAltName=URI:apus://\(federation)/\(role)/\(Organization.ids[id])" }

  @Test("A device and an operator with an organization's certificates train a round, uninvited")
  func round() throws {
    let place = try Workplace()
    let organization = try Organization("acme", in: place)
    let (hub, address) = try serve(organization)
    // The operator's key is RSA, and comes from the root; the device's from the authority below it.
    try organization.issue(
      "person", by: "root", key: "rsa:2048", "extendedKeyUsage=clientAuth", name("operator", 1))
    try organization.equip("operator", with: "person", address: address)
    try organization.issue(
      "laptop", by: "devices", key: "ec", "extendedKeyUsage=clientAuth,serverAuth",
      name("device", 2) + ",DNS:laptop.acme.example")
    try organization.equip("device", with: "laptop", chain: ["devices"], address: address)

    func run(_ words: String...) throws -> Executable.Ending {
      try Executable.run(words, environment: ["APUS_HUB": place.path("operator")])
    }
    let split = try run(
      "data", "split", "digits", "--split", "iid", "--clients", "1", "--export",
      place.path("data"))
    try #require(split.status == 0, "\(split.messages)")
    let device = try Executable.Session([
      "join", "--state", place.path("device"), "--data", place.path("data/client-0"),
      "--format", "jsonl", "--rounds", "2",
    ])
    let recipe = try place.write(Self.recipe, to: "recipe.json5")
    let task = try run("task", "run", recipe, "--watch", "--format", "json")
    try #require(task.status == 0, "\(task.messages)")
    let description = try JSONDecoder().decode(
      TaskDescription.self, from: Data(task.output.utf8))
    #expect(description.state == "completed" && description.roundsPublished == 2)
    let ending = try device.end()
    #expect(ending.status == 0, "\(ending.messages)")

    let listed = try run("device", "list", "--format", "json")
    let members = try JSONDecoder().decode(
      [DeviceDescription].self, from: Data(listed.output.utf8))
    #expect(Set(members.map(\.device)) == [Organization.ids[1], Organization.ids[2]])
    #expect(members.first { $0.role == "device" }?.roundsCounted == 2)
    let doctor = try run("doctor", "--format", "json")
    #expect(doctor.status == 0, "\(doctor.output)")
    let status = try Executable.run(["status", "--state", place.path("device")])
    #expect(status.status == 0 && status.output.contains(Organization.ids[2]))
    // Who gives out the certificates invites.
    let invitation = try run("invite")
    #expect(invitation.status != 0)
    #expect(invitation.messages.contains("ask its administrators"), "\(invitation.messages)")
    // A revocation needs nobody's list.
    #expect(try run("device", "revoke", Organization.ids[2]).status == 0)
    let revoked = try Executable.run(["join", "--state", place.path("device")])
    #expect(revoked.status == 3 && revoked.messages.contains("revoked"), "\(revoked.messages)")

    hub.send(SIGTERM)
    #expect(try hub.end().status == 0)
  }

  @Test(
    "Who has a certificate that is foreign, of nobody or of another federation hears why, and so does the log"
  )
  func strangers() throws {
    let place = try Workplace()
    let organization = try Organization("acme", in: place)
    let other = try Organization("other", in: place)
    let (hub, address) = try serve(organization)
    try other.issue(
      "copy", by: "root", key: "ec", "extendedKeyUsage=clientAuth", name("device", 3))
    try other.equip("foreign", with: "copy", address: address)
    // It knows the right server, so that it is the server that refuses.
    try place.write(organization.place.bytes(of: "acme/root.pem"), to: "foreign/authority.pem")
    try organization.issue(
      "bees", by: "devices", key: "ec", "extendedKeyUsage=clientAuth",
      name("device", 4, federation: "bees"))
    try organization.equip("bees", with: "bees", chain: ["devices"], address: address)
    try organization.issue(
      "printer", by: "devices", key: "ec", "extendedKeyUsage=clientAuth",
      "subjectAltName=DNS:printer.acme.example")
    try organization.issue(
      "hub2", by: "root", key: "ec", "extendedKeyUsage=serverAuth", name("server", 5))
    try organization.equip("server", with: "hub2", address: address)
    let split = try Executable.run([
      "data", "split", "digits", "--split", "iid", "--clients", "1", "--export", place.path("data"),
    ])
    try #require(split.status == 0, "\(split.messages)")

    func log() throws -> String { try place.text(of: "hub.log") }
    for (state, heard, logged) in [
      ("foreign", "unknown ca", "issuer certificate"), ("bees", "of another federation", nil),
      ("server", "unsupported certificate", "certificate purpose"),
    ] as [(String, String, String?)] {
      let ending = try Executable.run([
        "join", "--state", place.path(state), "--data", place.path("data/client-0"),
      ])
      #expect(ending.status == 3, "\(state): \(ending.messages)")
      #expect(ending.messages.contains(heard), "\(state): \(ending.messages)")
      if let logged { #expect(try log().contains(logged), "\(state)") }
    }
    // Our own program does not try with a certificate that names nobody.
    let nobody = try Executable.Session(
      [
        "-c",
        "sleep 1 | openssl s_client -connect \"$0\" -cert \"$1\" -key \"$2\" "
          + "-cert_chain \"$3\" -alpn h2", address, organization.path("printer.pem"),
        organization.path("printer.key"), organization.path("devices.pem"),
      ], executable: URL(filePath: "/bin/sh")
    ).end()
    #expect((nobody.output + nobody.messages).contains("alert bad certificate"))
    #expect(try log().contains("names nobody"))
    #expect(try log().components(separatedBy: "A connection was refused.").count == 4)
    hub.send(SIGTERM)
    #expect(try hub.end().status == 0)
  }

  @Test(
    "A hub does not start with a certificate that is not a server's, or a key that others may read")
  func wrongFiles() throws {
    let place = try Workplace()
    let organization = try Organization("acme", in: place)
    try organization.issue(
      "person", by: "root", key: "ec", "extendedKeyUsage=clientAuth", name("operator", 1))
    try organization.issue(
      "server", by: "root", key: "ec", "extendedKeyUsage=serverAuth", name("server", 0))
    func serve(_ certificate: String, key: String) throws -> Executable.Ending {
      try Executable.run([
        "serve", "--data-dir", place.path("hub"), "--listen", "127.0.0.1:0", "--certificate",
        organization.path(certificate), "--key", organization.path(key), "--client-ca",
        organization.path("root.pem"),
      ])
    }
    let role = try serve("person.pem", key: "person.key")
    #expect(role.status == 1 && role.messages.contains("operator's"), "\(role.messages)")
    let mixed = try serve("server.pem", key: "person.key")
    #expect(mixed.status == 1 && mixed.messages.contains("do not belong together"))
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: organization.path("server.key"))
    let exposed = try serve("server.pem", key: "server.key")
    #expect(exposed.status == 1 && exposed.messages.contains("chmod 600"), "\(exposed.messages)")
  }
}
