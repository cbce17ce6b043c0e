// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CUV

/// What a socket tells; on the loop's thread.
protocol SocketDelegate: AnyObject {
  /// Bytes came; they are valid during the call.
  func socketDidRead(_ bytes: UnsafeRawBufferPointer)
  /// What was given to `write` has gone to the system.
  func socketDidWrite()
  /// The other side has closed its half, or something broke; `message` is nil for an orderly end.
  func socketDidEnd(_ message: String?)
}

/// A TCP socket on a loop.
///
/// It lives until libuv has closed it.
final class Socket {
  let loop: EventLoop
  private let handle: UnsafeMutablePointer<uv_tcp_t>
  private(set) var isClosed = false
  var delegate: (any SocketDelegate)?
  private var lingerTimer: LoopTimer?
  /// For listening sockets.
  private var onConnection: ((Socket) -> Void)?

  init(on loop: EventLoop) throws(TransportError) {
    self.loop = loop
    handle = .allocate(capacity: 1)
    let status = uv_tcp_init(loop.handle, handle)
    guard status == 0 else {
      handle.deallocate()
      throw TransportError(.system, "No socket could be made: \(uvMessage(status)).")
    }
    handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
  }

  static func of(_ data: UnsafeMutableRawPointer) -> Socket {
    Unmanaged<Socket>.fromOpaque(data).takeUnretainedValue()
  }

  // MARK: Listening

  /// Takes connections at an address; returns the port.
  func listen(
    at address: SocketAddress, onConnection: @escaping (Socket) -> Void
  ) throws(TransportError) -> Int {
    self.onConnection = onConnection
    var status = address.withSockAddr { uv_tcp_bind(handle, $0, 0) }
    if status == 0 {
      status = handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { stream in
        uv_listen(stream, 4096) { server, status in
          guard let server, status == 0 else { return }
          Socket.of(server.pointee.data).accept()
        }
      }
    }
    guard status == 0 else {
      throw TransportError(
        .address,
        "Cannot listen at \(address): \(uvMessage(status)). Is another server running there?")
    }
    return SocketAddress(localOf: handle)?.port ?? 0
  }

  private func accept() {
    guard let client = try? Socket(on: loop) else { return }
    let status = handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { server in
      client.handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { uv_accept(server, $0) }
    }
    guard status == 0, let onConnection else {
      client.close()
      return
    }
    client.tune()
    onConnection(client)
  }

  // MARK: Connecting

  /// Connects; `completion` gets nil, or what went wrong.
  func connect(to address: SocketAddress, completion: @escaping (String?) -> Void) {
    let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
    request.pointee.data = Unmanaged.passRetained(Completion(completion)).toOpaque()
    let status = address.withSockAddr { address in
      uv_tcp_connect(request, handle, address) { request, status in
        guard let request, let data = request.pointee.data else { return }
        let completion = Unmanaged<Completion>.fromOpaque(data).takeRetainedValue()
        request.deallocate()
        completion.body(status == 0 ? nil : uvMessage(status))
      }
    }
    guard status == 0 else {
      Unmanaged<Completion>.fromOpaque(request.pointee.data).release()
      request.deallocate()
      return completion(uvMessage(status))
    }
    tune()
  }

  /// Small frames go at once, and the system finds out by itself when the other end is gone.
  private func tune() {
    uv_tcp_nodelay(handle, 1)
    uv_tcp_keepalive(handle, 1, 60)
  }

  /// The other end's address.
  var remoteAddress: SocketAddress? { SocketAddress(remoteOf: handle) }

  // MARK: Bytes

  func startReading() {
    handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { stream in
      _ = uv_read_start(
        stream,
        { handle, _, buffer in
          guard let handle, let buffer else { return }
          let memory = Socket.of(handle.pointee.data).loop.readBuffer
          buffer.pointee.base = memory.baseAddress?.assumingMemoryBound(to: CChar.self)
          buffer.pointee.len = memory.count
        },
        { stream, count, buffer in
          guard let stream, let buffer, count != 0 else { return }
          let socket = Socket.of(stream.pointee.data)
          if count > 0 {
            socket.delegate?.socketDidRead(
              UnsafeRawBufferPointer(start: buffer.pointee.base, count: count))
          } else {
            guard let delegate = socket.delegate else { return socket.close() }
            delegate.socketDidEnd(count == Int(UV_EOF.rawValue) ? nil : uvMessage(Int32(count)))
          }
        })
    }
  }

  func stopReading() {
    handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { _ = uv_read_stop($0) }
  }

  /// Hands bytes to the system; returns how many it took, nil when the socket is broken.
  func tryWrite(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard !isClosed else { return nil }
    var buffer = uv_buf_t(
      base: UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(
        to: CChar.self), len: bytes.count)
    let status = handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) {
      uv_try_write($0, &buffer, 1)
    }
    if status >= 0 { return Int(status) }
    return status == UV_EAGAIN.rawValue ? 0 : nil
  }

  /// Hands bytes to the system when it has room; `socketDidWrite` tells.
  func write(_ bytes: [UInt8]) {
    guard !isClosed else { return }
    let write = PendingWrite(bytes, of: self)
    let status = handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { write.begin(on: $0) }
    if status != 0 { delegate?.socketDidEnd(uvMessage(status)) }
  }

  /// Says that nothing more comes, lets the other side read what did, and closes when it has gone too or after a
  /// second; the delegate hears nothing more.
  ///
  /// To close a socket with bytes in it that nobody has read would take back the last words that were sent.
  func closeGently() {
    guard !isClosed else { return }
    guard delegate != nil, loop.lingering < Self.lingerLimit else { return close() }
    let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)
    let status = handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { stream in
      uv_shutdown(request, stream) { request, _ in request?.deallocate() }
    }
    guard status == 0 else {
      request.deallocate()
      return close()
    }
    loop.lingering += 1
    let timer = LoopTimer { [weak self] _ in self?.close() }
    lingerTimer = timer
    delegate = nil
    loop.schedule(timer, at: loop.now + 1_000)
  }

  /// How many sockets of a loop may wait for their other sides to go.
  private static let lingerLimit = 256

  /// Closes at once and has the system forget what was not sent.
  func reset() {
    guard !isClosed else { return }
    isClosed = true
    delegate = nil
    let status = uv_tcp_close_reset(handle, Self.didClose)
    if status != 0 { endHandle() }
  }

  /// Closes at once; the delegate hears nothing more.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    if let lingerTimer {
      loop.lingering -= 1
      loop.cancel(lingerTimer)
    }
    lingerTimer = nil
    delegate = nil
    onConnection = nil
    endHandle()
  }

  private static let didClose: uv_close_cb = { handle in
    guard let data = handle?.pointee.data else { return }
    let socket = Unmanaged<Socket>.fromOpaque(data).takeRetainedValue()
    socket.handle.deallocate()
  }

  private func endHandle() {
    handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { uv_close($0, Self.didClose) }
  }
}

/// A closure as an object, for C to carry.
private final class Completion {
  let body: (String?) -> Void

  init(_ body: @escaping (String?) -> Void) { self.body = body }
}

/// Bytes that the system had no room for yet.
private final class PendingWrite {
  private let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)
  private let storage: UnsafeMutableRawBufferPointer
  private let socket: Socket

  init(_ bytes: [UInt8], of socket: Socket) {
    storage = .allocate(byteCount: bytes.count, alignment: 16)
    storage.copyBytes(from: bytes)
    self.socket = socket
  }

  deinit {
    storage.deallocate()
    request.deallocate()
  }

  func begin(on stream: UnsafeMutablePointer<uv_stream_t>) -> Int32 {
    var buffer = uv_buf_t(
      base: storage.baseAddress?.assumingMemoryBound(to: CChar.self), len: storage.count)
    let retained = Unmanaged.passRetained(self)
    request.pointee.data = retained.toOpaque()
    let status = uv_write(request, stream, &buffer, 1) { request, status in
      guard let data = request?.pointee.data else { return }
      let write = Unmanaged<PendingWrite>.fromOpaque(data).takeRetainedValue()
      write.finish(status)
    }
    if status != 0 { retained.release() }
    return status
  }

  private func finish(_ status: Int32) {
    if status == 0 {
      socket.delegate?.socketDidWrite()
    } else {
      socket.delegate?.socketDidEnd(uvMessage(status))
    }
  }
}
