// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Foundation
import OwnThreads
import Testing

/// Devices as processes, with an aggregator as another.
@Suite(.timeLimit(.minutes(3)), .ownThread)
struct JoinTests {
  /// An aggregator that serves.
  private final class Hub {
    let session: Executable.Session
    let place: Workplace
    var data: String { place.path("hub") }

    init(in place: Workplace) throws {
      self.place = place
      session = try Executable.Session([
        "serve", "--data-dir", place.path("hub"), "--listen", "127.0.0.1:0", "--log",
        place.path("hub.log"), "--format", "jsonl",
      ])
      session.read(lines: 1)
    }

    func invite(_ words: String...) throws -> String {
      let ending = try Executable.run(
        ["invite", "--hub", data, "--uses", "10", "--format", "json"] + words)
      #expect(ending.status == 0, "\(ending.messages)")
      let json = try JSONSerialization.jsonObject(with: Data(ending.output.utf8))
      return try #require((json as? [String: Any])?["url"] as? String)
    }
  }

  private static let recipe = """
    {
      model: "logistic",
      data: { set: "digits", split: "iid", clients: 3 },
      algorithm: { fedavg: { localEpochs: 2, batchSize: 10, learningRate: 0.1 } },
      cohort: { fraction: 1 }, rounds: 12, seed: 5, system: { quorum: 1 },
      serve: { overSelection: 1 },
    }
    """

  /// The digest of the model in the JSON that a command printed.
  private func digest(_ output: String) -> String? {
    let json = try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
    return json?["modelDigest"] as? String
  }

  @Test("Devices that are killed again and again end with the bytes of the simulation")
  func survivesKills() throws {
    let place = try Workplace()
    let recipe = try place.write(Self.recipe, to: "recipe.json5")
    let simulated = try Executable.run([
      "simulate", recipe, "--out", place.path("run"), "--format", "json",
    ])
    let expected = try #require(digest(simulated.output))
    let split = try Executable.run([
      "data", "split", "digits", "--split", "iid", "--clients", "3", "--seed", "5", "--export",
      place.path("data"),
    ])
    #expect(split.status == 0, "\(split.messages)")
    let hub = try Hub(in: place)
    let invitation = try hub.invite()
    func join(_ device: Int) throws -> Executable.Session {
      try Executable.Session([
        "join", invitation, "--data", place.path("data/client-\(device)"), "--state",
        place.path("device-\(device)"), "--format", "jsonl", "--quiet",
      ])
    }
    var devices: [Executable.Session] = []
    for device in 0..<3 {
      devices.append(try join(device))
      // Numbers are given in the order of joining.
      devices[device].read(lines: 2)
    }
    let task = try Executable.Session([
      "task", "run", recipe, "--hub", hub.data, "--watch", "--format", "jsonl", "--quiet",
    ])
    var random = RandomStream(seed: 3)
    var killCount = 0
    for _ in 0..<6 {
      let device = random.below(3)
      devices[device].read(lines: 3 + random.below(5))
      devices[device].send(SIGKILL)
      killCount += try devices[device].end().status == 128 + SIGKILL ? 1 : 0
      devices[device] = try join(device)
    }
    let ending = try task.end()
    #expect(ending.status == 0, "\(ending.messages)")
    #expect(killCount == 6)
    let tasks = try Executable.run(["task", "list", "--hub", hub.data, "--format", "json"])
    let rows = try JSONSerialization.jsonObject(with: Data(tasks.output.utf8)) as? [[String: Any]]
    let id = try #require(rows?.first?["task"] as? String, "\(tasks.output)")
    let model = try Executable.run(["model", "show", id, "--hub", hub.data, "--format", "json"])
    #expect(digest(model.output) == expected, "\(model.output)\(model.messages)")
    for device in devices { device.send(SIGTERM) }
    for device in devices { #expect(try device.end().status == 130) }
    // Another process goes on without the invitation, and tells who it is.
    let status = try Executable.run([
      "status", "--state", place.path("device-0"), "--format", "json",
    ])
    #expect(status.status == 0 && status.output.contains("\"role\" : \"device\""))
    #expect(status.output.contains("accepted"))
  }

  @Test("Who is not let in, and who cannot be told from whom, ends with 3 and a reason")
  func refusals() throws {
    let place = try Workplace()
    let hub = try Hub(in: place)
    let url = try hub.invite()
    let data = place.path("data")
    let split = try Executable.run([
      "data", "split", "digits", "--split", "iid", "--clients", "1", "--export", data,
    ])
    #expect(split.status == 0)
    func join(_ url: String, _ state: String) throws -> Executable.Ending {
      try Executable.run([
        "join", url, "--data", data + "/client-0", "--state", place.path(state),
      ])
    }
    let token = String(try #require(url.split(separator: "=").dropFirst().first?.prefix(43)))
    let unknown = url.replacing(token, with: (token.first == "A" ? "B" : "A") + token.dropFirst())
    let refused = try join(unknown, "a")
    #expect(refused.status == 3 && !refused.messages.contains(token), "\(refused.messages)")
    let foreign = String(url.dropLast(8)) + "00000000"
    let other = try join(foreign, "b")
    #expect(other.status == 3, "\(other.messages)")
    let broken = try join("apus://nowhere", "c")
    #expect(broken.status == 2, "\(broken.messages)")
    let nobody = try Executable.run(["join", "--state", place.path("e"), "--data", data])
    #expect(nobody.status == 1 && nobody.messages.contains("has not joined"), "\(nobody.messages)")
  }
}
