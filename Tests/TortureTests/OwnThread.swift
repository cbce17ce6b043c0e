// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// For work that waits for processes: it would take one of the few threads that all asynchronous tests share.
enum OwnThread {
  static func run(_ body: @escaping @Sendable () throws -> Void) async throws {
    let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
      Thread { continuation.resume(returning: Result(catching: body)) }.start()
    }
    try result.get()
  }
}
