// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import OwnThreads
import Testing

@testable import ApusAggregator
@testable import ApusEdge

/// Devices whose certificates hold for seconds, at an aggregator over TLS.
@Suite("Renewal on the way", .timeLimit(.minutes(1)), .ownThread)
struct RenewalTests {
  /// An aggregator in a directory of its own.
  private struct Served {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "apus-renewal-\(UUID())").path()
    let aggregator: Aggregator
    let coordinator: GRPCChannel

    init(certificateSeconds: Double) async throws {
      var configuration = AggregatorConfiguration(directory: directory)
      configuration.host = "127.0.0.1"
      configuration.port = 0
      configuration.logFile = directory + ".log"
      configuration.gatheringSeconds = 0.02
      configuration.deviceCertificateSeconds = certificateSeconds
      aggregator = Aggregator(configuration)
      let port = try await aggregator.start()
      let person = try Identity.load(from: HubDirectory(path: directory).operatorDirectory)
      coordinator = try GRPCChannel(
        host: "127.0.0.1", port: port, trust: .authorities(person.authorities.map(\.der)),
        identity: person.tlsMaterial())
    }

    /// Has the devices train rounds, and returns when they are over.
    func train(rounds: Int) async throws -> Proto.TaskInfo {
      let request = try Proto.CreateTaskRequest {
        $0.spec = try SmallTask.spec(rounds: rounds, cohort: 1)
        $0.start = true
      }
      let task = try await coordinator.call(
        CoordinatorMethods.createTask, request, timeout: .seconds(20))
      let events = try await coordinator.stream(
        CoordinatorMethods.watchTask, Proto.WatchTaskRequest { $0.task = task.taskId },
        timeout: .seconds(40))
      while try await events.next() != nil {}
      return try await coordinator.call(
        CoordinatorMethods.getTask, Proto.TaskRef { $0.task = task.taskId }, timeout: .seconds(20))
    }

    func end() async {
      await coordinator.close()
      await aggregator.drain()
      for path in [directory, directory + ".log"] {
        try? FileManager.default.removeItem(atPath: path)
      }
    }
  }

  // In a process of its own: other tests may hold up this one's threads for longer than such a certificate holds.
  @Test(
    "A device at work renews its certificate before it ends, goes on with the new one, and loses no round"
  )
  func renewal() async throws {
    await #expect(processExitsWith: .success) { try await Self.workThroughRenewals() }
  }

  private static func workThroughRenewals() async throws {
    let served = try await Served(certificateSeconds: 9)
    let state = served.directory + "/device"
    let invitation = try #require(served.aggregator.firstInvitation)
    let first = try await EdgeMember.join(invitation, name: "swift", state: state)
    let client = EdgeClient(examples: SmallTask.table(seed: 0), state: state)
    let history = Task {
      var events: [EdgeEvent] = []
      for await event in client.events { events.append(event) }
      return events
    }
    let running = Task {
      do { try await client.run() } catch { Issue.record("The device gave up: \(error)") }
    }

    var roundCount: UInt64 = 0
    repeat {
      let task = try await served.train(rounds: 2)
      #expect(task.state == .completed && task.roundsPublished == 2)
      #expect(task.roundsAbandoned == 0)
      roundCount += task.roundsPublished
      try await Task.sleep(for: .milliseconds(300))
      // Until what the first certificate was good for has been over for a while.
    } while DeviceIdentity.now() < first.certificateExpires + 2
    let last = try EdgeMember(in: state)
    #expect(last.id == first.id)
    #expect(last.certificateExpires > DeviceIdentity.now())
    client.stop()
    await running.value

    let events = await history.value
    let accepted = events.filter { event in
      if case .submitted(_, _, .accepted, _) = event { true } else { false }
    }
    #expect(accepted.count == Int(roundCount))
    for event in events {
      switch event {
      case .leaseLost, .abandoned, .disconnected, .resumed: Issue.record("\(event)")
      default: break
      }
    }
    await served.end()
  }

  @Test(
    "A lifetime that is none is refused before anything is made", arguments: [0, -1, .nan, 1e9])
  func senselessLifetimes(seconds: Double) async throws {
    let error = await #expect(throws: AggregatorError.self) {
      _ = try await Served(certificateSeconds: seconds)
    }
    #expect(error?.code == .invalidValue)
  }
}
