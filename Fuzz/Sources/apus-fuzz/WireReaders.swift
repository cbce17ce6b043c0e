// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

@testable import ApusWire

// What comes over the wire: from anybody, before and after it is known who they are.

let wireReaders = [
  /// Any message; the first byte says which one.
  Reader(name: "wire-messages") { bytes in
    guard let first = bytes.first else { return }
    let type: any WireMessage.Type = Proto.messages[Int(first) % Proto.messages.count]
    checkMessage(type, Array(bytes.dropFirst()))
  },
  Reader(name: "wire-update") { checkMessage(Proto.SubmitUpdateRequest.self, $0) },
  Reader(name: "wire-plan") { bytes in
    guard let plan = try? TrainingPlan(decoding: bytes) else { return }
    let again = try? TrainingPlan(decoding: plan.encoded())
    // Numbers that are not equal to themselves make no plan equal.
    precondition(again == plan, "A plan differs from itself, written and read again.")
    precondition(plan.graph.layout.digest.count == 32)
  },
  Reader(name: "wire-blobs") { bytes in
    if let message = try? Proto.BlobManifest(decoding: bytes),
      let manifest = try? BlobManifest(message)
    {
      precondition((try? BlobManifest(Proto.BlobManifest(manifest))) == manifest)
      let end = (0..<manifest.chunkCount).last.map { manifest.range(ofChunk: $0).upperBound }
      precondition(end ?? 0 == manifest.size)
    }
    bytes.withUnsafeBytes { buffer in
      if let chunk = try? ChunkMessage(writeChunk: buffer) {
        precondition(chunk.data.upperBound <= buffer.count)
        checkSame(try? Proto.WriteChunk(decoding: buffer), chunk, buffer)
      }
      if let chunk = try? ChunkMessage(blobChunk: buffer) {
        precondition(chunk.data.upperBound <= buffer.count)
      }
      var room = [UInt8](repeating: 0, count: 1_000)
      room.withUnsafeMutableBytes { try? Zstandard.unpack(buffer, into: $0) }
    }
  },
  /// A peer's bytes: the first says how they are split.
  Reader(name: "wire-calls") { bytes in
    guard let first = bytes.first else { return }
    let rest = Array(bytes.dropFirst())
    var server = ServerCallMachine(limits: CallLimits(messageSize: 1_000))
    var client = ClientCallMachine(
      path: "/a/b", authority: "x", limits: CallLimits(messageSize: 1_000))
    _ = client.start()
    _ = server.receive(
      headers: [
        (":method", "POST"), (":path", "/a/b"), ("te", "trailers"),
        ("content-type", "application/grpc"),
      ], isLast: false)
    _ = client.receive(
      headers: [(":status", "200"), ("content-type", "application/grpc")], isLast: false)
    var (whole, parts): ([[UInt8]], [[UInt8]]) = ([], [])
    for case .message(let message) in rest.withUnsafeBytes({ server.receive(data: $0) }) {
      whole.append(message)
    }
    for start in stride(from: 0, to: rest.count, by: Int(first) + 1) {
      let part = rest[start..<min(start + Int(first) + 1, rest.count)]
      for case .message(let message) in part.withUnsafeBytes({ client.receive(data: $0) }) {
        precondition(message.count <= 1_000)
        parts.append(message)
      }
    }
    precondition(whole == parts, "Messages depend on how their bytes were split.")
    let text = String(decoding: rest, as: UTF8.self)
    _ = GRPCTimeout.parse(text)
    _ = RPCError.of(trailers: [("grpc-status", "8"), ("grpc-message", text)])
    _ = RPCError.of(trailers: [("grpc-status", "8"), ("grpc-status-details-bin", text)])
    _ = RPCError.of(
      trailers: [("grpc-status", "8"), ("grpc-status-details-bin", Base64.encode(rest))])
    precondition(Base64.decode(Base64.encode(rest)) == rest)
    precondition(RPCError.percentDecoded(RPCError.percentEncoded(text)) == text)
  },
]

private func checkMessage(_ type: any WireMessage.Type, _ bytes: [UInt8]) {
  guard let message = try? type.init(decoding: bytes) else { return }
  let encoded = message.encoded()
  guard let again = try? type.init(decoding: encoded) else {
    preconditionFailure("A message cannot be read that was written here.")
  }
  precondition(again.encoded() == encoded, "A message differs from itself, written and read again.")
}

/// What is read in place is what protobuf-c reads.
private func checkSame(
  _ message: Proto.WriteChunk?, _ chunk: ChunkMessage, _ buffer: UnsafeRawBufferPointer
) {
  guard let message else { return }
  precondition(message.index == chunk.index && message.digest == chunk.digest?.bytes ?? [])
  precondition(message.data.elementsEqual(buffer[chunk.data]))
  precondition(message.encoding == chunk.encoding)
}
