// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How much somebody may do: so much at once, and so much a second in the long run.
///
/// A plain value: what time it is, the caller says.
package struct TokenBucket: Hashable, Sendable {
  /// How much a bucket holds and how fast it fills.
  package struct Rate: Hashable, Sendable {
    /// What may be done at once, at least 1.
    package var burst: Double
    /// What is filled in again, above 0.
    package var perSecond: Double

    package init(burst: Double, perSecond: Double) {
      precondition(burst >= 1 && perSecond > 0, "A bucket that is never full lets nobody through.")
      self.burst = burst
      self.perSecond = perSecond
    }
  }

  private var level: Double
  private var time: Duration

  /// A full bucket.
  package init(_ rate: Rate, at now: Duration) {
    level = rate.burst
    time = now
  }

  /// Takes some out, if there is so much; nothing otherwise.
  ///
  /// - Parameters:
  ///   - amount: at most the burst, or it will never be there.
  ///   - rate: the same every time.
  ///   - now: since any beginning; a clock that goes back fills nothing in.
  /// - Returns: nil where it was there; otherwise the time until it will be.
  package mutating func take(_ amount: Double = 1, of rate: Rate, at now: Duration) -> Duration? {
    fill(rate, now)
    guard level < amount else {
      level -= amount
      return nil
    }
    return .seconds((amount - level) / rate.perSecond)
  }

  /// Whether there is so much in it.
  package mutating func has(_ amount: Double = 1, of rate: Rate, at now: Duration) -> Duration? {
    fill(rate, now)
    return level < amount ? .seconds((amount - level) / rate.perSecond) : nil
  }

  /// Whether it is as good as new, and need not be remembered.
  package mutating func isFull(_ rate: Rate, at now: Duration) -> Bool {
    fill(rate, now)
    return level >= rate.burst
  }

  private mutating func fill(_ rate: Rate, _ now: Duration) {
    guard now > time else { return }
    level = min(rate.burst, level + (now - time) / .seconds(1) * rate.perSecond)
    time = now
  }
}

/// Buckets of many, by name; those that are full again are forgotten.
package struct TokenBuckets: Sendable {
  private let rate: TokenBucket.Rate
  private let limit: Int
  private var buckets: [String: TokenBucket] = [:]
  /// Of all who come while there is no room for a bucket of their own.
  private var common: TokenBucket

  /// - Parameters:
  ///   - rate: of each bucket.
  ///   - limit: how many are remembered at most.
  package init(_ rate: TokenBucket.Rate, limit: Int = 65_536) {
    self.rate = rate
    self.limit = limit
    common = TokenBucket(rate, at: .zero)
  }

  package var count: Int { buckets.count }

  /// As ``TokenBucket/take(_:of:at:)``.
  package mutating func take(
    _ amount: Double = 1, by name: String, at now: Duration
  ) -> Duration? {
    with(name, now) { bucket, rate in bucket.take(amount, of: rate, at: now) }
  }

  /// As ``TokenBucket/has(_:of:at:)``.
  package mutating func has(
    _ amount: Double = 1, by name: String, at now: Duration
  ) -> Duration? {
    with(name, now) { bucket, rate in bucket.has(amount, of: rate, at: now) }
  }

  private mutating func with(
    _ name: String, _ now: Duration, _ body: (inout TokenBucket, TokenBucket.Rate) -> Duration?
  ) -> Duration? {
    let rate = rate
    if buckets[name] == nil && buckets.count >= limit {
      buckets = buckets.filter { entry in
        var bucket = entry.value
        return !bucket.isFull(rate, at: now)
      }
      // So many are busy that strangers have to share.
      if buckets.count >= limit { return body(&common, rate) }
    }
    return body(&buckets[name, default: TokenBucket(rate, at: now)], rate)
  }
}
