// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import CNghttp2

/// What a session tells of more than one stream; on the loop's thread.
protocol HTTP2SessionDelegate: AnyObject {
  /// A header block has begun (true) or is complete (false).
  func sessionIsReadingHeaders(_ isReading: Bool)
  /// The first header block of a stream that the other side opened; nil refuses it.
  func sessionConsumer(for stream: HTTP2Stream, headers: Metadata) -> (any StreamConsumer)?
  func sessionDidCloseStream(_ stream: HTTP2Stream)
  func sessionDidReceiveSettings()
  func sessionDidReceivePing(isAnswer: Bool)
  /// A frame with news of a call, or room for one, went out.
  func sessionDidSendForCall()
  func sessionDidReceiveGoAway(code: UInt32, lastStream: Int32, message: String)
  /// A frame came that costs work and brings nothing.
  func sessionDidReceiveUselessFrame()
  /// The header fields grew beyond all limits.
  func sessionDidOverflow()
}

/// Where a session's bytes go; on the loop's thread.
protocol HTTP2Output: AnyObject {
  /// Whether another frame may come.
  var takesMore: Bool { get }
  /// Takes bytes, which are valid during the call: whole frames of control, or a part of one with data.
  func take(_ bytes: UnsafeRawBufferPointer)
}

/// HTTP/2 for one connection, by nghttp2, without a socket: bytes go in and come out.
final class HTTP2Session {
  let options: HTTP2Options
  private(set) var streams: [Int32: HTTP2Stream] = [:]
  weak var delegate: (any HTTP2SessionDelegate)?
  weak var output: (any HTTP2Output)?
  private var session: OpaquePointer?
  private var connectionWindow: Int

  init(_ options: HTTP2Options) {
    self.options = options
    connectionWindow = options.connectionWindow
  }

  /// Makes nghttp2's part, which connections that never finish their handshake do without; nothing else may be
  /// asked of the session before.
  func begin() throws(TransportError) {
    guard let native = options.makeNative() else { throw Self.noMemory }
    defer { nghttp2_option_del(native) }
    let own = Unmanaged.passUnretained(self).toOpaque()
    let status =
      options.isServer
      ? nghttp2_session_server_new3(
        &session, HTTP2Callbacks.table, own, native, FrameMemory.table)
      : nghttp2_session_client_new2(&session, HTTP2Callbacks.table, own, native)
    guard status == 0 else { throw Self.noMemory }
    let settings = options.settings
    nghttp2_submit_settings(session, 0, settings, settings.count)
    nghttp2_session_set_local_window_size(session, 0, 0, Int32(connectionWindow))
  }

  private static var noMemory: TransportError {
    TransportError(.system, "nghttp2 could not make a session.")
  }

  deinit {
    if let session { nghttp2_session_del(session) }
  }

  // MARK: Bytes

  /// Takes bytes of the connection; false when it cannot go on.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let count = nghttp2_session_mem_recv(
      session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    if count == Int(NGHTTP2_ERR_FLOODED.rawValue) {
      terminate(code: NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
      return false
    }
    return count >= 0
  }

  /// Hands what there is to say to `output`, until it takes no more.
  func send() {
    while let output, output.takesMore {
      // Data go to the output by themselves, without a stay in nghttp2's memory.
      var bytes: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(session, &bytes)
      guard count > 0, let bytes else { return }
      output.take(UnsafeRawBufferPointer(start: bytes, count: count))
    }
  }

  /// Whether both sides have said all.
  var isFinished: Bool {
    nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
  }

  // MARK: Streams

  func stream(_ id: Int32) -> HTTP2Stream? { streams[id] }

  /// Makes the place of a stream that the other side opens.
  func adopt(_ id: Int32) -> HTTP2Stream {
    let stream = HTTP2Stream(id: id, window: options.window)
    streams[id] = stream
    return stream
  }

  /// Opens a stream; nil where the session takes no more.
  func open(headers: Metadata, consumer: any StreamConsumer) -> HTTP2Stream? {
    let id = headers.withNative { fields, count in
      var provider = HTTP2Callbacks.provider
      return nghttp2_submit_request(session, nil, fields, count, &provider, nil)
    }
    guard id > 0 else { return nil }
    let stream = HTTP2Stream(id: id, window: options.window)
    stream.consumer = consumer
    streams[id] = stream
    return stream
  }

  func respond(on stream: HTTP2Stream, headers: Metadata, isLast: Bool) {
    if isLast { stream.end(with: nil) }
    headers.withNative { fields, count in
      var provider = HTTP2Callbacks.provider
      if isLast {
        nghttp2_submit_response(session, stream.id, fields, count, nil)
      } else {
        nghttp2_submit_response(session, stream.id, fields, count, &provider)
      }
    }
  }

  func submitTrailers(_ trailers: Metadata, on id: Int32) -> Int32 {
    trailers.withNative { nghttp2_submit_trailer(session, id, $0, $1) }
  }

  /// Tells nghttp2 that a stream has more to send.
  func resume(_ stream: HTTP2Stream) {
    guard stream.isDeferred else { return }
    stream.isDeferred = false
    nghttp2_session_resume_data(session, stream.id)
  }

  /// Ends a stream; with code 0 after what is still to be sent on it, with another at once.
  func reset(_ stream: HTTP2Stream, code: UInt32) {
    if code == 0, stream.isEnding {
      stream.isResetAfterEnd = true
    } else {
      stream.drop()
      nghttp2_submit_rst_stream(session, 0, stream.id, code)
    }
  }

  /// Tells the other side to stop sending, once all was said and when it goes on: an answer with RST_STREAM at its
  /// heels is lost to clients whose small request is still under way (curl before 8), whatever RFC 9113 §8.1 says.
  func resetAfterEnd(_ stream: HTTP2Stream) {
    guard stream.isResetAfterEnd, stream.hasSentEnd, stream.hasOpenBody else { return }
    resetNow(stream)
  }

  /// The same for one that has had its time.
  func resetNow(_ stream: HTTP2Stream) {
    stream.isResetAfterEnd = false
    nghttp2_submit_rst_stream(session, 0, stream.id, 0)
  }

  /// Forgets a stream that nghttp2 has closed.
  func forget(_ id: Int32) -> HTTP2Stream? { streams.removeValue(forKey: id) }

  // MARK: Windows

  /// Lets the other side send as many bytes more, because so many were taken.
  func credit(_ count: Int, on stream: HTTP2Stream) {
    stream.uncredited -= count
    nghttp2_session_consume(session, stream.id, count)
  }

  /// The same for what came on a stream that is gone.
  func creditConnection(_ count: Int) {
    if count > 0 { nghttp2_session_consume_connection(session, count) }
  }

  /// Widens a stream's window, and the connection's by as much, or narrows the connection's when the stream is gone.
  func widen(_ stream: HTTP2Stream, by count: Int) {
    stream.window += count
    nghttp2_session_set_local_window_size(session, 0, stream.id, Int32(stream.window))
    changeConnectionWindow(by: count)
  }

  func changeConnectionWindow(by count: Int) {
    connectionWindow += count
    nghttp2_session_set_local_window_size(session, 0, 0, Int32(connectionWindow))
  }

  // MARK: The connection

  func ping() { nghttp2_submit_ping(session, 0, nil) }

  /// The first step of a graceful end: no new streams, please.
  func announceShutdown() { nghttp2_submit_shutdown_notice(session) }

  /// The second: streams after the last one seen are refused.
  func goAway(code: UInt32, message: String) {
    let text = Array(message.utf8)
    nghttp2_submit_goaway(
      session, 0, nghttp2_session_get_last_proc_stream_id(session), code, text, text.count)
  }

  /// Ends the session as soon as that is said.
  func terminate(code: UInt32) { nghttp2_session_terminate_session(session, code) }

  /// How many streams the other side lets this one open at once.
  var remoteStreamLimit: Int {
    Int(
      nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
  }
}

extension Metadata {
  /// The fields as nghttp2 wants them.
  fileprivate func withNative<Result>(
    _ body: (UnsafePointer<nghttp2_nv>, Int) -> Result
  ) -> Result {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count })
    for field in self {
      bytes.append(contentsOf: field.name.utf8)
      bytes.append(contentsOf: field.value.utf8)
    }
    return bytes.withUnsafeMutableBufferPointer { bytes in
      var offset = 0
      let fields = map { field in
        let name = bytes.baseAddress.map { $0 + offset }
        offset += field.name.utf8.count
        let value = bytes.baseAddress.map { $0 + offset }
        offset += field.value.utf8.count
        return nghttp2_nv(
          name: name, value: value, namelen: field.name.utf8.count,
          valuelen: field.value.utf8.count, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
      }
      return fields.withUnsafeBufferPointer { fields in
        guard let base = fields.baseAddress else { preconditionFailure("A header block is empty.") }
        return body(base, fields.count)
      }
    }
  }
}
