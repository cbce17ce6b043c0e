// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusRounds
import ApusTransport
import ApusWire
import Foundation
import Synchronization
import Testing

@testable import ApusAggregator

/// A clock that an engine waits for as soon as it recovers, until it is let go.
private final class HeldClock: Sendable {
  private let readCount = Mutex(0)
  private let gate = DispatchSemaphore(value: 0)

  var clock: EngineClock {
    EngineClock(
      now: { [self] in
        // The first reading is the engine's making, before there is a port.
        let count = readCount.withLock { count in
          count += 1
          return count
        }
        if count == 2 { _ = gate.wait(timeout: .now() + 20) }
        return EngineClock.system.now()
      }, wall: EngineClock.system.wall)
  }

  func release() { gate.signal() }
}

/// Restarts as callers see them: over TLS, on the port that they know.
@Suite(.serialized) struct RestartTests {
  private func leaseReference(_ assignment: Proto.Assignment) -> Proto.KeepAliveRequest {
    Proto.KeepAliveRequest {
      $0.leaseId = assignment.leaseId
      $0.epoch = assignment.epoch
    }
  }

  /// A round that one device works on, of an aggregator that has gone down since.
  private func interrupted() async throws -> (
    served: ServedAggregator, device: String, assignment: Proto.Assignment
  ) {
    let served = try await ServedAggregator(in: try StoreWorkplace())
    let device = try await served.join("one")
    let (channel, coordinator) = (try served.channel(of: device), try served.coordinator())
    let stream = try await channel.stream(
      EdgeMethods.waitAssignment, Proto.CheckInRequest(), timeout: nil)
    _ = try await coordinator.create(try SmallTask.spec(rounds: 1, cohort: 1))
    let assignment = try await stream.nextAssignment()
    await served.aggregator.drain()
    await channel.close()
    await coordinator.close()
    return (served, device, assignment)
  }

  /// What a call is answered with.
  private func error(_ call: () async throws -> Void) async -> RPCError? {
    do {
      try await call()
      return nil
    } catch { return error as? RPCError }
  }

  @Test(
    "Until it has recovered an aggregator answers health alone; a heartbeat hears when to come back"
  )
  func answersHealthAlone() async throws {
    let (before, device, assignment) = try await interrupted()
    let clock = HeldClock()
    defer { clock.release() }
    let served = try await before.next(clock: clock.clock, starting: false)
    let starting = Task { try await served.aggregator.start() }
    let channel = try served.channel(of: device)
    let (coordinator, nobody) = (try served.coordinator(), try served.channel(of: nil))
    func health() async throws -> Proto.HealthCheckResponse.ServingStatus {
      try await nobody.call(
        HealthMethods.check, Proto.HealthCheckRequest(), timeout: .seconds(60)
      ).status
    }
    var answer: Proto.HealthCheckResponse.ServingStatus?
    for _ in 0..<500 where answer == nil {
      answer = try? await health()
      if answer == nil { try await Task.sleep(for: .milliseconds(10)) }
    }
    #expect(answer == .notServing)
    let refusals = [
      await error {
        _ = try await channel.call(
          EdgeMethods.keepAlive, leaseReference(assignment), timeout: .seconds(60))
      },
      await error {
        _ = try await channel.call(
          EdgeMethods.checkIn, Proto.CheckInRequest(), timeout: .seconds(60))
      },
      await error {
        let stream = try await channel.stream(
          BlobsMethods.readBlob,
          Proto.ReadBlobRequest { $0.digest = [UInt8](repeating: 1, count: 32) },
          timeout: .seconds(60))
        _ = try await stream.next()
      },
      await error { _ = try await coordinator.rounds(assignment.taskId) },
      await error {
        _ = try await nobody.call(
          EdgeMethods.enroll,
          Proto.EnrollRequest {
            $0.token = String(repeating: "A", count: 43)
            $0.idempotencyKey = [UInt8](repeating: 1, count: 16)
          }, timeout: .seconds(60))
      },
      await error {
        _ = try await nobody.call(
          EdgeMethods.hello, Proto.HelloRequest { $0.versionMax = 1 }, timeout: .seconds(60))
      },
    ]
    for (index, refusal) in refusals.enumerated() {
      #expect(refusal?.code == .unavailable, "\(index): \(String(describing: refusal))")
      #expect(refusal?.retryAfter != nil, "\(index)")
    }
    #expect(try await health() == .notServing)

    clock.release()
    _ = try await starting.value
    #expect(try await health() == .serving)
    // Now the old lease is known, and void; the device gets another one for the same work.
    let stale = await error {
      _ = try await channel.call(
        EdgeMethods.keepAlive, leaseReference(assignment), timeout: .seconds(60))
    }
    #expect(stale?.code == .failedPrecondition && stale?.reason == "stale-epoch")
    let reply = try await channel.call(
      EdgeMethods.checkIn, Proto.CheckInRequest(), timeout: .seconds(60))
    guard case .assignment(let renewed)? = reply.answer else {
      Issue.record("No work after the restart.")
      return
    }
    #expect(renewed.epoch == assignment.epoch + 1 && renewed.model == assignment.model)
    for channel in [channel, coordinator, nobody] { await channel.close() }
    await served.aggregator.drain()
  }

  @Test("With ten thousand leases an aggregator serves again within five seconds")
  func servesSoon() async throws {
    let (before, _, assignment) = try await interrupted()
    let key = RoundKey(task: assignment.taskId, round: 0, attempt: 1)
    let count: UInt64 = 10_000
    try await before.withStore { transaction in
      var round = try #require(try transaction.newestRound(of: key.task))
      round.policy.goal = Int(count)
      round.population = count
      try transaction.save(round)
      for number in 1..<count {
        let member = DeviceRecord(
          id: Federation.id(Int(number) | 1 << 40), role: .device, number: 0,
          name: "device \(number)", labels: [:], isEnabled: true, isRevoked: false, enrolled: 0,
          lastSeen: 0, certificateExpires: .max, build: "")
        #expect(try transaction.add(member: member).number == number)
        try transaction.save(
          InvitationRecord(
            round: key, device: number, lease: .random(), epoch: assignment.epoch))
      }
    }
    let clock = ContinuousClock()
    let begin = clock.now
    let served = try await before.next()
    let duration = clock.now - begin
    #expect(duration < .seconds(5), "\(duration)")
    let coordinator = try served.coordinator()
    let status = try await coordinator.call(
      CoordinatorMethods.getServerStatus, Proto.GetServerStatusRequest(), timeout: .seconds(60))
    #expect(status.leases == count && status.state == "SERVING")
    await coordinator.close()
    await served.aggregator.drain()
  }
}
