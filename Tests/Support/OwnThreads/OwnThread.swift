// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
package import Testing

/// Tests that compute for long, or wait for processes, without ever awaiting: each has a thread of its own.
///
/// Asynchronous tests share as many threads as there are cores. One that keeps such a thread for seconds stops the
/// others, among them those that measure time.
package struct OwnThread: SuiteTrait, TestTrait, TestScoping {
  package let isRecursive = true

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    // Once for each case, not for the suite around it.
    guard testCase != nil else { return try await function() }
    try await withTaskExecutorPreference(ThreadExecutor()) { try await function() }
  }
}

extension Trait where Self == OwnThread {
  package static var ownThread: Self { OwnThread() }
}

/// Every piece of a task runs on a new thread.
private final class ThreadExecutor: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedTaskExecutor()
    let thread = Thread { job.runSynchronously(on: executor) }
    // As much as the main thread has.
    thread.stackSize = 8 << 20
    thread.start()
  }
}
