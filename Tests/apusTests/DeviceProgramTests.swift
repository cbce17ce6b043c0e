// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCoordination
import ApusSimulation
import Foundation
import OwnThreads
import Testing

/// `apus-device`, the program for a device alone.
@Suite(.timeLimit(.minutes(2)), .ownThread)
struct DeviceProgramTests {
  private static let program = Executable.program("apus-device")

  private static let recipe = """
    {
      model: "logistic", data: { set: "digits", split: "iid", clients: 2 },
      algorithm: { fedavg: { localEpochs: 2, batchSize: 10, learningRate: 0.1 } },
      cohort: { fraction: 1 }, rounds: 3, seed: 7,
      serve: { overSelection: 1, minimumCohort: 2, reportTimeout: 60 },
    }
    """

  private func run(_ words: String...) throws -> Executable.Ending {
    try Executable.run(words, executable: Self.program)
  }

  @Test("It takes part in rounds beside 'apus join', counted with the bytes of the simulation")
  func takesPart() throws {
    let federation = try Federation()
    let place = federation.place
    let recipe = try place.write(Self.recipe, to: "recipe.json5")
    let simulated = try Executable.run([
      "simulate", recipe, "--out", place.path("run"), "--format", "json",
    ])
    let split = try federation.run(
      "data", "split", "digits", "--split", "iid", "--clients", "2", "--seed", "7", "--export",
      place.path("data"), "--quiet")
    try #require(split.status == 0, "\(split.messages)")
    try federation.join(data: place.path("data/client-0"), with: Self.program)
    try federation.join(data: place.path("data/client-1"))
    let run = try federation.run("task", "run", recipe, "--watch", "--format", "json", "--quiet")
    let task = try federation.decode(TaskDescription.self, from: run)
    let expected = try simulated.summary().modelDigest
    #expect(task.model?.modelDigest == expected)
    let devices = try federation.decode(
      [DeviceDescription].self, from: federation.run("device", "list", "--format", "json"))
    #expect(devices.filter { $0.role == "device" }.map(\.roundsCounted) == [3, 3])

    let device = try #require(federation.devices.first)
    device.send(SIGTERM)
    let ending = try device.end()
    #expect(ending.status == 130, "\(ending.messages)")
    let events = ending.output.split(separator: "\n")
    #expect(events.count { $0.contains("\"event\":\"submitted\"") } == 3)
    #expect(events.count { $0.contains("\"verdict\":\"accepted\"") } == 3)
    #expect(events.last?.contains("\"event\":\"stopped\"") == true)
    for event in events {
      #expect(try JSONSerialization.jsonObject(with: Data(event.utf8)) is [String: Any])
    }

    // Both programs tell the same of its state, which either goes on from.
    let words = ["status", "--state", place.path("device-0"), "--format", "json"]
    let own = try Executable.run(words, executable: Self.program)
    let other = try Executable.run(words)
    #expect(own.status == 0 && own.output == other.output)
    #expect(own.output.contains("\"outcome\" : \"accepted\""))
    #expect(own.output.contains("\"data\" : \"\(place.path("data/client-0"))\""))
  }

  @Test("It is linked without Foundation, which 'apus' is not")
  func isSmall() throws {
    let name = Data("libFoundation".utf8)
    let isInApus = try Data(contentsOf: Executable.url).range(of: name) != nil
    let isInDevice = try Data(contentsOf: Self.program).range(of: name) != nil
    #expect(!isInDevice)
    #if os(Linux)
      #expect(isInApus, "the name of the library is not what it was")
    #endif
  }

  @Test("Help names it and its commands; wrong words end with 2, a hub that is not there with 3")
  func speaks() throws {
    let overview = try run("--help")
    #expect(overview.status == 0 && overview.output.contains("Usage: apus-device COMMAND"))
    #expect(!overview.output.contains("simulate"))
    let join = try run("help", "join")
    #expect(join.output.contains("\n  apus-device join --state device1 --when idle"))
    for line in (overview.output + join.output).split(separator: "\n")
    where !line.hasPrefix("  apus-device ") {
      #expect(line.count <= 80, "\(line)")
    }
    let unknown = try run("jion")
    #expect(unknown.status == 2 && unknown.messages.contains("did you mean join?"))
    #expect(unknown.messages.hasPrefix("apus-device: "))
    #expect(try run("join", "apus://nowhere").status == 2)

    let place = try Workplace()
    let digest = String(repeating: "0", count: 64)
    let token = String(repeating: "A", count: 43)
    let refused = try run(
      "join", "apus://127.0.0.1:1/?token=\(token)&ca=sha256:\(digest)", "--data", place.path,
      "--state", place.path("state"))
    #expect(refused.status == 3, "\(refused.messages)")
    let nobody = try run("status", "--state", place.path("nobody"))
    #expect(nobody.status == 1 && nobody.messages.contains("has not joined"), "\(nobody.messages)")
  }
}
