// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// What a caller wants of the blobs.
package enum BlobRequest: Sendable {
  /// To read one, or part of it.
  case read(BlobDigest)
  /// To bring one: devices for a lease (16 bytes, and its epoch), operators without one.
  case upload(BlobManifest, leaseID: [UInt8], epoch: UInt64)
}

/// Says who may read and bring which blob: returns, or throws what the caller is told.
package typealias BlobAccess = @Sendable (PeerIdentity, BlobRequest) async throws(RPCError) -> Void

/// The calls of `apus.v1.Blobs`.
package struct BlobsService: Sendable {
  /// How much may be under way.
  package struct Limits: Sendable {
    /// Bytes of chunks that came and are not written yet, of all callers.
    package var bytesInFlight = 64 << 20
    /// Chunks of one stream that are verified and written at once.
    package var chunksPerStream = 4
    /// Bytes that a caller is told to have under way at most.
    package var window: UInt64 = 8 << 20

    package init() {}
  }

  let blobs: BlobStore
  let uploads: Uploads
  let limits: Limits
  let access: BlobAccess
  private let budget: ByteBudget

  /// - Parameters:
  ///   - uploads: which, and in which blobs.
  ///   - limits: how much may be under way.
  ///   - access: asked before anything else is done.
  package init(
    _ uploads: Uploads, limits: Limits = Limits(), access: @escaping BlobAccess
  ) {
    blobs = uploads.blobs
    self.uploads = uploads
    self.limits = limits
    self.access = access
    budget = ByteBudget(limits.bytesInFlight)
  }

  package func register(on router: inout CallRouter) {
    router.register(raw: BlobsMethods.readBlob.path) { call async throws(RPCError) in
      try await readBlob(call)
    }
    router.register(BlobsMethods.beginUpload) { request, head async throws(RPCError) in
      try await beginUpload(request, from: head)
    }
    router.register(BlobsMethods.queryUpload) { request, head async throws(RPCError) in
      try await queryUpload(request, from: head)
    }
    router.register(raw: BlobsMethods.writeBlob.path) { call async throws(RPCError) in
      try await call.send(try await writeBlob(call).encoded())
    }
  }

  // MARK: Uploads

  private func beginUpload(
    _ request: Proto.BeginUploadRequest, from head: CallHead
  ) async throws(RPCError) -> Proto.UploadStatus {
    let caller = try Self.caller(of: head)
    guard let message = request.manifest else {
      throw RPCError(.invalidArgument, "An upload needs a manifest.", reason: "no-manifest")
    }
    let manifest: BlobManifest
    do throws(WireError) {
      manifest = try BlobManifest(message)
    } catch {
      throw RPCError(.invalidArgument, error.message, reason: error.code.rawValue)
    }
    guard manifest.size > 0 else {
      throw RPCError(.invalidArgument, "An upload has no bytes.", reason: "no-bytes")
    }
    try await access(caller, .upload(manifest, leaseID: request.leaseId, epoch: request.epoch))
    do {
      return reply(try await uploads.begin(manifest, by: Self.name(of: caller), role: caller.role))
    } catch {
      throw Self.status(of: error)
    }
  }

  private func queryUpload(
    _ request: Proto.QueryUploadRequest, from head: CallHead
  ) async throws(RPCError) -> Proto.UploadStatus {
    let caller = try Self.caller(of: head)
    let digest = try Self.digest(request.digest)
    let status: Uploads.Status?
    do {
      status = try await uploads.status(of: digest, by: Self.name(of: caller))
    } catch {
      throw Self.status(of: error)
    }
    guard let status else { throw Self.noUpload }
    return reply(status)
  }

  private func writeBlob(_ call: any ServerCall) async throws(RPCError) -> Proto.UploadStatus {
    let caller = Self.name(of: try Self.caller(of: call.head))
    guard let first = try await call.receive() else {
      throw RPCError(.invalidArgument, "A stream of chunks has none.", reason: "no-chunk")
    }
    guard let digest = try Self.chunk(first).digest else {
      throw RPCError(
        .invalidArgument, "The first chunk of a stream does not name its blob.",
        reason: "no-digest")
    }
    do {
      let written = try await uploads.withSession(of: digest, by: caller) { session in
        let failure = await receive(first, call, into: session)
        // A note of progress that finds no room would end the process.
        if let failure, failure.reason == AggregatorError.Code.diskFull.rawValue { throw failure }
        // Whatever else ended the stream: what came is kept, and need not come again.
        let (present, isComplete) = try await session.finish()
        if let failure { throw failure }
        return Uploads.Status(
          manifest: session.manifest, present: present, isComplete: isComplete)
      }
      if let written { return reply(written) }
      // Complete before: a repeated attempt, whose chunks nobody needs.
      while try await call.receive() != nil {}
      guard let status = try await uploads.status(of: digest, by: caller) else {
        throw Self.noUpload
      }
      return reply(status)
    } catch {
      throw Self.status(of: error)
    }
  }

  /// Takes chunks until there are no more, or one is wrong; several are under way at once.
  ///
  /// - Returns: why it ended too soon.
  private func receive(
    _ first: [UInt8], _ call: any ServerCall, into session: UploadSession
  ) async -> RPCError? {
    await withTaskGroup(of: RPCError?.self) { group in
      var failure: RPCError?
      var runningCount = 0
      var next: [UInt8]? = first
      while let message = next, failure == nil {
        if runningCount == limits.chunksPerStream, let ended = await group.next() {
          runningCount -= 1
          failure = ended
        }
        runningCount += 1
        await budget.take(message.count)
        group.addTask { await accept(message, into: session) }
        do throws(RPCError) {
          next = try await call.receive()
        } catch {
          failure = failure ?? error
        }
      }
      for await ended in group { failure = failure ?? ended }
      return failure
    }
  }

  private func accept(_ message: [UInt8], into session: UploadSession) async -> RPCError? {
    defer { budget.giveBack(message.count) }
    do {
      let chunk = try Self.chunk(message)
      guard chunk.digest == nil || chunk.digest == session.manifest.digest else {
        throw RPCError(
          .invalidArgument, "One stream brings chunks of several blobs.", reason: "other-digest")
      }
      try await blobs.lanes.run { try session.accept(chunk, in: message) }
      return nil
    } catch {
      return Self.status(of: error)
    }
  }

  private func reply(_ status: Uploads.Status) -> Proto.UploadStatus {
    Proto.UploadStatus {
      $0.digest = status.manifest.digest.bytes
      $0.complete = status.isComplete
      $0.committedSize =
        status.isComplete ? status.manifest.size : status.present.byteCount(in: status.manifest)
      $0.present = status.isComplete ? [] : status.present.bits
      $0.window = limits.window
    }
  }

  // MARK: What all calls share

  private static let noUpload = RPCError(
    .notFound, "There is no such upload, or it is over. Announce it with BeginUpload.",
    reason: "no-upload")

  static func caller(of head: CallHead) throws(RPCError) -> PeerIdentity {
    guard let identity = head.peer.identity else {
      throw RPCError(.unauthenticated, "This call needs a certificate.", reason: "no-certificate")
    }
    return identity
  }

  static func digest(_ bytes: [UInt8]) throws(RPCError) -> BlobDigest {
    guard let digest = BlobDigest(bytes: bytes) else {
      throw RPCError(.invalidArgument, "A blob's digest is not 32 bytes.", reason: "no-digest")
    }
    return digest
  }

  static func status(of error: any Error) -> RPCError {
    if let error = error as? RPCError { return error }
    if let error = error as? AggregatorError { return error.status }
    return RPCError(.internal, "The aggregator failed.")
  }

  private static func name(of caller: PeerIdentity) -> String {
    "\(caller.role.rawValue)/\(caller.id)"
  }

  private static func chunk(_ message: [UInt8]) throws(RPCError) -> ChunkMessage {
    do throws(WireError) {
      return try message.withUnsafeBufferPointer { message throws(WireError) in
        try ChunkMessage(writeChunk: UnsafeRawBufferPointer(message))
      }
    } catch {
      throw RPCError(.invalidArgument, error.message, reason: error.code.rawValue)
    }
  }
}
