// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAggregator
import ApusCommands
import ApusCoordination
import ApusNumerics
import Foundation
import Synchronization
import Testing

@testable import apus

/// An aggregator in this process, which all tests of a suite ask; its files go when the process ends.
final class TestHub: Sendable {
  let directory: String
  let aggregator: Aggregator
  private static let place = Mutex<String?>(nil)

  init() async throws {
    let place = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-hub-\(UUID().uuidString)").path
    Self.place.withLock { $0 = place }
    atexit {
      // What is still open is no matter: the process ends.
      if let place = TestHub.place.withLock({ $0 }) {
        try? FileManager.default.removeItem(atPath: place)
      }
    }
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    directory = place + "/hub"
    var configuration = AggregatorConfiguration(directory: directory)
    configuration.host = "127.0.0.1"
    configuration.port = 0
    configuration.names = ["127.0.0.1"]
    configuration.logFile = place + "/hub.log"
    aggregator = Aggregator(configuration)
    let port = try await aggregator.start()
    try Data("127.0.0.1:\(port)\n".utf8).write(
      to: URL(fileURLWithPath: directory + "/" + HubProfile.addressFile))
  }

  /// What a command prints, and how it ends.
  func run(_ words: String...) async -> (code: ExitCode, output: String, messages: String) {
    let recorder = Recorder()
    let code = await Dispatch(
      Apus.self,
      console: recorder.console(environment: ["APUS_HUB": directory, "HOME": directory])
    ).run(words)
    return (code, recorder.output, recorder.messages)
  }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct HubCommandTests {
  private static let shared = Task { try await TestHub() }

  private func hub() async throws -> TestHub { try await Self.shared.value }

  /// The members of what a command prints as JSON.
  private func object(_ text: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(value as? [String: Any], "\(text)")
  }

  private func rows(_ text: String) throws -> [[String: Any]] {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(value as? [[String: Any]], "\(text)")
  }

  private func recipe(in place: Workplace) throws -> String {
    try place.write(
      """
      { model: "logistic", data: { set: "digits", split: "iid", clients: 4 },
        algorithm: { fedavg: { localEpochs: 1, batchSize: 10, learningRate: 0.1 } },
        cohort: { size: 4 }, rounds: 2, serve: { minimumCohort: 4 } }
      """, to: "recipe.json5")
  }

  @Test(
    "An invitation has a URL, an end, uses and a role; wrong ones are refused before anybody is asked"
  )
  func invites() async throws {
    let hub = try await hub()
    let made = await hub.run(
      "invite", "--uses", "3", "--expires", "2h", "--label", "site=north", "--format", "json")
    #expect(made.code == .done)
    let invitation = try object(made.output)
    #expect(Set(invitation.keys) == ["url", "expires", "uses", "role"])
    let url = try #require(invitation["url"] as? String)
    #expect(url.hasPrefix("apus://127.0.0.1:") && url.contains("&ca=sha256:"))
    #expect(invitation["uses"] as? Int == 3 && invitation["role"] as? String == "device")
    let text = await hub.run("invite")
    #expect(text.output.hasPrefix("apus://") && text.output.count { $0 == "\n" } == 1)
    for words in [
      ["--expires", "soon"], ["--expires", "2y"], ["--uses", "0"], ["--role", "king"],
      ["--label", "north"], ["--label", "a=1", "--label", "a=2"],
    ] {
      let refused = Recorder()
      let dispatch = Dispatch(Apus.self, console: refused.console())
      #expect(
        await dispatch.run(["invite", "--hub", "/nowhere"] + words) == .wrongUsage, "\(words)")
    }
  }

  @Test(
    "Where there is no hub, nobody answers, or a name is wrong, the command ends with 3 and says why"
  )
  func cannotReach() async throws {
    let hub = try await hub()
    let nowhere = await hub.run("task", "list", "--hub", "/nowhere")
    #expect(nowhere.code == .unreachable && nowhere.messages.contains("/nowhere"))
    let place = try Workplace()
    let files = FileManager.default
    try files.createDirectory(atPath: place.path("copy"), withIntermediateDirectories: true)
    try files.copyItem(atPath: hub.directory + "/operator", toPath: place.path("copy/operator"))
    let neverUp = await hub.run("task", "list", "--hub", place.path("copy"))
    #expect(neverUp.code == .unreachable && neverUp.messages.contains("address"))
    // Nobody listens on port 1.
    try place.write("127.0.0.1:1\n", to: "copy/address")
    let down = await hub.run("task", "list", "--hub", place.path("copy"))
    #expect(down.code == .unreachable && down.messages.contains("127.0.0.1:1"))
    let doctor = await hub.run("doctor", "--hub", place.path("copy"), "--format", "json")
    #expect(doctor.code == .unreachable)
    #expect(try object(doctor.output)["healthy"] as? Bool == false)
  }

  @Test(
    "A task that is submitted twice with one token is one task; another recipe under it is refused")
  func submitsOnce() async throws {
    let hub = try await hub()
    let place = try Workplace()
    let recipe = try recipe(in: place)
    let words = ["task", "create", recipe, "--name", "once", "--submit-token", "night"]
    let first = await hub.run(
      words[0], words[1], words[2], words[3], words[4], words[5], words[6], "--format", "json")
    try #require(first.code == .done, "\(first.messages)")
    let task = try object(first.output)
    #expect(task["state"] as? String == "created" && task["roundsWanted"] as? Int == 2)
    #expect(task["parameters"] as? Int == 650)
    #expect((task["model"] as? [String: Any])?["version"] as? Int == 1)
    let second = await hub.run(
      words[0], words[1], words[2], words[3], words[4], words[5], words[6], "--format", "json")
    #expect(try object(second.output)["task"] as? String == task["task"] as? String)
    let other = await hub.run("task", "create", recipe, "--seed", "9", "--submit-token", "night")
    #expect(other.code == .failed && !other.messages.isEmpty)
    let listed = try rows(await hub.run("task", "list", "--format", "json").output)
    #expect(listed.count { $0["name"] as? String == "once" } == 1)
  }

  @Test("A task is paused, resumed, waited for and cancelled; what is over stays over")
  func steers() async throws {
    let hub = try await hub()
    let place = try Workplace()
    let run = await hub.run("task", "run", try recipe(in: place), "--name", "steered")
    try #require(run.code == .done, "\(run.messages)")
    #expect(run.output.contains("task      steered, running"))
    let late = await hub.run("task", "wait", "steered", "--timeout", "1")
    #expect(late.code == .failed && late.messages.contains("still running"))
    #expect(await hub.run("task", "pause", "steered").output.contains("paused"))
    #expect(await hub.run("task", "resume", "steered").output.contains("running"))
    #expect(await hub.run("task", "cancel", "steered").output.contains("cancelled"))
    let over = await hub.run("task", "wait", "steered")
    #expect(over.code == .failed && over.output.contains("cancelled"))
    let again = await hub.run("task", "resume", "steered")
    #expect(again.code == .failed && !again.messages.isEmpty)
    let watched = await hub.run("task", "watch", "steered", "--after", "0", "--format", "jsonl")
    #expect(watched.code == .failed)
    let events = watched.output.split(separator: "\n")
    #expect(events.count >= 4)
    for (index, line) in events.enumerated() {
      #expect(try object(String(line))["sequence"] as? Int == index + 1)
    }
    #expect(try object(String(try #require(events.last)))["state"] as? String == "cancelled")
    let unknown = await hub.run("task", "show", "nobody")
    #expect(unknown.code == .failed && unknown.messages.contains("nobody"))
  }

  @Test(
    "A model comes as a file with its digest and origin; a version that is not there is an error")
  func pulls() async throws {
    let hub = try await hub()
    let place = try Workplace()
    _ = await hub.run("task", "create", try recipe(in: place), "--name", "pulled")
    let file = place.path("model.safetensors")
    let pulled = await hub.run("model", "pull", "pulled", "--out", file, "--format", "json")
    try #require(pulled.code == .done, "\(pulled.messages)")
    let model = try #require(try object(pulled.output)["model"] as? [String: Any])
    let tensors = try Safetensors(contentsOf: file)
    #expect(tensors.metadata["digest"] == model["modelDigest"] as? String)
    #expect(tensors.metadata["version"] == "1" && tensors.metadata["name"] == "pulled")
    #expect(tensors.tensors.map(\.name) == ["logits.weight", "logits.bias"])
    let export = await hub.run("model", "export", "pulled", "--out", place.path("out"))
    #expect(export.code == .done)
    #expect(
      try place.names(in: "out")
        == ["SHA256SUMS", "lineage.json", "model.safetensors", "recipe.json5", "rounds.jsonl"])
    let full = await hub.run("model", "export", "pulled", "--out", place.path("out"))
    #expect(full.code == .failed && full.messages.contains("not empty"))
    #expect(await hub.run("model", "show", "pulled", "7").code == .failed)
    #expect(await hub.run("model", "rollback", "pulled", "7").code == .failed)
    #expect(await hub.run("model", "pull", "pulled", "--out", "/nowhere/x").code == .failed)
    #expect(await hub.run("model", "show", "pulled", "0").code == .wrongUsage)
  }

  @Test("An auditor reads and does not act; who joined asks by its own directory")
  func auditorReads() async throws {
    let hub = try await hub()
    let place = try Workplace()
    let invited = await hub.run("invite", "--role", "auditor", "--format", "json")
    let url = try #require(try object(invited.output)["url"] as? String)
    let joined = await hub.run("join", url, "--state", place.path("auditor"))
    try #require(joined.code == .done, "\(joined.messages)")
    #expect(await hub.run("task", "list", "--hub", place.path("auditor")).code == .done)
    let refused = await hub.run("invite", "--hub", place.path("auditor"))
    #expect(refused.code == .unreachable && refused.output.isEmpty)
    let doctor = await hub.run("doctor", "--hub", place.path("auditor"), "--format", "json")
    try #require(doctor.code == .done, "\(doctor.output)")
    let answer = try object(doctor.output)
    #expect(answer["healthy"] as? Bool == true && answer["leases"] as? Int == 0)
    #expect((answer["auditEntries"] as? Int ?? 0) > 0)
    let status = try #require(answer["hub"] as? [String: Any])
    #expect(status["state"] as? String == "serving")
    // A token is good once.
    let reused = await hub.run("join", url, "--state", place.path("another"))
    #expect(reused.code == .unreachable)
  }

  @Test("A device is disabled, enabled and revoked; one that is not there is an error")
  func managesDevices() async throws {
    let hub = try await hub()
    let place = try Workplace()
    let invited = await hub.run("invite", "--role", "auditor", "--format", "json")
    let url = try #require(try object(invited.output)["url"] as? String)
    _ = await hub.run("join", url, "--state", place.path("member"), "--name", "member")
    let listed = try rows(await hub.run("device", "list", "--format", "json").output)
    let member = try #require(listed.first { $0["name"] as? String == "member" })
    let id = try #require(member["device"] as? String)
    for key in ["number", "role", "enabled", "revoked", "connected", "roundsCounted", "enrolled"] {
      #expect(member[key] != nil, "\(key)")
    }
    let disabled = await hub.run("device", "disable", id, "--format", "json")
    #expect(try object(disabled.output)["enabled"] as? Bool == false)
    let enabled = await hub.run("device", "enable", id, "--format", "json")
    #expect(try object(enabled.output)["enabled"] as? Bool == true)
    #expect(await hub.run("device", "revoke", id).output.contains("revoked"))
    let after = await hub.run("task", "list", "--hub", place.path("member"))
    #expect(after.code == .unreachable && after.messages.contains("let"))
    #expect(await hub.run("device", "show", "nobody").code == .failed)
  }
}
