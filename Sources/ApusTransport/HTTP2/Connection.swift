// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// What a connection is for: a server's or a client's; on the loop's thread.
protocol ConnectionOwner: AnyObject {
  /// The handshake is done.
  func connectionDidOpen(_ connection: Connection)
  /// It is gone, and with it all its streams.
  func connectionDidClose(_ connection: Connection, _ loss: ConnectionLoss)
  /// Bytes came from the other side.
  func connectionDidHear(_ connection: Connection)
}

/// A socket, TLS on it and HTTP/2 on that, on one loop.
final class Connection {
  private enum Phase { case handshake, open, closed }

  let loop: EventLoop
  let session: HTTP2Session
  let tls: TLSConnection
  private let socket: Socket
  private var owner: (any ConnectionOwner)?
  private var phase = Phase.handshake
  /// Since when the system has had no room for more, in milliseconds of the loop's clock.
  private(set) var blockedSince: UInt64?
  /// What was encrypted when the system had no room: TLS's own answers, and the rest of a frame.
  private var queued: [UInt8] = []
  /// Whether the connection stays although both sides have said that they want no more streams: some may be on
  /// their way.
  var isHeldOpen = false
  private var isDirty = false
  /// Whether a callback of the session is on the stack, which may not be closed then.
  private var isInside = false
  private var pendingLoss: ConnectionLoss?

  /// Bytes of small frames that share a TLS record, in the loop's buffer; none between flushes.
  private var gatheredCount = 0
  /// Bytes that this flush has sent.
  private var sentInTurn = 0

  /// How many bytes are encrypted before the system is asked to take them.
  private static let batch = 64 << 10
  /// How many make TLS records of their own, the longest that there are.
  private static let record = 16 << 10
  /// How many bytes one connection may send before others have their turn.
  private static let turn = 1 << 20

  init(
    _ socket: Socket, tls: TLSContext, options: HTTP2Options, host: String?,
    owner: any ConnectionOwner
  ) throws(TransportError) {
    loop = socket.loop
    self.socket = socket
    self.owner = owner
    self.tls = try TLSConnection(tls, output: socket.loop.output, host: host)
    session = HTTP2Session(options)
    session.output = self
  }

  var isOpen: Bool { phase == .open }
  var isClosed: Bool { phase == .closed }

  /// Begins the handshake.
  func start() {
    socket.delegate = self
    socket.startReading()
    advance()
  }

  /// Ends the connection at once, with a goodbye of TLS where there can be one.
  func close(_ loss: ConnectionLoss) {
    guard phase != .closed else { return }
    guard !isInside else {
      pendingLoss = pendingLoss ?? loss
      return
    }
    if phase == .open, loss.kind != .broken {
      tls.close()
      drain()
    }
    finish(loss)
  }

  /// Sends what there is to send when the present batch of events is done.
  func setNeedsFlush() {
    guard !isDirty, phase == .open else { return }
    isDirty = true
    loop.flushSoon(self)
  }

  /// Sends what there is to send, as far as the system has room.
  func flush() {
    isDirty = false
    guard phase == .open, blockedSince == nil else { return }
    sentInTurn = 0
    isInside = true
    session.send()
    encryptGathered()
    drain()
    isInside = false
    if let pendingLoss { return close(pendingLoss) }
    if sentInTurn >= Self.turn, blockedSince == nil { setNeedsFlush() }
    if blockedSince == nil, !isHeldOpen, session.isFinished {
      close(ConnectionLoss(.ended, "The connection was closed."))
    }
  }

  // MARK: Bytes

  private func advance() {
    if phase == .handshake {
      let progress = tls.handshake()
      drain()
      switch progress {
      case .done:
        tls.forgetHandshake()
        do throws(TransportError) { try session.begin() } catch {
          return finish(ConnectionLoss(.broken, error.message))
        }
        phase = .open
        owner?.connectionDidOpen(self)
      case .wantsMore: return
      case .ended: return finish(ConnectionLoss(.broken, "The other side ended the handshake."))
      case .failed(let failure):
        // Where TLS itself is well, as with a client that speaks no HTTP/2, it ends with a goodbye.
        tls.close()
        drain()
        return finish(ConnectionLoss(failure))
      }
    }
    guard phase == .open else { return }
    var isLawful = true
    isInside = true
    let progress = tls.read(through: loop.plainBuffer) { bytes in
      isLawful = session.receive(bytes)
      return isLawful && pendingLoss == nil
    }
    isInside = false
    drain()
    owner?.connectionDidHear(self)
    flush()
    if let pendingLoss { return close(pendingLoss) }
    guard isLawful else {
      return close(ConnectionLoss(.violation, "The other side broke the rules of HTTP/2."))
    }
    switch progress {
    case .wantsMore, .done: return
    case .ended: close(ConnectionLoss(.ended, "The other side closed the connection."))
    case .failed(let failure): finish(ConnectionLoss(failure))
    }
  }

  private func encryptGathered() {
    let count = gatheredCount
    gatheredCount = 0
    encrypt(UnsafeRawBufferPointer(rebasing: loop.plainBuffer[..<count]))
  }

  private func encrypt(_ bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty, phase == .open else { return }
    guard tls.write(bytes) else {
      pendingLoss = pendingLoss ?? ConnectionLoss(.broken, "TLS could not send.")
      return
    }
    if loop.output.count >= Self.batch { drain() }
  }

  /// Hands what TLS wrote to the system.
  private func drain() {
    loop.output.drain { bytes in
      guard phase != .closed else { return }
      guard blockedSince == nil else {
        queued.append(contentsOf: bytes)
        // The rest of one frame and TLS's answers; a peer that provokes more of them without reading means no good.
        if queued.count > 4 * Self.batch {
          pendingLoss = ConnectionLoss(.broken, "The other side does not read.")
        }
        return
      }
      guard let count = socket.tryWrite(bytes) else {
        pendingLoss = pendingLoss ?? ConnectionLoss(.broken, "The connection broke.")
        return
      }
      guard count < bytes.count else { return }
      blockedSince = loop.now
      socket.write(Array(bytes.dropFirst(count)))
    }
  }

  private func finish(_ loss: ConnectionLoss) {
    guard phase != .closed else { return }
    phase = .closed
    if blockedSince != nil {
      // What waits in the system's buffers is for one that does not read.
      socket.reset()
    } else {
      socket.closeGently()
    }
    let streams = session.streams.values.sorted { $0.id < $1.id }
    for stream in streams {
      guard let stream = session.forget(stream.id) else { continue }
      session.delegate?.sessionDidCloseStream(stream)
      stream.consumer?.streamDidClose(code: 0, lost: loss)
      stream.consumer = nil
    }
    let owner = owner
    self.owner = nil
    owner?.connectionDidClose(self, loss)
  }
}

extension Connection: HTTP2Output {
  var takesMore: Bool { phase == .open && blockedSince == nil && sentInTurn < Self.turn }

  func take(_ bytes: UnsafeRawBufferPointer) {
    sentInTurn += bytes.count
    // Small frames are gathered; what is large is not copied for that.
    guard bytes.count < Self.record else {
      encryptGathered()
      return encrypt(bytes)
    }
    if gatheredCount + bytes.count > Self.record { encryptGathered() }
    UnsafeMutableRawBufferPointer(rebasing: loop.plainBuffer[gatheredCount...])
      .copyMemory(from: bytes)
    gatheredCount += bytes.count
  }
}

extension Connection: SocketDelegate {
  func socketDidRead(_ bytes: UnsafeRawBufferPointer) {
    guard phase != .closed else { return }
    tls.feed(bytes)
    advance()
  }

  func socketDidWrite() {
    blockedSince = nil
    guard phase != .closed else { return }
    if !queued.isEmpty {
      blockedSince = loop.now
      socket.write(queued)
      queued = []
      return
    }
    flush()
  }

  func socketDidEnd(_ message: String?) {
    // Perhaps at the end of a frame that the session is sending.
    close(
      ConnectionLoss(
        .broken, message.map { "The connection broke: \($0)." } ?? "The other side has gone."))
  }
}

extension ConnectionLoss {
  init(_ failure: TLSFailure) {
    self.init(failure.kind == .other ? .broken : .notTrusted, failure.message)
  }
}
