// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The byte budget of all connections of a loop, and who waits for a share.
final class WindowBudget {
  private var budget: ByteBudget<ObjectIdentifier>
  private var grants: [ObjectIdentifier: (Int) -> Void] = [:]
  /// Bytes that came and that no task has taken.
  var held = 0

  init(limit: Int) { budget = ByteBudget(limit: limit) }

  /// Whether so much is held that nothing new can be begun.
  var isExhausted: Bool { held > 2 * budget.limit }

  /// Bytes that windows have grown by.
  var reserved: Int { budget.used }

  /// Asks for room; `grant` is called at once or when there is.
  func request(_ count: Int, for holder: AnyObject, grant: @escaping (Int) -> Void) {
    if budget.request(count, for: ObjectIdentifier(holder)) {
      grant(count)
    } else {
      grants[ObjectIdentifier(holder)] = grant
    }
  }

  /// Gives back what the holder has, and its place in the queue.
  func release(_ count: Int, of holder: AnyObject) {
    grants[ObjectIdentifier(holder)] = nil
    pass(on: budget.withdraw(ObjectIdentifier(holder)))
    if count > 0 { pass(on: budget.release(count)) }
  }

  private func pass(on granted: [(holder: ObjectIdentifier, count: Int)]) {
    for (holder, count) in granted {
      grants.removeValue(forKey: holder)?(count)
    }
  }
}
