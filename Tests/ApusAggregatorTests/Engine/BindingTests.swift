// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

/// What an update is bound to, and what a peer's words are good for.
@Suite struct BindingTests {
  /// Streams of two devices with their assignments of one round.
  private func assignments(
    _ federation: Federation, rounds: Int
  ) async throws -> (
    task: String, streams: [ReplyStream<Proto.AssignmentEvent>], given: [Proto.Assignment]
  ) {
    let task = try await TestCoordinator(of: federation).create(
      try SmallTask.spec(rounds: rounds, cohort: 2))
    var streams: [ReplyStream<Proto.AssignmentEvent>] = []
    for number in 0..<2 { streams.append(try await TestDevice(number, of: federation).wait()) }
    var given: [Proto.Assignment] = []
    for stream in streams { given.append(try await stream.nextAssignment()) }
    return (task.taskId, streams, given)
  }

  @Test(
    "An update counts for the device, the epoch, the round and the digest that it names, and for no other"
  )
  func updates() async throws {
    let federation = try await Federation.started(devices: 2)
    let devices = (0..<2).map { TestDevice($0, of: federation) }
    let (task, streams, given) = try await assignments(federation, rounds: 2)
    let update = try await devices[0].learn(given[0])
    let other = try await devices[1].learn(given[1])
    func refusal(
      _ device: TestDevice, _ assignment: Proto.Assignment, _ update: Proto.Update,
      key: [UInt8]? = nil
    ) async -> String? {
      do {
        let reply = try await device.submit(update, for: assignment, key: key)
        return "\(reply.verdict) \(reply.reason)"
      } catch { return (error as? RPCError)?.reason }
    }
    // Another device's lease.
    #expect(await refusal(devices[1], given[0], update) == "lease-over")
    // Another epoch, before and after.
    for epoch in [given[0].epoch + 1, given[0].epoch - 1] {
      var wrong = given[0]
      wrong.epoch = epoch
      #expect(await refusal(devices[0], wrong, update) == "stale-epoch")
    }
    // A lease that nobody gave.
    var unknown = given[0]
    unknown.leaseId[0] ^= 1
    #expect(await refusal(devices[0], unknown, update) == "lease-over")
    // A digest of nothing that was uploaded.
    var absent = update
    absent.blob[5] ^= 1
    #expect(await refusal(devices[0], given[0], absent, key: Array(1...16)) == "blob-incomplete")
    // Its own; then another update under the same key.
    #expect(try await devices[0].submit(update, for: given[0]).verdict == .accepted)
    #expect(await refusal(devices[0], given[0], other) == "idempotency-key-reused")
    #expect(try await devices[1].submit(other, for: given[1]).verdict == .accepted)

    // In the next round, last round's lease and update are nobody's.
    var next: [Proto.Assignment] = []
    for stream in streams { next.append(try await stream.nextAssignment()) }
    #expect(next.map(\.round) == [1, 1])
    let late = try await devices[0].submit(update, for: given[0], key: Array(2...17))
    #expect(late.verdict == .notNeeded)
    #expect(try await devices[0].submit(update, for: given[0]).verdict == .duplicate)
    for (device, assignment) in zip(devices, next) {
      #expect(try await device.learnAndSubmit(assignment).verdict == .accepted)
    }
    let info = try await TestCoordinator(of: federation).finish(task)
    let expected = try RoundTests.expected(devices: [0, 1], rounds: 2, seed: 5, cohort: 2)
    #expect(info.model?.modelDigest == expected.digestBytes)
    #expect(info.model?.contributionCount == 2 && info.roundsAbandoned == 0)
    await federation.end()
  }

  @Test(
    "Nothing that a peer says becomes a path: files are named by digests and by numbers of ours")
  func paths() async throws {
    let served = try await ServedAggregator(in: try StoreWorkplace())
    let coordinator = try served.coordinator()
    let wicked = ["../../up", "/etc/apus", "..", "a/b", "a b", "~root"]
    for name in wicked {
      let error = await #expect(throws: RPCError.self) {
        try await coordinator.create(try SmallTask.spec(name))
      }
      #expect(error?.code == .invalidArgument, "\(name)")
    }
    // Where any text is allowed, it stays text.
    let state = try await served.join("one")
    let device = try served.channel(of: state)
    _ = try await coordinator.call(
      CoordinatorMethods.createTask,
      Proto.CreateTaskRequest {
        $0.spec = try SmallTask.spec("plain", rounds: 1, cohort: 1)
        $0.submitToken = "../../../up"
        $0.start = true
      }, timeout: .seconds(60))
    for digest in wicked.map({ Array($0.utf8) }) + [Array("../../../../../../../etc/passwd/".utf8)]
    {
      let error = await #expect(throws: RPCError.self) {
        let stream = try await device.stream(
          BlobsMethods.readBlob, Proto.ReadBlobRequest { $0.digest = digest },
          timeout: .seconds(60))
        _ = try await stream.next()
      }
      // 32 bytes of whatever text are a digest like others: of nothing that is there.
      #expect(error?.code == (digest.count == 32 ? .notFound : .invalidArgument))
    }
    let bytes = noise(100_000)
    let manifest = BlobManifest(of: bytes, chunkSize: 65_536)
    let error = await #expect(throws: RPCError.self) {
      try await device.call(
        BlobsMethods.beginUpload,
        Proto.BeginUploadRequest {
          $0.manifest = Proto.BlobManifest(manifest)
          $0.leaseId = Array("../../../../lease".utf8)
        }, timeout: .seconds(60))
    }
    #expect(error != nil)
    await device.close()
    await coordinator.close()
    await served.aggregator.drain()

    let names = try FileManager.default.subpathsOfDirectory(atPath: served.directory)
    let ours = [
      "[a-z.-]+", "(authority|server|operator)/[a-z.]+", "blobs/[0-9a-f]{2}(/[0-9a-f]{62})?",
      "uploads/[0-9]+[.]part", "folds/[0-9a-f]{32}-[0-9]+-[0-9]+[.]fold",
    ]
    for name in names {
      let isOurs = ours.contains {
        name.range(of: "^\($0)$", options: .regularExpression) != nil
      }
      #expect(isOurs, "\(name)")
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: served.place.path).sorted()
        == ["device-one", "hub", "log"])
  }
}
