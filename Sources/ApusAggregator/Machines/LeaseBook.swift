// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusRounds

/// What names a lease: 16 bytes, drawn so that nobody guesses them.
struct LeaseID: Hashable, Sendable {
  let high: UInt64
  let low: UInt64

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Nil where there are not 16 bytes.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    func word(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
    self.init(high: word(bytes[..<8]), low: word(bytes[8...]))
  }

  static func random() -> LeaseID {
    LeaseID(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
  }

  var bytes: [UInt8] {
    [high, low].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
    }
  }
}

/// Which try of which round of which task.
package struct RoundKey: Hashable, Sendable {
  /// 32 hexadecimal digits.
  var task: String
  /// Counted from 0 within the task.
  var round: UInt64
  /// Counted from 1 within the round.
  var attempt: UInt64

  package init(task: String, round: UInt64, attempt: UInt64) {
    self.task = task
    self.round = round
    self.attempt = attempt
  }
}

/// One device's right to work for one round, until it ends.
struct Lease: Hashable, Sendable {
  let id: LeaseID
  let device: ClientID
  let round: RoundKey
  /// The incarnation of the aggregator that gave it.
  let epoch: UInt64
  /// When it ends, on the clock of whoever keeps the book.
  fileprivate(set) var expiry: Duration
  /// What the device last said of its work.
  fileprivate(set) var progress: UInt64 = 0
}

/// Who works on what, and until when.
///
/// A device has one lease at a time. There is no clock in it: whoever asks says what time it is, on a clock that
/// never goes back.
///
/// - Complexity: O(log n) a change, amortized.
struct LeaseBook: Sendable {
  /// The incarnation that gives leases now.
  let epoch: UInt64
  private var leases: [LeaseID: Lease] = [:]
  private var holders: [ClientID: LeaseID] = [:]
  /// May have entries of leases that were prolonged or ended; these are looked at again when their time comes.
  private var expiries = ExpiryHeap<LeaseID>()

  init(epoch: UInt64) { self.epoch = epoch }

  var count: Int { leases.count }

  /// Gives a lease; one that the device had before ends.
  mutating func grant(
    _ id: LeaseID, to device: ClientID, for round: RoundKey, epoch: UInt64? = nil,
    until expiry: Duration
  ) -> Lease {
    if let held = holders[device] { end(held) }
    let lease = Lease(
      id: id, device: device, round: round, epoch: epoch ?? self.epoch, expiry: expiry)
    leases[id] = lease
    holders[device] = id
    expiries.insert(id, at: expiry)
    return lease
  }

  subscript(id: LeaseID) -> Lease? { leases[id] }

  /// The lease that a device holds, of whatever epoch.
  func lease(of device: ClientID) -> Lease? { holders[device].flatMap { leases[$0] } }

  /// What a claim to a lease is worth.
  enum Claim: Hashable, Sendable {
    case valid(Lease)
    /// Another incarnation gave it; it is void.
    case stale
    /// It ended, or never was.
    case unknown
  }

  func claim(_ id: LeaseID, epoch: UInt64) -> Claim {
    guard epoch == self.epoch else { return .stale }
    guard let lease = leases[id] else { return .unknown }
    return lease.epoch == self.epoch ? .valid(lease) : .stale
  }

  /// Prolongs a lease; it never ends earlier for it.
  mutating func renew(_ id: LeaseID, until expiry: Duration, progress: UInt64? = nil) {
    guard var lease = leases[id] else { return }
    if let progress { lease.progress = max(lease.progress, progress) }
    if expiry > lease.expiry {
      lease.expiry = expiry
      expiries.insert(id, at: expiry)
    }
    leases[id] = lease
  }

  /// Makes a lease end earlier, where it would end later.
  mutating func shorten(_ id: LeaseID, to expiry: Duration) {
    guard let lease = leases[id], expiry < lease.expiry else { return }
    leases[id]?.expiry = expiry
    expiries.insert(id, at: expiry)
  }

  @discardableResult
  mutating func end(_ id: LeaseID) -> Lease? {
    guard let lease = leases.removeValue(forKey: id) else { return nil }
    if holders[lease.device] == id { holders[lease.device] = nil }
    return lease
  }

  /// Takes out what has ended by now, in the order in which it did.
  mutating func expire(at now: Duration) -> [Lease] {
    var expired: [Lease] = []
    while let (time, id) = expiries.first, time <= now {
      expiries.removeFirst()
      // An entry from before the lease was prolonged has a later one.
      guard let lease = leases[id], lease.expiry <= now else { continue }
      end(id)
      expired.append(lease)
    }
    return expired
  }

  /// When there may be something to expire; nil where there is no lease.
  var nextExpiry: Duration? { leases.isEmpty ? nil : expiries.first?.time }

  /// The leases of a round, in no order.
  func leases(of round: RoundKey) -> [Lease] { leases.values.filter { $0.round == round } }
}
