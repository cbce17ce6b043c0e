// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusData
import ApusNumerics
import ApusTraining
import ApusWire
import Foundation
import Synchronization
import Testing

@testable import ApusEdge

/// The device with a federation in the same process: its calls run through the same machines as over TLS.
@Suite(.timeLimit(.minutes(1)))
struct EdgeClientTests {
  let place = try? Place()
  let examples = ExampleTable(
    count: 22, inputShape: [5],
    inputs: .numbers((0..<110).map { Float($0 % 17) / 17 - Float($0 % 5) / 9 }),
    targets: .classes((0..<22).map { Int32($0 % 3) }, classCount: 3))

  /// Runs a device until it has `rounds` answers.
  @discardableResult
  private func run(
    _ federation: ScriptedFederation, rounds: Int = 1, on examples: ExampleTable? = nil,
    _ adjust: (inout EdgePolicy) -> Void = { _ in }
  ) async throws -> [EdgeEvent] {
    let client = try client(federation, rounds: rounds, on: examples, adjust)
    let events = Task {
      var events: [EdgeEvent] = []
      for await event in client.events { events.append(event) }
      return events
    }
    try await client.run()
    return await events.value
  }

  private func client(
    _ federation: ScriptedFederation, rounds: Int? = 1, on examples: ExampleTable? = nil,
    _ adjust: (inout EdgePolicy) -> Void = { _ in }
  ) throws -> EdgeClient {
    var policy = EdgePolicy()
    policy.roundLimit = rounds
    policy.gateInterval = .milliseconds(5)
    adjust(&policy)
    let router = federation.router()
    return EdgeClient(
      examples: examples ?? self.examples, state: try #require(place).path, policy: policy
    ) { () throws(EdgeError) in
      InProcessConnection(
        channel: InProcessTransport(
          handler: router, peer: Peer(identity: nil, address: "device")))
    }
  }

  private struct InProcessConnection: EdgeConnection {
    let channel: any Channel
    func refresh() async {}
    func close() async { await channel.close() }
  }

  private func blob(_ federation: ScriptedFederation, _ update: Proto.Update) throws -> [UInt8] {
    let digest = try #require(BlobDigest(bytes: update.blob))
    return try #require(federation.state.withLock { $0.blobs[digest] })
  }

  // MARK: Rounds

  @Test(
    "An update is what the simulator's client computes, bit for bit, whichever way the device keeps in touch",
    arguments: [true, false])
  func rounds(staysConnected: Bool) async throws {
    let federation = try ScriptedFederation(for: examples)
    federation.state.withLock { $0.roundCount = 3 }
    let events = try await run(federation, rounds: 3) { $0.staysConnected = staysConnected }
    var round = 0
    for await update in federation.answers {
      let expected = try federation.expectedUpdate(on: examples, round: round)
      #expect(try blob(federation, update) == VectorCodec(.float32).encode(expected))
      #expect(update.weight == 22 && update.count == UInt64(expected.count))
      #expect(update.metrics.map(\.name) == ["training_loss", "step_count", "seconds"])
      #expect(update.metrics[1].value == 12)
      round += 1
      if round == 3 { break }
    }
    let verdicts = events.filter { if case .submitted = $0 { true } else { false } }
    #expect(verdicts.count == 3)
    // The plan is fetched once: the cache has it afterwards; so is the model, which never changes here.
    let downloads = events.filter { if case .downloaded = $0 { true } else { false } }
    #expect(downloads.count == 2)
    #expect(federation.state.withLock { $0.hellos } == 1)
    let notes = try EdgeClientTests.notes(in: #require(place).path)
    #expect(notes.map(\.round) == [0, 1, 2] && notes.allSatisfy { $0.outcome == "accepted" })
  }

  private static func notes(in path: String) -> [RoundNote] { StateDirectory.notes(in: path) }

  @Test("Updates travel in the format that the plan asks for, packed where it asks for that")
  func formats() async throws {
    for format in NumberFormat.allCases {
      let federation = try ScriptedFederation(for: examples, format: format, isPacked: true)
      try await run(federation)
      let update = try #require(federation.state.withLock { $0.submissions.values.first })
      let expected = try federation.expectedUpdate(on: examples, round: 0)
      #expect(try blob(federation, update) == VectorCodec(format).encode(expected))
      #expect(update.type == format.dataType)
    }
  }

  // MARK: Transfers

  @Test("A download goes on at the byte where it broke, and a wrong byte is fetched again")
  func brokenDownloads() async throws {
    // 20,003 numbers: two chunks of 64 KiB.
    let federation = try ScriptedFederation(for: examples, hidden: 2222)
    #expect(federation.modelManifest.chunkCount == 2)
    federation.state.withLock {
      $0.faults = [.brokenDownload(after: 70_001), .brokenDownload(after: 3), .wrongByte]
    }
    try await run(federation)
    let offsets = federation.state.withLock { $0.offsets }
    #expect(offsets.count >= 4 && offsets[0] == 0)
    // Inside of a chunk, and never again what was there.
    #expect(offsets[1] > 0 && !offsets[1].isMultiple(of: 65_536), "\(offsets)")
    #expect(offsets[2] >= offsets[1])
    let update = try #require(federation.state.withLock { $0.submissions.values.first })
    let expected = try federation.expectedUpdate(on: examples, round: 0)
    #expect(try blob(federation, update) == VectorCodec(.float32).encode(expected))
  }

  @Test("An upload sends again only what is not durable over there")
  func brokenUploads() async throws {
    // 3 chunks of 1 MiB.
    let federation = try ScriptedFederation(for: examples, hidden: 66_000, epochs: 1)
    federation.state.withLock { $0.faults = [.brokenUpload(after: 1), .brokenUpload(after: 1)] }
    try await run(federation)
    let update = try #require(federation.state.withLock { $0.submissions.values.first })
    let size = try blob(federation, update).count
    #expect(size > 2 << 20)
    #expect(federation.state.withLock { $0.sentBytes } == size)
  }

  @Test("A submission is repeated under its key until there is an answer, and counted once")
  func repeatedSubmissions() async throws {
    let federation = try ScriptedFederation(for: examples)
    federation.state.withLock {
      $0.faults = [.unavailableSubmission, .unavailableSubmission, .lostAnswer]
    }
    let events = try await run(federation)
    #expect(federation.state.withLock { $0.submissionCount } == 4)
    #expect(federation.state.withLock { $0.submissions.count } == 1)
    let isDuplicate = events.contains {
      if case .submitted(_, _, .duplicate, _) = $0 { true } else { false }
    }
    #expect(isDuplicate)
  }

  @Test("After a restart of the aggregator the same update goes in under the new lease")
  func restartedAggregator() async throws {
    let federation = try ScriptedFederation(for: examples)
    federation.state.withLock { $0.faults = [.staleEpoch] }
    let events = try await run(federation)
    #expect(events.count { if case .trained = $0 { true } else { false } } == 1)
    #expect(
      events.contains { if case .leaseRenewed(let part) = $0 { part.epoch == 2 } else { false } })
    #expect(federation.state.withLock { $0.submissions.count } == 1)
  }

  // MARK: Refusing

  @Test("What does not fit the device is given back with a code, before the model is fetched")
  func refusals() async throws {
    let others = ExampleTable(
      count: 1, inputShape: [6], inputs: .numbers([1, 2, 3, 4, 5, 6]),
      targets: .classes([0], classCount: 3))
    let many = ExampleTable(
      count: 101, inputShape: [5], inputs: .numbers([Float](repeating: 0, count: 505)),
      targets: .classes([Int32](repeating: 0, count: 101), classCount: 3))
    let cases: [(ExampleTable?, (inout EdgePolicy) -> Void, String)] = [
      (others, { _ in }, "data-mismatch"),
      (many, { _ in }, "data-mismatch"),
      (nil, { $0.memoryLimit = 100 }, "out-of-memory"),
      (nil, { $0.allowedOperations = ["softmax"] }, "plan-refused"),
    ]
    for (table, adjust, code) in cases {
      let federation = try ScriptedFederation(for: examples)
      let client = try client(federation, on: table, adjust)
      let running = Task { try await client.run() }
      for await event in client.events {
        if case .abandoned(_, let reason) = event {
          #expect(reason == code)
          break
        }
      }
      client.stop()
      try await running.value
      #expect(federation.state.withLock { $0.abandoned.first } == code)
      #expect(federation.state.withLock { $0.offsets.isEmpty })
    }
  }

  @Test("Work whose gates close is given back, and taken up again when they open")
  func gates() async throws {
    let gate = ClosingGate()
    // Long enough that the gate closes in its midst.
    let federation = try ScriptedFederation(for: examples, hidden: 20_000, epochs: 50)
    let client = try client(federation) { $0.gates = [gate] }
    let running = Task { try await client.run() }
    for await event in client.events {
      switch event {
      case .training: gate.isClosed.withLock { $0 = true }
      case .abandoned(_, let reason):
        #expect(reason == "not-charging")
        client.stop()
      default: break
      }
    }
    try await running.value
    #expect(federation.state.withLock { $0.abandoned } == ["not-charging"])
    #expect(federation.state.withLock { $0.submissions.isEmpty })
  }

  @Test("Training that takes longer than its owner allows is given back")
  func timeLimit() async throws {
    let federation = try ScriptedFederation(for: examples, hidden: 20_000, epochs: 100_000)
    let client = try client(federation) { $0.timeLimit = .milliseconds(20) }
    let running = Task { try await client.run() }
    for await event in client.events {
      guard case .abandoned(_, let reason) = event else { continue }
      #expect(reason == "out-of-time")
      client.stop()
    }
    try await running.value
  }

  // MARK: Going on

  @Test(
    "A process that stops with a trained update leaves it to the next, which only hands it in")
  func resumedSubmission() async throws {
    let federation = try ScriptedFederation(for: examples)
    federation.state.withLock {
      $0.faults = [ScriptedFederation.Fault](repeating: .unavailableSubmission, count: 1000)
    }
    let first = try client(federation)
    let running = Task { try await first.run() }
    for await event in first.events {
      if case .submitting = event { first.stop() }
    }
    try await running.value
    let state = try #require(place).path
    let saved = try #require(try StateDirectory(state).savedWork())
    let update = try #require(saved.update)
    federation.state.withLock { $0.faults = [] }

    let events = try await run(federation)
    #expect(!events.contains { if case .training = $0 { true } else { false } })
    #expect(events.contains { if case .resumed = $0 { true } else { false } })
    #expect(federation.state.withLock { $0.submissions[update.idempotencyKey] } == update.update)
    #expect(try StateDirectory(state).savedWork() == nil)
  }

  @Test("What a kill leaves half-written is no update: the device begins anew")
  func damagedState() async throws {
    let federation = try ScriptedFederation(for: examples)
    federation.state.withLock {
      $0.faults = [ScriptedFederation.Fault](repeating: .unavailableSubmission, count: 1000)
    }
    let first = try client(federation)
    let running = Task { try await first.run() }
    for await event in first.events {
      if case .submitting = event { first.stop() }
    }
    try await running.value
    let state = try #require(place).path
    federation.state.withLock { $0.faults = [] }
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: state + "/update"))
    let events = try await run(federation)
    #expect(events.contains { if case .trained = $0 { true } else { false } })

    // A work file that was cut off is none at all.
    for length in [0, 5, 40, 200] {
      let record = WorkRecord(assignment: try #require(federation.assignmentForTests), update: nil)
      let text = String(record.text.prefix(length))
      #expect(WorkRecord(text) == nil)
    }
  }

  @Test("Two processes do not work in one state directory")
  func twoProcesses() throws {
    let state = try #require(place).path
    let first = try StateDirectory(state)
    #expect(throws: EdgeError.self) { try StateDirectory(state) }
    #expect(StateDirectory.isInUse(state))
    withExtendedLifetime(first) {}
  }

  @Test("A lease is kept alive while the device trains")
  func keepsAlive() async throws {
    let federation = try ScriptedFederation(for: examples, hidden: 2000, epochs: 100_000)
    // Long enough for a machine on which other tests hold the threads for seconds.
    federation.state.withLock { $0.leaseMs = 30_000 }
    let client = try client(federation)
    let running = Task { try await client.run() }
    let deadline = ContinuousClock.now + .seconds(60)
    while federation.state.withLock({ $0.keepAliveCount }) < 1, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(federation.state.withLock { $0.keepAliveCount } >= 1)
    // And the federation's word ends it.
    federation.state.withLock { $0.cancels = true }
    for await event in client.events {
      if case .leaseLost(_, let reason) = event {
        #expect(reason == "cancelled")
        client.stop()
      }
    }
    try await running.value
  }

  @Test(
    "A device whose federation has gone stops its work at the end of its lease, by its own clock")
  func silence() async throws {
    let federation = try ScriptedFederation(for: examples, hidden: 2000, epochs: 100_000)
    federation.state.withLock { $0.leaseMs = 6000 }
    let client = try client(federation)
    let running = Task { try await client.run() }
    let clock = ContinuousClock()
    var began: ContinuousClock.Instant?
    for await event in client.events {
      switch event {
      case .training:
        began = clock.now
        federation.state.withLock { $0.isAway = true }
      case .leaseLost(_, let reason):
        #expect(reason == "expired")
        #expect(clock.now - (try #require(began)) > .seconds(1))
        client.stop()
      case .trained: Issue.record("It trained on for nobody.")
      default: break
      }
    }
    // It ends at once: the training was called off.
    try await running.value
    #expect(federation.state.withLock { $0.submissions.isEmpty && $0.abandoned.isEmpty })
  }
}

extension ScriptedFederation {
  /// Some assignment, whatever round it is.
  var assignmentForTests: Proto.Assignment? {
    state.withLock { $0.roundCount += 1 }
    return assignment()
  }
}

/// Open until a test closes it.
final class ClosingGate: TrainingGate {
  let isClosed = Mutex(false)

  func reason(in context: GateContext) -> GateReason? {
    isClosed.withLock { $0 } ? .notCharging : nil
  }
}

/// A directory that goes with its test.
final class Place: Sendable {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("apus-edge-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
