// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// What happens on a stream; on the loop's thread, inside of the session: to close the connection there is to ask
/// for it.
protocol StreamConsumer: AnyObject {
  /// A complete header block, pseudo headers included.
  func streamDidReceive(headers: Metadata, isLast: Bool)
  func streamDidReceive(data: UnsafeRawBufferPointer)
  func streamDidEnd()
  /// Nothing follows. `code` is HTTP/2's, 0 for an orderly end; `lost` says why the connection is gone, if it is.
  func streamDidClose(code: UInt32, lost: ConnectionLoss?)
  /// So many of the bytes given to it have gone to the connection.
  func streamDidTake(_ count: Int)
}

/// One stream of a session: what it has to send, and what it may receive.
final class HTTP2Stream {
  let id: Int32
  var consumer: (any StreamConsumer)?

  // Receiving.
  /// The header block that is under way.
  var fields: Metadata = []
  var fieldSize = 0
  /// Whether a part of a body came that was not its last.
  var hasOpenBody = false
  /// Bytes that came and that nobody has taken.
  var uncredited = 0
  /// How many bytes the other side may have under way.
  var window: Int
  /// How many of them come from the byte budget.
  var reserved = 0

  // Sending.
  private var queue: [[UInt8]] = []
  private var head = 0
  private var trailers: Metadata?
  private var endsAfterQueue = false
  /// Whether the other side is to be told, after the end, that it may stop sending.
  var isResetAfterEnd = false
  /// Whether the end went out.
  var hasSentEnd = false
  /// Whether all that is to be sent is queued.
  var isEnding: Bool { endsAfterQueue }
  /// Whether nghttp2 waits to be told of more.
  var isDeferred = false
  /// Bytes that are queued.
  private(set) var queuedCount = 0

  init(id: Int32, window: Int) {
    self.id = id
    self.window = window
  }

  enum Output { case bytes(Int), nothingYet, end, trailers(Metadata) }

  func enqueue(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    queue.append(bytes)
    queuedCount += bytes.count
  }

  func end(with trailers: Metadata?) {
    self.trailers = trailers
    endsAfterQueue = true
  }

  /// How many of the queued bytes a frame of at most `limit` bytes has, and what comes after them.
  func next(upTo limit: Int) -> (count: Int, then: Output) {
    let count = min(limit, queuedCount)
    guard count == queuedCount else { return (count, .bytes(count)) }
    guard endsAfterQueue else { return (count, count > 0 ? .bytes(count) : .nothingYet) }
    return (count, trailers.map { .trailers($0) } ?? .end)
  }

  /// Hands so many of the queued bytes to `body`, in one piece or several.
  func take(_ count: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    guard count > 0 else { return }
    var rest = min(count, queuedCount)
    queuedCount -= rest
    while rest > 0, let first = queue.first {
      let part = min(rest, first.count - head)
      first.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[head..<(head + part)])) }
      rest -= part
      head += part
      if head == first.count {
        queue.removeFirst()
        head = 0
      }
    }
    consumer?.streamDidTake(count)
  }

  /// Drops what is queued: the stream is gone.
  func drop() {
    queue = []
    head = 0
    queuedCount = 0
  }
}
