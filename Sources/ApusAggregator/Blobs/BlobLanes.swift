// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// Threads for what takes long: digests and files, which have no place on those of the network or of
/// Swift's own executor.
final class BlobLanes: Sendable {
  private let queues: [DispatchQueue]
  private let next = Atomic<UInt>(0)

  /// - Parameters:
  ///   - name: for debuggers.
  ///   - count: how many things are done at once.
  init(_ name: String, count: Int) {
    queues = (0..<count).map { DispatchQueue(label: "apus.blobs.\(name).\($0)") }
  }

  /// Runs `body` on the next lane.
  func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    let index = next.add(1, ordering: .relaxed).oldValue
    let queue = queues[Int(index % UInt(queues.count))]
    return try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result(catching: body)) }
    }
  }

  /// Runs `body` on the next lane, later.
  func run(after seconds: Double, _ body: @escaping @Sendable () -> Void) {
    let index = next.add(1, ordering: .relaxed).oldValue
    queues[Int(index % UInt(queues.count))].asyncAfter(deadline: .now() + seconds, execute: body)
  }
}
