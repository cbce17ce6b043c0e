// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusWire
import Synchronization
import Testing

@testable import ApusEdge

@Suite(.timeLimit(.minutes(1))) struct TransferWatchTests {
  /// Runs a transfer that does something every so often, and says how it ended.
  private func transfer(
    steps: Int, every pause: Duration, _ step: @escaping @Sendable (TransferWatch) -> Void,
    moving moved: @escaping @Sendable () -> Int = { 0 }
  ) async -> Int {
    let flag = Flag()
    let count = try? await TransferWatch.watching(limit: .milliseconds(300)) {
      watch async throws(RPCError) in
      watch.follow(moved, onStall: { flag.isUp.withLock { $0 = true } })
      var count = 0
      while count < steps, !flag.isUp.withLock({ $0 }) {
        try? await Task.sleep(for: pause)
        count += 1
        step(watch)
      }
      return count
    }
    return count ?? 0
  }

  private final class Flag: Sendable {
    let isUp = Mutex(false)
  }

  private final class Counter: Sendable {
    let count = Mutex(0)
  }

  @Test("A transfer that moves takes as long as it takes, however slow it is")
  func slow() async {
    // Three times the limit: by messages, then by bytes of one message.
    let messages = await transfer(steps: 18, every: .milliseconds(50)) { $0.advance() }
    #expect(messages == 18)
    let bytes = Counter()
    let amid = await transfer(
      steps: 18, every: .milliseconds(50), { _ in bytes.count.withLock { $0 += 1 } },
      moving: { bytes.count.withLock { $0 } })
    #expect(amid == 18)
  }

  @Test("A transfer that stands still is called off, however far it has come")
  func still() async {
    let count = await transfer(steps: 1_000, every: .milliseconds(10)) { _ in }
    #expect(count < 1_000 && count > 0)
  }
}
