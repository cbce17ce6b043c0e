// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One thread of low priority for what takes long, so that the device's user does not feel it.
enum TrainingThread {
  private final class Box: Sendable {
    let niceness: Int32
    let body: @Sendable () -> Void

    init(niceness: Int32, _ body: @escaping @Sendable () -> Void) {
      self.niceness = niceness
      self.body = body
    }
  }

  /// Runs `body` on a thread of its own and waits for it without holding another.
  ///
  /// - Parameters:
  ///   - niceness: 0...19; how much everything else on the machine comes first.
  ///   - body: what takes long.
  /// - Returns: what it gives.
  static func run<Value: Sendable>(
    niceness: Int, _ body: @escaping @Sendable () -> Value
  ) async -> Value {
    await withCheckedContinuation { continuation in
      start(niceness: niceness) { continuation.resume(returning: body()) }
    }
  }

  private static func start(niceness: Int, _ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Box(niceness: Int32(min(max(niceness, 0), 19)), body))
    let status = withUnsafeTemporaryAllocation(of: pthread_attr_t.self, capacity: 1) { room in
      guard let attributes = room.baseAddress else { return ENOMEM }
      pthread_attr_init(attributes)
      defer { pthread_attr_destroy(attributes) }
      pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED))
      // Planning a deep graph nests; the pages are taken only where they are used.
      pthread_attr_setstacksize(attributes, 8 << 20)
      #if canImport(Darwin)
        var thread: pthread_t?
      #else
        var thread = pthread_t()
      #endif
      return pthread_create(&thread, attributes, { Self.main($0) }, box.toOpaque())
    }
    // Without a thread of its own it runs here: late is better than never.
    if status != 0 { box.takeRetainedValue().body() }
  }

  private static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let box = Unmanaged<Box>.fromOpaque(context).takeRetainedValue()
    #if os(Linux)
      // On Linux 0 is the thread that asks, and not its process.
      _ = setpriority(__priority_which_t(UInt32(PRIO_PROCESS.rawValue)), 0, box.niceness)
    #endif
    box.body()
    return nil
  }
}
