// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

/// Backups as docs/Deployment.md says, and what comes of them.
@Suite("Backup", .serialized, .ownThread)
struct BackupTests: Sendable {
  private static let rounds = 100

  /// A federation whose task has some rounds behind it, and the digest that its model is to have.
  private func begun() throws -> (federation: Federation, expected: String) {
    let federation = try Federation(clientCount: 3)
    return (federation, try federation.begin("kept", rounds: Self.rounds))
  }

  private func expectEnd(_ federation: Federation, _ expected: String) throws {
    try federation.expectEnd(of: "kept", rounds: Self.rounds, digest: expected)
  }

  @Test(
    "A copy of one moment of a hub that serves goes on in another directory, and ends with the same bytes"
  )
  func whileServing() throws {
    let (federation, expected) = try begun()
    try federation.backUp(to: "copy")
    // The original goes on, to its end and through a restart: all that is forgotten.
    try federation.restartHub()
    try federation.waitUntilServing()
    try expectEnd(federation, expected)
    let end = try federation.json(["task", "show", "kept"])
    #expect(end["state"] as? String == "completed")

    try federation.restore(from: "copy")
    try federation.waitUntilServing()
    let task = try federation.json(["task", "show", "kept"])
    #expect(task["state"] as? String == "running")
    // The devices come back by themselves, with leases and updates of the lost time.
    try expectEnd(federation, expected)
  }

  @Test("A drained hub is copied as files and goes on in another directory, with the same bytes")
  func drained() throws {
    let (federation, expected) = try begun()
    try federation.command(["drain"])
    #expect(federation.hub.status() == 0)
    try federation.backUp(to: "copy")
    try FileManager.default.removeItem(atPath: federation.hubDirectory)
    try federation.restore(from: "copy")
    try federation.waitUntilServing()
    try expectEnd(federation, expected)
    // Keys are still for their owner's eyes.
    let key = try FileManager.default.attributesOfItem(
      atPath: federation.hubDirectory + "/authority/key.pem")
    #expect((key[.posixPermissions] as? NSNumber)?.intValue == 0o600)
  }

  @Test("A second start in one directory is refused, and says who is there")
  func twice() throws {
    let federation = try Federation(clientCount: 1)
    let second = try ApusProcess(
      "second",
      ["serve", "--data-dir", federation.hubDirectory, "--listen", "127.0.0.1:0"],
      in: federation.directory)
    #expect(second.status() != 0)
    let messages = try second.messages()
    #expect(messages.contains("\(federation.hub.number)"), "\(messages)")
    #expect(federation.hub.isRunning)
  }
}
