// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A place for the result of each item of work.
///
/// Different workers write different places without a lock; reading comes after all have finished.
final class Slots<Value: Sendable>: @unchecked Sendable {
  // Sendable: `WorkerTeam.forEach` gives every item to one worker only, and returns after all of them.
  private let base: UnsafeMutableBufferPointer<Value>

  init(repeating value: Value, count: Int) {
    base = .allocate(capacity: count)
    base.initialize(repeating: value)
  }

  deinit {
    base.deinitialize()
    base.deallocate()
  }

  subscript(place: Int) -> Value {
    get { base[place] }
    // In place: a sum of a model's size is not copied to be added to.
    _modify { yield &base[place] }
  }

  var values: [Value] { Array(base) }
}
