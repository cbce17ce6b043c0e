// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire
internal import CUV
internal import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One thread that waits for sockets, timers and work from other threads, and nothing else: with nothing to do it
/// takes no processor time.
///
/// What belongs to a loop (connections, sessions, streams) is touched on its thread only.
// Sendable: the inbox has a lock, `uv_async_send` may be called from any thread (libuv says so), and all else is
// touched by the loop's thread only, after `start` has handed it over.
package final class EventLoop: @unchecked Sendable {
  package typealias Work = @Sendable () -> Void

  private struct Inbox {
    var work: [Work] = []
    var isClosed = false
  }

  private let inbox = Mutex(Inbox())
  private let loop: UnsafeMutablePointer<uv_loop_t>
  private let wakeUp: UnsafeMutablePointer<uv_async_t>
  private let alarm: UnsafeMutablePointer<uv_timer_t>
  private var timers = TimerHeap()
  private var alarmTime: UInt64?
  /// Connections that have something to send when the present batch of events is done.
  private var dirty: [Connection] = []
  /// Sockets that wait for their other sides to go.
  var lingering = 0
  private var isStopping = false
  private var stopped: (() -> Void)?

  /// Where sockets read to: bytes are handled before the next read, so one buffer serves all of them.
  let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
  /// Where decrypted bytes are put, and bytes that are to be encrypted.
  let plainBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
  /// Where connections put what they send, one after the other.
  let output = OutputBuffer(capacity: 160 << 10)

  /// Starts the thread.
  package init() throws(TransportError) {
    loop = .allocate(capacity: 1)
    wakeUp = .allocate(capacity: 1)
    alarm = .allocate(capacity: 1)
    guard uv_loop_init(loop) == 0, uv_timer_init(loop, alarm) == 0 else {
      throw TransportError(
        .system, "libuv could not make an event loop; are there file descriptors left?")
    }
    let own = Unmanaged.passUnretained(self).toOpaque()
    alarm.pointee.data = own
    wakeUp.pointee.data = own
    let status = uv_async_init(loop, wakeUp) { handle in
      handle.map { EventLoop.of($0.pointee.data).takeWork() }
    }
    guard status == 0 else {
      throw TransportError(.system, "libuv could not make a wake-up: \(uvMessage(status)).")
    }
    // The thread owns the loop until it has ended.
    let owned = Unmanaged.passRetained(self).toOpaque()
    var thread = uv_thread_t()
    let started = uv_thread_create(
      &thread,
      { argument in
        guard let argument else { return }
        Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue().run()
      }, owned)
    guard started == 0 else {
      Unmanaged<EventLoop>.fromOpaque(owned).release()
      throw TransportError(.system, "No thread could be started: \(uvMessage(started)).")
    }
  }

  deinit {
    readBuffer.deallocate()
    plainBuffer.deallocate()
    loop.deallocate()
    wakeUp.deallocate()
    alarm.deallocate()
  }

  /// Has work done on the loop's thread, in the order of the calls.
  ///
  /// - Returns: false after `stop`, when the work is dropped.
  @discardableResult
  package func post(_ work: @escaping Work) -> Bool {
    let (isAccepted, wakes) = inbox.withLock { inbox in
      guard !inbox.isClosed else { return (false, false) }
      inbox.work.append(work)
      return (true, inbox.work.count == 1)
    }
    if wakes { uv_async_send(wakeUp) }
    return isAccepted
  }

  /// Has work done on the loop's thread and waits for its result; nil after `stop`.
  func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result? {
    await withCheckedContinuation { (continuation: CheckedContinuation<Result?, Never>) in
      let isAccepted = post { continuation.resume(returning: work()) }
      if !isAccepted { continuation.resume(returning: nil) }
    }
  }

  /// Closes what is still open and ends the thread.
  package func stop() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let accepted = inbox.withLock { inbox in
        guard !inbox.isClosed else { return false }
        inbox.isClosed = true
        inbox.work.append { [self] in close { continuation.resume() } }
        return true
      }
      if accepted { uv_async_send(wakeUp) } else { continuation.resume() }
    }
  }

  // MARK: On the loop's thread

  /// Milliseconds of a clock that only goes forward.
  var now: UInt64 { uv_now(loop) }

  var handle: UnsafeMutablePointer<uv_loop_t> { loop }

  /// Has a timer's action done once, at `due` of the loop's clock.
  func schedule(_ timer: LoopTimer, at due: UInt64) {
    timers.schedule(timer, at: due)
    setAlarm()
  }

  func cancel(_ timer: LoopTimer) {
    timers.cancel(timer)
    setAlarm()
  }

  /// Has what a connection wants to send sent, when the present batch of events is done.
  func flushSoon(_ connection: Connection) {
    dirty.append(connection)
    if dirty.count == 1 { uv_async_send(wakeUp) }
  }

  private static func of(_ data: UnsafeMutableRawPointer) -> EventLoop {
    Unmanaged<EventLoop>.fromOpaque(data).takeUnretainedValue()
  }

  private func run() {
    // A write to a socket that the other side has closed is an error here, and no end of the process. Only this
    // thread writes, and what is pending on it stays with it.
    var brokenPipe = sigset_t()
    sigemptyset(&brokenPipe)
    sigaddset(&brokenPipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &brokenPipe, nil)
    uv_run(loop, UV_RUN_DEFAULT)
    uv_loop_close(loop)
    stopped?()
  }

  private func takeWork() {
    var work: [Work] = []
    inbox.withLock { swap(&work, &$0.work) }
    for item in work { item() }
    let connections = dirty
    dirty.removeAll(keepingCapacity: true)
    for connection in connections { connection.flush() }
  }

  private func setAlarm() {
    guard timers.earliest != alarmTime, !isStopping else { return }
    alarmTime = timers.earliest
    guard let alarmTime else {
      uv_timer_stop(alarm)
      return
    }
    let delay = alarmTime > now ? alarmTime - now : 0
    uv_timer_start(
      alarm, { handle in handle.map { EventLoop.of($0.pointee.data).ringAlarm() } }, delay, 0)
  }

  private func ringAlarm() {
    alarmTime = nil
    let now = now
    while let timer = timers.popDue(at: now) { timer.action(now) }
    setAlarm()
  }

  private func close(_ completion: @escaping () -> Void) {
    isStopping = true
    stopped = completion
    uv_walk(
      loop,
      { handle, _ in
        guard let handle, uv_is_closing(handle) == 0 else { return }
        if handle.pointee.type == UV_TCP {
          Socket.of(handle.pointee.data).close()
        } else {
          uv_close(handle, nil)
        }
      }, nil)
  }
}

/// What libuv says of a status.
func uvMessage(_ status: Int32) -> String { String(cString: uv_strerror(status)) }
