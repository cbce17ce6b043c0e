// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusTransport
internal import ApusWire
internal import Foundation
internal import Synchronization

/// Many devices in one process, each with a key, a certificate and a connection of its own: a load for an aggregator.
///
/// `apus-bench fleet INVITATION --devices N [--mute] [--shape H,W,C]` enrols N devices, opens a waiting stream for each, and
/// answers every assignment with an update of zeros (or, with `--mute`, not at all; with `--timed`, with noise, and prints
/// how long the upload took). It prints a line of JSON for what happens.
final class Fleet: Sendable {
  struct Settings: Sendable {
    var deviceCount = 10
    /// Whether assignments are only taken, and never answered.
    var isMute = false
    /// The shape of one example that devices claim to have.
    var inputShape: [UInt64] = [28, 28, 1]
    /// Whether updates are noise, another every time, and what an upload takes is printed.
    var isTimed = false
  }

  struct Line: Encodable {
    var event: String
    var count: Int
    var seconds: Double
  }

  private struct Upload: Encodable {
    var event = "uploaded"
    var bytes: Int
    var seconds: Double
  }

  private struct Device: Sendable {
    let channel: GRPCChannel
    let number: UInt64
  }

  private let invitation: Invitation
  private let settings: Settings
  private let loops: [EventLoop]
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let state = Mutex<Counts>([:])

  private enum Count: String {
    case waiting, assigned, accepted
  }

  private typealias Counts = [Count: Int]

  init(_ invitation: Invitation, _ settings: Settings) throws {
    self.invitation = invitation
    self.settings = settings
    loops = [try EventLoop()]
    start = clock.now
  }

  private func print(_ event: String, _ count: Int) {
    let line = Line(event: event, count: count, seconds: (clock.now - start) / .seconds(1))
    guard let json = try? JSONEncoder().encode(line) else { return }
    Swift.print(String(decoding: json, as: UTF8.self))
    fflush(nil)
  }

  /// Runs until the process is ended.
  func run() async throws {
    let devices = try await enrolAll()
    print("enrolled", devices.count)
    await withTaskGroup(of: Void.self) { group in
      for device in devices { group.addTask { await self.live(device) } }
    }
  }

  private func enrolAll() async throws -> [Device] {
    let anonymous = try channel(identity: nil, loop: 0)
    let devices = try await withThrowingTaskGroup(of: Device.self) { group in
      var devices: [Device] = []
      devices.reserveCapacity(settings.deviceCount)
      for index in 0..<settings.deviceCount {
        // As many as the aggregator takes streams at once, and less.
        if index >= 8, let device = try await group.next() { devices.append(device) }
        group.addTask { try await self.enrol(index, over: anonymous) }
      }
      for try await device in group { devices.append(device) }
      return devices
    }
    await anonymous.close()
    return devices
  }

  private func channel(identity: TLSMaterial?, loop: Int) throws -> GRPCChannel {
    try GRPCChannel(
      host: invitation.host.text, port: invitation.port,
      trust: .pinnedAuthority(sha256: invitation.authorityDigest), identity: identity,
      loop: loops[loop])
  }

  private func enrol(_ index: Int, over anonymous: GRPCChannel) async throws -> Device {
    let key = try PrivateKey.generate()
    var request = Proto.EnrollRequest()
    request.token = invitation.token.text
    request.signingRequest = try SigningRequest.make(for: key).der
    request.name = "fleet-\(index)"
    request.idempotencyKey = try SecureRandom.bytes(16)
    let reply = try await retrying { [request] in
      try await anonymous.call(EdgeMethods.enroll, request, timeout: .seconds(60))
    }
    let material = TLSMaterial(certificateChain: reply.certificates, key: key)
    return Device(
      channel: try channel(identity: material, loop: index % loops.count),
      number: reply.deviceNumber)
  }

  private func retrying<Value>(
    _ body: () async throws -> Value
  ) async throws -> Value {
    for _ in 0..<100 {
      do {
        return try await body()
      } catch let error as RPCError
        where [.unavailable, .resourceExhausted, .aborted].contains(error.code)
      {
        try await Task.sleep(for: error.retryAfter ?? .milliseconds(100))
      }
    }
    return try await body()
  }

  /// Waits for assignments, again and again.
  private func live(_ device: Device) async {
    while true {
      do {
        var request = Proto.CheckInRequest()
        request.inputShape = settings.inputShape
        request.exampleCountBucket = 1
        let stream = try await device.channel.stream(
          EdgeMethods.waitAssignment, request, timeout: nil)
        var isCounted = false
        defer { if isCounted { note(.waiting, by: -1) } }
        // The first event says that the aggregator has this device.
        while let event = try await stream.next() {
          if !isCounted {
            isCounted = true
            note(.waiting)
          }
          if case .assignment(let assignment)? = event.event {
            note(.assigned)
            if !settings.isMute { try await answer(assignment, over: device.channel) }
          }
        }
      } catch {
        if state.withLock({ $0[.waiting, default: 0] }) < 10 {
          FileHandle.standardError.write(Data("\(error)\n".utf8))
        }
      }
      try? await Task.sleep(for: .milliseconds(Int.random(in: 100..<1_000)))
    }
  }

  /// Hands in an update of zeros.
  private func answer(_ assignment: Proto.Assignment, over channel: GRPCChannel) async throws {
    guard let model = assignment.model else { return }
    let bytes =
      settings.isTimed ? noise(Int(model.size)) : [UInt8](repeating: 0, count: Int(model.size))
    let manifest = BlobManifest(of: bytes)
    let started = clock.now
    var begin = Proto.BeginUploadRequest()
    begin.manifest = Proto.BlobManifest(manifest)
    begin.leaseId = assignment.leaseId
    begin.epoch = assignment.epoch
    let status = try await retrying { [begin] in
      try await channel.call(BlobsMethods.beginUpload, begin, timeout: .seconds(60))
    }
    if !status.complete { try await BlobUpload(manifest, channel).send(bytes) }
    if settings.isTimed {
      let line = Upload(bytes: bytes.count, seconds: (clock.now - started) / .seconds(1))
      Swift.print(String(decoding: try JSONEncoder().encode(line), as: UTF8.self))
      fflush(nil)
    }
    var update = Proto.Update()
    update.blob = manifest.digest.bytes
    update.type = .float32
    update.count = model.size / 4
    update.layoutDigest = assignment.layoutDigest
    update.weight = 1
    var submit = Proto.SubmitUpdateRequest()
    submit.idempotencyKey = try SecureRandom.bytes(16)
    submit.leaseId = assignment.leaseId
    submit.epoch = assignment.epoch
    submit.update = update
    let reply = try await retrying { [submit] in
      try await channel.call(EdgeMethods.submitUpdate, submit, timeout: .seconds(60))
    }
    if reply.verdict == .accepted { note(.accepted) }
  }

  /// Numbers near zero that no call before has returned.
  private func noise(_ byteCount: Int) -> [UInt8] {
    var stream = RandomStream(key: .random(in: .min ... .max), nonce: 0)
    var bytes = [UInt8](repeating: 0, count: byteCount)
    bytes.withUnsafeMutableBytes { bytes in
      for place in stride(from: 0, to: bytes.count - 3, by: 4) {
        let number = Float.random(in: -0.01...0.01, using: &stream)
        bytes.storeBytes(of: number.bitPattern.littleEndian, toByteOffset: place, as: UInt32.self)
      }
    }
    return bytes
  }

  private func note(_ count: Count, by step: Int = 1) {
    let now = state.withLock { counts in
      counts[count, default: 0] += step
      return counts[count, default: 0]
    }
    if now % 1_000 == 0 || now == settings.deviceCount { print(count.rawValue, now) }
  }
}

/// Sends a blob's chunks over one stream.
struct BlobUpload {
  let manifest: BlobManifest
  let channel: any Channel

  init(_ manifest: BlobManifest, _ channel: any Channel) {
    self.manifest = manifest
    self.channel = channel
  }

  func send(_ bytes: [UInt8]) async throws {
    let call = try await channel.open(
      BlobsMethods.writeBlob.path, metadata: [], timeout: .seconds(600))
    let chunkSize = Int(manifest.chunkSize)
    var index = 0
    for offset in stride(from: 0, to: bytes.count, by: chunkSize) {
      let message = bytes.withUnsafeBytes { bytes in
        ChunkMessage.writeChunk(
          digest: index == 0 ? manifest.digest : nil, index: UInt32(index),
          data: UnsafeRawBufferPointer(
            rebasing: bytes[offset..<min(offset + chunkSize, bytes.count)]))
      }
      try await call.send(message)
      index += 1
    }
    try await call.finishSending()
    guard let reply = try await call.receive(),
      try Proto.UploadStatus(decoding: reply).complete
    else { throw BenchmarkError("the upload is not complete") }
  }
}
