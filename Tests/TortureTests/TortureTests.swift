// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

/// Aggregator and devices are killed at random, and nothing that was acknowledged is lost or counted twice.
///
/// `make torture` runs the long form. A failure prints the command that repeats it:
/// `APUS_TORTURE_SEED` gives the same kills in the same order, `APUS_TORTURE_KILLS` how many.
@Suite("Torture", .serialized, .ownThread)
struct TortureTests: Sendable {
  static func setting(_ name: String, default value: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? value
  }

  let seed = setting("APUS_TORTURE_SEED", default: 1)
  let killsWanted = setting("APUS_TORTURE_KILLS", default: 15)
  let clientCount = setting("APUS_TORTURE_DEVICES", default: 6)

  /// Shown with every failure.
  var reproducer: Comment {
    """
    repeat with: make torture SEED=\(seed) KILLS=\(killsWanted) DEVICES=\(clientCount)
    """
  }

  /// Every device is in every round, so that the sum has one right value whatever is killed when.
  private func recipe(rounds: Int) -> String {
    """
    {
      name: "torture", model: "logistic",
      data: { set: "digits", split: "iid", clients: \(clientCount) },
      algorithm: { fedavg: { localEpochs: 1, batchSize: 10, learningRate: 0.1 } },
      cohort: { fraction: 1 }, rounds: \(rounds),
      system: { quorum: 1 },
      serve: { overSelection: 1, reportTimeout: 600 },
      seed: 3,
    }
    """
  }

  private static let failpoints = [
    "beforeCommit", "afterCommitBeforeAck", "midBlob", "beforeRename", "midFold", "beforePublish",
  ]

  @Test("Kills at random moments and at every failpoint leave the bytes of the simulation")
  func survivesKills() throws {
    let began = ContinuousClock.now
    let federation = try Federation(clientCount: clientCount)
    // More rounds than the kills last; what is left over goes quickly.
    let rounds = 10 + killsWanted
    let file = federation.directory.appendingPathComponent("recipe.json5")
    try Data(recipe(rounds: rounds).utf8).write(to: file)
    let expected = try federation.simulatedDigest(of: file)

    try federation.enrolDevices(recipe: "digits", split: "iid", seed: 3)
    _ = try federation.insist([
      "task", "run", file.path, "--submit-token", "torture", "--format", "json",
    ])
    let kills = try killAtRandom(federation)
    #expect(kills >= killsWanted, reproducer)
    try federation.finish("torture", within: 120)

    let model = try federation.json(["model", "show", "torture"])
    #expect(model["modelDigest"] as? String == expected, reproducer)
    try expectCountedOnce(federation, rounds: rounds)
    if killsWanted >= 100 {
      let task = try federation.json(["task", "show", "torture"])
      print(
        "torture: \(kills) kills, \(clientCount) devices, \(rounds) rounds, "
          + "\(task["roundsAbandoned"] ?? 0) attempts abandoned, \(federation.hubStartCount) starts, "
          + "model \(expected.prefix(16)), \(ContinuousClock.now - began)")
    }
  }

  /// Kills the aggregator and devices until there were enough kills or the task is over.
  private func killAtRandom(_ federation: Federation) throws -> Int {
    var random = SeededGenerator(seed: UInt64(seed))
    var kills = 0
    var armed = 0
    while kills < killsWanted {
      usleep(UInt32.random(in: 50_000..<400_000, using: &random))
      if !federation.hub.isRunning {
        kills += 1  // by its failpoint
      } else if Double.random(in: 0..<1, using: &random) < 0.5 {
        federation.hub.kill()
        kills += 1
      } else {
        let victim = Int.random(in: 0..<clientCount, using: &random)
        federation.killDevice(victim)
        kills += 1
        try federation.startDevice(victim)
        continue
      }
      // Every failpoint has its turn; every third life has none, so that rounds go on.
      let name = Self.failpoints[armed % Self.failpoints.count]
      armed += 1
      let count = Int.random(in: 1..<8, using: &random)
      try federation.restartHub(failpoint: armed % 3 == 0 ? nil : "\(name):\(count)")
    }
    try federation.restartHub()
    try federation.waitUntilServing()
    return kills
  }

  /// Every published round counts every device once, and every acknowledged update is in one of them.
  private func expectCountedOnce(_ federation: Federation, rounds: Int) throws {
    let published = try federation.jsonRows(["round", "list", "torture"])
      .filter { $0["state"] as? String == "published" }
    #expect(published.count == rounds, reproducer)
    for round in published {
      #expect(round["accepted"] as? Int == clientCount, reproducer)
    }
    for index in 0..<clientCount {
      let accepted = try federation.submissions(of: index)
        .filter { ["accepted", "duplicate"].contains($0["verdict"] as? String ?? "") }
      // A kill between the acknowledgement and its line loses the line, never the update.
      let distinct = Set(accepted.compactMap { $0["round"] as? Int })
      #expect(distinct.isSubset(of: Set(0...rounds)), reproducer)
      #expect(distinct.count >= rounds - killsWanted, reproducer)
    }
  }

  @Test(
    "Devices behind a network that delays, cuts, corrupts, half-closes and swallows are counted once"
  )
  func survivesTheNetwork() throws {
    let federation = try Federation(clientCount: 4)
    let proxy = try FaultyProxy(
      to: federation.port, fates: [.passes, .delays, .cuts, .corrupts, .halfCloses, .swallows],
      seed: UInt64(seed))
    defer { proxy.close() }
    federation.devicePort = proxy.port
    let file = federation.directory.appendingPathComponent("recipe.json5")
    let text = recipe(rounds: 8).replacingOccurrences(
      of: "clients: \(clientCount)", with: "clients: 4")
    try Data(text.utf8).write(to: file)
    let expected = try federation.simulatedDigest(of: file)
    try federation.enrolDevices(recipe: "digits", split: "iid", seed: 3)
    _ = try federation.insist(["task", "run", file.path, "--format", "json"])
    // Faults go on until some rounds are through.
    _ = try federation.command(
      ["task", "wait", "torture", "--rounds", "3", "--timeout", "45"], expecting: [0, 1])
    proxy.behave()
    try federation.finish("torture", within: 120)
    #expect(proxy.faultCount > 0)
    let model = try federation.json(["model", "show", "torture"])
    #expect(model["modelDigest"] as? String == expected, reproducer)
  }
}
