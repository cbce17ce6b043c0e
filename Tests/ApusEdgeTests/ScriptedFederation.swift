// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusData
import ApusModels
import ApusNumerics
import ApusTraining
import ApusWire
import Synchronization

@testable import ApusEdge

/// A federation of one device that says what a test wants it to say.
final class ScriptedFederation: Sendable {
  /// What goes wrong, each once, in the order of the list.
  enum Fault: Hashable {
    /// The download of the model breaks after so many bytes.
    case brokenDownload(after: Int)
    /// A byte of the model is another one.
    case wrongByte
    /// The upload breaks after so many chunks, of which this many are durable.
    case brokenUpload(after: Int)
    /// The answer to a submission that was counted never arrives.
    case lostAnswer
    case unavailableSubmission
    /// The aggregator restarts: epochs rise, leases are given anew.
    case staleEpoch
  }

  struct State {
    var round: UInt64 = 0
    var epoch: UInt64 = 1
    var leaseCount: UInt64 = 0
    var leaseMs: UInt64 = 60_000
    var lease: [UInt8] = []
    var faults: [Fault] = []
    var offsets: [UInt64] = []
    var sentBytes = 0
    var present: [BlobDigest: Set<Int>] = [:]
    var blobs: [BlobDigest: [UInt8]] = [:]
    /// By idempotency key: what was answered.
    var submissions: [[UInt8]: Proto.Update] = [:]
    var submissionCount = 0
    var abandoned: [String] = []
    var keepAliveCount = 0
    var cancels = false
    /// Whether nobody answers any more.
    var isAway = false
    var hellos = 0
    var roundCount = 1
  }

  let state = Mutex(State())
  let plan: TrainingPlan
  let model: ParameterVector
  let modelBytes: [UInt8]
  let modelManifest: BlobManifest
  let planBytes: [UInt8]
  let planManifest: BlobManifest
  let stream = RandomStream(key: 7, nonce: 9)
  /// Told of every answered submission.
  let answers: AsyncStream<Proto.Update>
  private let answered: AsyncStream<Proto.Update>.Continuation

  /// A plan for examples of three classes: a linear model, or one with a hidden layer.
  init(
    for examples: ExampleTable, format: NumberFormat = .float32, isPacked: Bool = false,
    hidden: Int = 0, epochs: Int = 2
  ) throws {
    let graph: Graph
    let input = InputSignature(examples.inputShape)
    if hidden > 0 {
      graph = try Graph(tracing: Wide(hidden: hidden), input: input)
    } else {
      graph = try Graph(tracing: Logistic(classes: 3), input: input)
    }
    plan = TrainingPlan(
      graph: graph, loss: .softmaxCrossEntropy,
      algorithm: .fedAvg(FedAvg(localEpochs: epochs, batchSize: 4, learningRate: 0.1)),
      dataSchema: DataSchema(
        input: input, targets: .classes(3)), updateFormat: format, isPacked: isPacked)
    let program = try Program(graph, loss: .softmaxCrossEntropy, batchSize: 4)
    model = program.initialParameters(seed: 3)
    modelBytes = VectorCodec(.float32).encode(model)
    modelManifest = BlobManifest(of: modelBytes, chunkSize: 1 << 16)
    planBytes = plan.encoded()
    planManifest = BlobManifest(of: planBytes)
    (answers, answered) = AsyncStream.makeStream(of: Proto.Update.self)
  }

  struct Wide: Model {
    let hidden: Dense
    let logits = Dense(3)

    init(hidden: Int) { self.hidden = Dense(hidden, activation: .relu) }

    func callAsFunction(_ x: Symbol) -> Symbol { logits(hidden(x.flattened())) }
  }

  /// What the simulator's clients compute: the reference that a device must meet bit for bit.
  func expectedUpdate(on examples: ExampleTable, round: Int) throws -> ParameterVector {
    guard case .fedAvg(let algorithm) = plan.algorithm else { throw WireError(.malformed, "") }
    let program = try Program(plan.graph, loss: plan.loss, batchSize: 4)
    var client = Client(
      state: NoState(), objective: program, examples: ClientDataset(all: examples), round: round,
      random: stream.split(round))
    return algorithm.clientUpdate(&client, from: model).value
  }

  private func takeFault(_ matches: (Fault) -> Bool) -> Fault? {
    state.withLock { state in
      guard let index = state.faults.firstIndex(where: matches) else { return nil }
      return state.faults.remove(at: index)
    }
  }

  /// The current round's assignment, under a lease that is made where there is none.
  func assignment() -> Proto.Assignment? {
    state.withLock { state in
      guard state.round < UInt64(state.roundCount) else { return nil }
      if state.lease.isEmpty {
        state.leaseCount += 1
        state.lease = [UInt8](repeating: UInt8(state.leaseCount), count: 16)
      }
      let random = stream.split(Int(state.round))
      return Proto.Assignment {
        $0.taskId = "task"
        $0.round = state.round
        $0.epoch = state.epoch
        $0.leaseId = state.lease
        $0.leaseMs = state.leaseMs
        $0.reportDeadlineMs = 600_000
        $0.plan = Proto.BlobManifest(planManifest)
        $0.model = Proto.BlobManifest(modelManifest)
        $0.layoutDigest = plan.graph.layout.digest
        $0.randomKey = random.key
        $0.randomNonce = random.nonce
        $0.bounds = Proto.UpdateBounds {
          $0.coordinate = 4096
          $0.weight = 100
        }
      }
    }
  }

  // MARK: Services

  func router() -> CallRouter {
    var router = CallRouter()
    router.register(EdgeMethods.hello) { _, _ in
      self.state.withLock { $0.hellos += 1 }
      return Proto.HelloReply { $0.version = 1 }
    }
    router.register(EdgeMethods.checkIn) { (_, _) async throws(RPCError) in
      try self.requireHere()
      return Proto.CheckInReply {
        $0.answer = self.assignment().map { .assignment($0) } ?? .notNeeded("nothing to do")
        $0.retry = Proto.RetryWindow {
          $0.minMs = 20
          $0.maxMs = 50
        }
      }
    }
    router.register(streaming: EdgeMethods.waitAssignment) {
      (_, _, sender) async throws(RPCError) in
      var given: Proto.Assignment?
      while !Task.isCancelled {
        try self.requireHere()
        if let next = self.assignment(), next != given {
          given = next
          try await sender.send(Proto.AssignmentEvent { $0.event = .assignment(next) })
        }
        try? await Task.sleep(for: .milliseconds(5))
      }
    }
    router.register(EdgeMethods.keepAlive) { (request, _) async throws(RPCError) in
      try self.requireHere()
      try self.require(request.leaseId, request.epoch)
      return self.state.withLock { state in
        state.keepAliveCount += 1
        return Proto.KeepAliveReply {
          $0.instruction = state.cancels ? .cancel : .continue
          $0.leaseMs = state.leaseMs
        }
      }
    }
    router.register(EdgeMethods.abandon) { (request, _) async throws(RPCError) in
      try self.requireHere()
      return self.state.withLock { state in
        state.abandoned.append(request.reason)
        if state.lease == request.leaseId { state.lease = [] }
        return Proto.AbandonReply()
      }
    }
    router.register(EdgeMethods.submitUpdate) { (request, _) async throws(RPCError) in
      try self.submit(request)
    }
    registerBlobs(on: &router)
    return router
  }

  private func requireHere() throws(RPCError) {
    if state.withLock({ $0.isAway }) { throw RPCError(.unavailable, "Nobody is there.") }
  }

  private func require(_ lease: [UInt8], _ epoch: UInt64) throws(RPCError) {
    let isRight = state.withLock { $0.lease == lease && $0.epoch == epoch }
    if !isRight { throw RPCError(.failedPrecondition, "The lease is over.", reason: "stale-epoch") }
  }

  private func submit(
    _ request: Proto.SubmitUpdateRequest
  ) throws(RPCError) -> Proto.SubmitUpdateReply {
    state.withLock { $0.submissionCount += 1 }
    if takeFault({ $0 == .unavailableSubmission }) != nil {
      throw RPCError(.unavailable, "Later.", retryAfter: .milliseconds(10))
    }
    if takeFault({ $0 == .staleEpoch }) != nil {
      state.withLock { state in
        state.epoch += 1
        state.lease = []
      }
    }
    let isKnown = state.withLock { $0.submissions[request.idempotencyKey] != nil }
    if isKnown { return Proto.SubmitUpdateReply { $0.verdict = .duplicate } }
    try require(request.leaseId, request.epoch)
    guard let update = request.update, let digest = BlobDigest(bytes: update.blob),
      state.withLock({ $0.blobs[digest] != nil })
    else { throw RPCError(.notFound, "There is no such blob.") }
    let losesAnswer = takeFault { $0 == .lostAnswer } != nil
    state.withLock { state in
      state.submissions[request.idempotencyKey] = update
      state.round += 1
      state.lease = []
    }
    answered.yield(update)
    if losesAnswer { throw RPCError(.unavailable, "The connection broke.") }
    return Proto.SubmitUpdateReply { $0.verdict = .accepted }
  }

  private func registerBlobs(on router: inout CallRouter) {
    router.register(streaming: BlobsMethods.readBlob) {
      (request, _, sender) async throws(RPCError) in
      try await self.read(request, sender)
    }
    router.register(BlobsMethods.beginUpload) { (request, _) async throws(RPCError) in
      try self.require(request.leaseId, request.epoch)
      guard let manifest = try? request.manifest.map({ try BlobManifest($0) }) else {
        throw RPCError(.invalidArgument, "There is no manifest.")
      }
      self.state.withLock { state in
        if state.present[manifest.digest] == nil {
          state.present[manifest.digest] = []
          state.blobs[manifest.digest] = nil
        }
      }
      return self.status(manifest)
    }
    router.register(uploading: BlobsMethods.writeBlob) { (reader, _) async throws(RPCError) in
      try await self.write(reader)
    }
  }

  private func status(_ manifest: BlobManifest) -> Proto.UploadStatus {
    state.withLock { state in
      let present = state.present[manifest.digest] ?? []
      manifests[manifest.digest] = manifest
      return Proto.UploadStatus {
        $0.digest = manifest.digest.bytes
        $0.complete = present.count == manifest.chunkCount
        var bitmap = [UInt8](repeating: 0, count: (manifest.chunkCount + 7) / 8)
        for chunk in present { bitmap[chunk / 8] |= 1 << UInt8(chunk % 8) }
        $0.present = bitmap
      }
    }
  }

  private var manifests: [BlobDigest: BlobManifest] {
    get { manifestTable.withLock { $0 } }
    set { manifestTable.withLock { $0 = newValue } }
  }
  private let manifestTable = Mutex<[BlobDigest: BlobManifest]>([:])

  private func write(
    _ reader: RequestReader<Proto.WriteChunk>
  ) async throws(RPCError) -> Proto.UploadStatus {
    let fault = takeFault { if case .brokenUpload = $0 { true } else { false } }
    var left = Int.max
    if case .brokenUpload(let count)? = fault { left = count }
    var manifest: BlobManifest?
    while let chunk = try await reader.next() {
      if let digest = BlobDigest(bytes: chunk.digest) { manifest = manifests[digest] }
      guard let manifest, Int(chunk.index) < manifest.chunkCount else {
        throw RPCError(.invalidArgument, "Which blob?")
      }
      if left == 0 { throw RPCError(.unavailable, "The connection broke.") }
      left -= 1
      let range = manifest.range(ofChunk: Int(chunk.index))
      var bytes = chunk.data
      if chunk.encoding == .zstd {
        bytes = [UInt8](repeating: 0, count: Int(range.upperBound - range.lowerBound))
        do {
          try bytes.withUnsafeMutableBytes { target in
            try chunk.data.withUnsafeBytes { try Zstandard.unpack($0, into: target) }
          }
        } catch { throw RPCError(.invalidArgument, "\(error)") }
      }
      guard bytes.withUnsafeBytes({ manifest.verifies($0, asChunk: Int(chunk.index)) }) else {
        throw RPCError(.dataLoss, "A chunk is wrong.")
      }
      state.withLock { state in
        state.sentBytes += chunk.data.count
        var blob = state.blobs[manifest.digest] ?? [UInt8](repeating: 0, count: Int(manifest.size))
        blob.replaceSubrange(Int(range.lowerBound)..<Int(range.upperBound), with: bytes)
        state.blobs[manifest.digest] = blob
        state.present[manifest.digest]?.insert(Int(chunk.index))
      }
    }
    guard let manifest else { throw RPCError(.invalidArgument, "Which blob?") }
    return status(manifest)
  }

  private func read(
    _ request: Proto.ReadBlobRequest, _ sender: ReplySender<Proto.BlobChunk>
  ) async throws(RPCError) {
    let isModel = request.digest == modelManifest.digest.bytes
    guard isModel || request.digest == planManifest.digest.bytes else {
      throw RPCError(.notFound, "There is no such blob.")
    }
    let manifest = isModel ? modelManifest : planManifest
    var bytes = isModel ? modelBytes : planBytes
    let fault =
      isModel ? takeFault { if case .brokenDownload = $0 { true } else { false } } : nil
    if isModel {
      state.withLock { $0.offsets.append(request.offset) }
      // In a download that does not break, at its end: whatever was there before is kept.
      if fault == nil, takeFault({ $0 == .wrongByte }) != nil { bytes[bytes.count - 1] ^= 1 }
    }
    var left = Int.max
    if case .brokenDownload(let count)? = fault { left = count }
    var offset = Int(request.offset)
    while offset < bytes.count {
      // Pieces that end inside of chunks.
      let border = (offset / Int(manifest.chunkSize) + 1) * Int(manifest.chunkSize)
      let end = min(offset + 10_000, border, bytes.count)
      let count = min(end - offset, left)
      try await sender.send(
        Proto.BlobChunk {
          $0.offset = UInt64(offset)
          $0.data = Array(bytes[offset..<offset + count])
        })
      offset += count
      left -= count
      if left == 0 { throw RPCError(.unavailable, "The connection broke.") }
    }
  }
}
