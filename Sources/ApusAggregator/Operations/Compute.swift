// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch

/// Threads for long arithmetic and for files, so that calls are answered meanwhile.
enum Compute {
  private static let queue = DispatchQueue(label: "apus.compute", attributes: .concurrent)

  /// Runs a body on a thread of its own; returns what it returned.
  static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: body()) }
    }
  }

  /// Calls a body once for each whole number below a count, on all processors; returns after all.
  static func forEach(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    if count == 1 { return body(0) }
    DispatchQueue.concurrentPerform(iterations: count, execute: body)
  }
}
