// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Made from protocols/apus/v1/blob.proto by scripts/protocols; not to be edited.
// swift-format-ignore-file

internal import ApusProtocols

extension Proto {
  /// What names a blob and lets every chunk of it be checked alone.
  ///
  /// The blob's digest is SHA-256 of: the 12 bytes "apus-blob-v1", size (8 bytes, little-endian), chunk_size (4 bytes,
  /// little-endian), chunk_digests.
  package struct BlobManifest: Hashable, Sendable {
    /// Bytes in all.
    package var size: UInt64 = 0
    /// Bytes in a chunk, but for the last: 65,536...4,194,304 without framing; 1,048,576 where nothing speaks against it.
    package var chunkSize: UInt32 = 0
    /// SHA-256 of each chunk, 32 bytes each, one after the other.
    package var chunkDigests: [UInt8] = []

    package init() {}
  }
}

extension Proto {
  package struct ReadBlobRequest: Hashable, Sendable {
    /// 32 bytes.
    package var digest: [UInt8] = []
    /// The first byte wanted, at most the blob's size.
    package var offset: UInt64 = 0
    /// How many bytes; 0 for all that follow.
    package var length: UInt64 = 0
    /// Whether chunks may come packed.
    package var acceptsZstd: Bool = false

    package init() {}
  }
}

extension Proto {
  package struct BlobChunk: Hashable, Sendable {
    /// Where the first byte belongs.
    package var offset: UInt64 = 0
    /// At most 1 MiB, never across a chunk's border.
    package var data: [UInt8] = []
    package var encoding: Proto.Encoding = Proto.Encoding(rawValue: 0)
    /// In the first message only.
    package var manifest: Proto.BlobManifest? = nil

    package init() {}
  }
}

extension Proto {
  package struct BeginUploadRequest: Hashable, Sendable {
    package var manifest: Proto.BlobManifest? = nil
    /// 16 bytes; devices: of the lease that the upload is for. Operators: empty.
    package var leaseId: [UInt8] = []
    /// Of the lease.
    package var epoch: UInt64 = 0

    package init() {}
  }
}

extension Proto {
  package struct QueryUploadRequest: Hashable, Sendable {
    /// 32 bytes: the digest of the manifest.
    package var digest: [UInt8] = []

    package init() {}
  }
}

extension Proto {
  package struct WriteChunk: Hashable, Sendable {
    /// 32 bytes, in the first message of a stream; may be left out in those that follow.
    package var digest: [UInt8] = []
    /// Which chunk, from 0.
    package var index: UInt32 = 0
    /// The whole chunk.
    package var data: [UInt8] = []
    package var encoding: Proto.Encoding = Proto.Encoding(rawValue: 0)

    package init() {}
  }
}

extension Proto {
  package struct UploadStatus: Hashable, Sendable {
    /// 32 bytes.
    package var digest: [UInt8] = []
    /// Bytes that survive a power failure.
    package var committedSize: UInt64 = 0
    /// One bit a chunk, lowest first: 1 where it is durable. Empty when the blob is complete.
    package var present: [UInt8] = []
    package var complete: Bool = false
    /// How many bytes may be under way at once.
    package var window: UInt64 = 0
    package var retry: Proto.RetryWindow? = nil

    package init() {}
  }
}

extension Proto.BlobManifest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__BlobManifest>) { apus__v1__blob_manifest__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__BlobManifest>, _ arena: MessageArena) {
    c.pointee.size = size
    c.pointee.chunk_size = chunkSize
    c.pointee.chunk_digests = arena.bytes(chunkDigests)
  }

  init(copying c: UnsafePointer<Apus__V1__BlobManifest>) throws(WireError) {
    size = c.pointee.size
    chunkSize = c.pointee.chunk_size
    chunkDigests = copied(bytes: c.pointee.chunk_digests)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.ReadBlobRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__ReadBlobRequest>) { apus__v1__read_blob_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__ReadBlobRequest>, _ arena: MessageArena) {
    c.pointee.digest = arena.bytes(digest)
    c.pointee.offset = offset
    c.pointee.length = length
    c.pointee.accepts_zstd = acceptsZstd ? 1 : 0
  }

  init(copying c: UnsafePointer<Apus__V1__ReadBlobRequest>) throws(WireError) {
    digest = copied(bytes: c.pointee.digest)
    offset = c.pointee.offset
    length = c.pointee.length
    acceptsZstd = c.pointee.accepts_zstd != 0
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.BlobChunk: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__BlobChunk>) { apus__v1__blob_chunk__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__BlobChunk>, _ arena: MessageArena) {
    c.pointee.offset = offset
    c.pointee.data = arena.bytes(data)
    c.pointee.encoding = .init(rawValue: UInt32(bitPattern: encoding.rawValue))
    if let value = manifest {
      c.pointee.manifest = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__BlobChunk>) throws(WireError) {
    offset = c.pointee.offset
    data = copied(bytes: c.pointee.data)
    encoding = Proto.Encoding(rawValue: Int32(bitPattern: c.pointee.encoding.rawValue))
    manifest = try copied(message: c.pointee.manifest)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.BeginUploadRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__BeginUploadRequest>) { apus__v1__begin_upload_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__BeginUploadRequest>, _ arena: MessageArena) {
    if let value = manifest {
      c.pointee.manifest = arena.message(value)
    }
    c.pointee.lease_id = arena.bytes(leaseId)
    c.pointee.epoch = epoch
  }

  init(copying c: UnsafePointer<Apus__V1__BeginUploadRequest>) throws(WireError) {
    manifest = try copied(message: c.pointee.manifest)
    leaseId = copied(bytes: c.pointee.lease_id)
    epoch = c.pointee.epoch
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.QueryUploadRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__QueryUploadRequest>) { apus__v1__query_upload_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__QueryUploadRequest>, _ arena: MessageArena) {
    c.pointee.digest = arena.bytes(digest)
  }

  init(copying c: UnsafePointer<Apus__V1__QueryUploadRequest>) throws(WireError) {
    digest = copied(bytes: c.pointee.digest)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.WriteChunk: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__WriteChunk>) { apus__v1__write_chunk__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__WriteChunk>, _ arena: MessageArena) {
    c.pointee.digest = arena.bytes(digest)
    c.pointee.index = index
    c.pointee.data = arena.bytes(data)
    c.pointee.encoding = .init(rawValue: UInt32(bitPattern: encoding.rawValue))
  }

  init(copying c: UnsafePointer<Apus__V1__WriteChunk>) throws(WireError) {
    digest = copied(bytes: c.pointee.digest)
    index = c.pointee.index
    data = copied(bytes: c.pointee.data)
    encoding = Proto.Encoding(rawValue: Int32(bitPattern: c.pointee.encoding.rawValue))
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.UploadStatus: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__UploadStatus>) { apus__v1__upload_status__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__UploadStatus>, _ arena: MessageArena) {
    c.pointee.digest = arena.bytes(digest)
    c.pointee.committed_size = committedSize
    c.pointee.present = arena.bytes(present)
    c.pointee.complete = complete ? 1 : 0
    c.pointee.window = window
    if let value = retry {
      c.pointee.retry = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__UploadStatus>) throws(WireError) {
    digest = copied(bytes: c.pointee.digest)
    committedSize = c.pointee.committed_size
    present = copied(bytes: c.pointee.present)
    complete = c.pointee.complete != 0
    window = c.pointee.window
    retry = try copied(message: c.pointee.retry)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

/// Bytes of any length: models, plans, updates, examples for evaluation. They are named by their digest and travel
/// in chunks, so that a transfer goes on where it stopped, whoever stopped it.
package enum BlobsMethods {
  /// Downloads from any byte. Devices: blobs of their assignments only. Operators and auditors: any.
  /// NOT_FOUND where there is no such blob, or none for this caller.
  package static let readBlob = Method<Proto.ReadBlobRequest, Proto.BlobChunk>(
    "/apus.v1.Blobs/ReadBlob", .serverStreaming)
  /// Announces an upload, or finds the one begun before under the same digest by the same caller. Devices: with a
  /// lease. Operators: freely, within the disk quota. RESOURCE_EXHAUSTED where there is no room.
  package static let beginUpload = Method<Proto.BeginUploadRequest, Proto.UploadStatus>(
    "/apus.v1.Blobs/BeginUpload", .unary)
  /// What of an upload is durable. The same callers as BeginUpload, each for its own uploads.
  package static let queryUpload = Method<Proto.QueryUploadRequest, Proto.UploadStatus>(
    "/apus.v1.Blobs/QueryUpload", .unary)
  /// Sends chunks, in any order, each any number of times; the answer comes when all that were sent are durable.
  package static let writeBlob = Method<Proto.WriteChunk, Proto.UploadStatus>(
    "/apus.v1.Blobs/WriteBlob", .clientStreaming)

  /// The paths of all calls.
  package static let paths = [
    "/apus.v1.Blobs/ReadBlob",
    "/apus.v1.Blobs/BeginUpload",
    "/apus.v1.Blobs/QueryUpload",
    "/apus.v1.Blobs/WriteBlob",
  ]
}
