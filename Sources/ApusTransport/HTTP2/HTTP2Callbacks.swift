// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import CNghttp2

/// nghttp2's callbacks, which find their session in `user_data` and pass on what it needs to know.
enum HTTP2Callbacks {
  /// A table of functions, the same for all sessions and never changed.
  nonisolated(unsafe) static let table: OpaquePointer? = {
    var table: OpaquePointer?
    guard nghttp2_session_callbacks_new(&table) == 0 else { return nil }
    nghttp2_session_callbacks_set_on_begin_frame_callback(table) { _, header, data in
      guard let session = HTTP2Callbacks.session(data), let header else { return 0 }
      session.begin(header.pointee)
      return 0
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(table) { _, frame, data in
      guard let session = HTTP2Callbacks.session(data), let frame else { return 0 }
      return session.beginHeaders(frame.pointee)
    }
    nghttp2_session_callbacks_set_on_header_callback(table) {
      _, frame, name, nameLength, value, valueLength, _, data in
      guard let session = HTTP2Callbacks.session(data), let frame else { return 0 }
      return session.addField(
        UnsafeBufferPointer(start: name, count: nameLength),
        UnsafeBufferPointer(start: value, count: valueLength), to: frame.pointee.hd.stream_id)
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, data in
      guard let session = HTTP2Callbacks.session(data), let frame else { return 0 }
      session.receive(frame.pointee)
      return 0
    }
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table) { _, frame, _, data in
      guard let session = HTTP2Callbacks.session(data), let frame else { return 0 }
      if UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue {
        session.delegate?.sessionIsReadingHeaders(false)
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_send_callback(table) { _, frame, data in
      guard let session = HTTP2Callbacks.session(data), let frame else { return 0 }
      session.didSend(frame.pointee)
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) {
      _, flags, id, bytes, count, data in
      guard let session = HTTP2Callbacks.session(data) else { return 0 }
      session.receive(
        UnsafeRawBufferPointer(start: bytes, count: count),
        isLast: flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0, on: id)
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, id, code, data in
      guard let session = HTTP2Callbacks.session(data), let stream = session.forget(id) else {
        return 0
      }
      session.close(stream, code: code)
      return 0
    }
    nghttp2_session_callbacks_set_data_source_read_length_callback(table) {
      _, _, _, connectionWindow, streamWindow, frameSize, _ in
      // A few TLS records; then another stream has its turn.
      min(Int(connectionWindow), Int(streamWindow), Int(frameSize), 64 << 10)
    }
    nghttp2_session_callbacks_set_send_data_callback(table) { _, frame, header, length, _, data in
      guard let session = HTTP2Callbacks.session(data), let frame, let header,
        let stream = session.stream(frame.pointee.hd.stream_id), let output = session.output
      else { return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue }
      output.take(UnsafeRawBufferPointer(start: header, count: HTTP2Callbacks.frameHeaderSize))
      stream.take(length, output.take)
      return output.takesMore ? 0 : NGHTTP2_ERR_PAUSE.rawValue
    }
    return table
  }()

  /// RFC 9113 §4.1.
  private static let frameHeaderSize = 9

  /// How many bytes of a stream the next frame has; `send_data` gives them to the connection.
  static var provider: nghttp2_data_provider {
    nghttp2_data_provider(source: nghttp2_data_source()) { _, id, _, length, flags, _, data in
      guard let session = HTTP2Callbacks.session(data), let stream = session.stream(id), let flags
      else {
        return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
      }
      let (count, next) = stream.next(upTo: length)
      flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
      switch next {
      case .bytes: break
      case .nothingYet:
        stream.isDeferred = true
        return Int(NGHTTP2_ERR_DEFERRED.rawValue)
      case .end: flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      case .trailers(let trailers):
        flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        if session.submitTrailers(trailers, on: id) != 0 {
          return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
      }
      return count
    }
  }

  private static func session(_ data: UnsafeMutableRawPointer?) -> HTTP2Session? {
    data.map { Unmanaged<HTTP2Session>.fromOpaque($0).takeUnretainedValue() }
  }
}

extension HTTP2Session {
  fileprivate func begin(_ header: nghttp2_frame_hd) {
    let isAnswer = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_CONTINUATION.rawValue, NGHTTP2_RST_STREAM.rawValue,
      NGHTTP2_PING.rawValue, NGHTTP2_GOAWAY.rawValue, NGHTTP2_WINDOW_UPDATE.rawValue:
      return
    // END_STREAM has the bit that ACK has elsewhere.
    case NGHTTP2_DATA.rawValue where header.length > 0 || isAnswer: return
    case NGHTTP2_SETTINGS.rawValue where isAnswer: return
    default: delegate?.sessionDidReceiveUselessFrame()
    }
  }

  fileprivate func beginHeaders(_ frame: nghttp2_frame) -> Int32 {
    delegate?.sessionIsReadingHeaders(true)
    let id = frame.hd.stream_id
    if stream(id) == nil { _ = adopt(id) }
    return 0
  }

  fileprivate func addField(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, to id: Int32
  ) -> Int32 {
    guard let stream = stream(id) else { return 0 }
    // As RFC 9113 §6.5.2 counts.
    stream.fieldSize += name.count + value.count + 32
    guard stream.fieldSize <= options.headerListSize else {
      stream.fields = []
      guard stream.fieldSize <= 16 * options.headerListSize else {
        // Small blocks that grow without end when they are unpacked.
        delegate?.sessionDidOverflow()
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
      }
      return 0
    }
    stream.fields.append(
      (name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self)))
    return 0
  }

  fileprivate func receive(_ frame: nghttp2_frame) {
    let isLast = frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch UInt32(frame.hd.type) {
    case NGHTTP2_HEADERS.rawValue:
      delegate?.sessionIsReadingHeaders(false)
      if let stream = stream(frame.hd.stream_id) { receiveHeaders(on: stream, isLast: isLast) }
    case NGHTTP2_DATA.rawValue:
      if isLast { stream(frame.hd.stream_id)?.consumer?.streamDidEnd() }
    case NGHTTP2_SETTINGS.rawValue:
      if frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 {
        delegate?.sessionDidReceiveSettings()
      }
    case NGHTTP2_PING.rawValue:
      delegate?.sessionDidReceivePing(
        isAnswer: frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0)
    case NGHTTP2_GOAWAY.rawValue:
      let text = UnsafeBufferPointer(
        start: frame.goaway.opaque_data, count: min(frame.goaway.opaque_data_len, 200))
      delegate?.sessionDidReceiveGoAway(
        code: frame.goaway.error_code, lastStream: frame.goaway.last_stream_id,
        message: String(decoding: text, as: UTF8.self))
    default: break
    }
  }

  fileprivate func didSend(_ frame: nghttp2_frame) {
    switch UInt32(frame.hd.type) {
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue, NGHTTP2_WINDOW_UPDATE.rawValue:
      delegate?.sessionDidSendForCall()
      let isLast = frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
      if isLast, UInt32(frame.hd.type) != NGHTTP2_WINDOW_UPDATE.rawValue,
        let stream = stream(frame.hd.stream_id)
      {
        stream.hasSentEnd = true
        resetAfterEnd(stream)
      }
    default: break
    }
  }

  private func receiveHeaders(on stream: HTTP2Stream, isLast: Bool) {
    let isTooLarge = stream.fieldSize > options.headerListSize
    let fields = stream.fields
    stream.fields = []
    stream.fieldSize = 0
    if options.isServer, stream.consumer == nil {
      guard !isTooLarge else {
        respond(on: stream, headers: [(":status", "431")], isLast: true)
        return
      }
      guard let consumer = delegate?.sessionConsumer(for: stream, headers: fields) else {
        reset(stream, code: HTTP2Code.refusedStream)
        return
      }
      stream.consumer = consumer
    }
    guard !isTooLarge else {
      reset(stream, code: HTTP2Code.enhanceYourCalm)
      return
    }
    stream.consumer?.streamDidReceive(headers: fields, isLast: isLast)
  }

  fileprivate func receive(_ bytes: UnsafeRawBufferPointer, isLast: Bool, on id: Int32) {
    guard let stream = stream(id), let consumer = stream.consumer else {
      return creditConnection(bytes.count)
    }
    stream.uncredited += bytes.count
    consumer.streamDidReceive(data: bytes)
    if !isLast {
      stream.hasOpenBody = true
      resetAfterEnd(stream)
    }
  }

  fileprivate func close(_ stream: HTTP2Stream, code: UInt32) {
    stream.drop()
    // What nobody will take any more must not stay owed to the connection.
    creditConnection(stream.uncredited)
    stream.uncredited = 0
    delegate?.sessionDidCloseStream(stream)
    stream.consumer?.streamDidClose(code: code, lost: nil)
    stream.consumer = nil
  }
}
