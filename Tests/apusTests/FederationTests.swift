// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCoordination
import ApusSimulation
import Foundation
import OwnThreads
import Testing

/// A hub and three devices, each a process of its own, over TLS on loopback.
final class Federation {
  let place: Workplace
  let hub: Executable.Session
  private(set) var devices: [Executable.Session] = []

  /// Starts the hub and waits until it serves.
  init() throws {
    place = try Workplace()
    hub = try Executable.Session([
      "serve", "--data-dir", place.path("hub"), "--listen", "127.0.0.1:0", "--format", "jsonl",
      "--log", place.path("hub.log"),
    ])
    hub.read(lines: 1)
  }

  deinit {
    for device in devices { device.send(SIGKILL) }
    hub.send(SIGKILL)
  }

  var environment: [String: String] { ["APUS_HUB": place.path("hub")] }

  /// Runs a command of a coordinator's to its end.
  func run(_ words: String...) throws -> Executable.Ending {
    try Executable.run(words, environment: environment)
  }

  /// Lets a device join and waits until it has, so that numbers are in this order.
  func join(data: String, with program: URL = Executable.url) throws {
    let invitation = try decode(InvitationDescription.self, from: run("invite", "--format", "json"))
    let number = devices.count
    let device = try Executable.Session(
      [
        "join", invitation.url, "--data", data, "--state", place.path("device-\(number)"),
        "--name", "device-\(number)", "--format", "jsonl",
      ], executable: program)
    device.read(lines: 1)
    devices.append(device)
  }

  func decode<Value: Decodable>(
    _ type: Value.Type, from ending: Executable.Ending
  ) throws -> Value {
    try #require(ending.status == 0, "\(ending.messages)")
    return try JSONDecoder().decode(type, from: Data(ending.output.utf8))
  }
}

@Suite(.ownThread) struct FederationTests {
  private static let recipe = """
    {
      name: "twin", model: "logistic",
      data: { set: "digits", split: { shards: { perClient: 4 } }, clients: 3 },
      algorithm: { fedavg: {
        localEpochs: 2, batchSize: 10, learningRate: 0.1, optimizer: { sgd: { momentum: 0.5 } } } },
      cohort: { size: 3 }, rounds: 3, seed: 11,
      serve: { overSelection: 1, minimumCohort: 3, reportTimeout: 60 },
    }
    """

  @Test(
    "Three devices and a hub, as processes, end with the bytes of a simulation; SIGTERM ends the hub with 0",
    .timeLimit(.minutes(2)))
  func isTwin() throws {
    let federation = try Federation()
    let place = federation.place
    let recipe = try place.write(Self.recipe, to: "recipe.json5")
    let split = try federation.run(
      "data", "split", "digits", "--split", "shards:4", "--clients", "3", "--seed", "11",
      "--export", place.path("data"), "--quiet")
    try #require(split.status == 0, "\(split.messages)")
    for client in 0..<3 { try federation.join(data: place.path("data/client-\(client)")) }

    let run = try federation.run("task", "run", recipe, "--watch", "--format", "json")
    let task = try federation.decode(TaskDescription.self, from: run)
    #expect(task.state == "completed" && task.roundsPublished == 3)
    let simulated = try Executable.run([
      "simulate", recipe, "--out", place.path("simulated"), "--format", "json", "--quiet",
    ])
    let summary = try simulated.summary()
    let model = try #require(task.model)
    #expect(model.modelDigest == summary.modelDigest)
    #expect(model.accuracy == summary.finalAccuracy)

    let rounds = try federation.decode(
      [RoundDescription].self, from: federation.run("round", "list", "twin", "--format", "json"))
    #expect(rounds.map(\.round) == [1, 2, 3])
    #expect(rounds.allSatisfy { $0.state == "published" && $0.accepted == 3 && $0.dropped == 0 })
    #expect(rounds.allSatisfy { $0.bytesUp > 0 && $0.bytesDown > 0 && $0.seconds.total > 0 })
    let devices = try federation.decode(
      [DeviceDescription].self, from: federation.run("device", "list", "--format", "json"))
    #expect(devices.filter { $0.role == "device" }.map(\.roundsCounted) == [3, 3, 3])

    federation.hub.send(SIGTERM)
    #expect(try federation.hub.end().status == 0)
    let after = try federation.run("task", "list")
    #expect(after.status == 3 && after.messages.contains("cannot be reached"))
  }
}
