// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What time does to a connection of a server; all moments in milliseconds of one clock.
struct ServerClock {
  enum Verdict: Equatable {
    /// Close at once.
    case close(String)
    /// Ask the client to go: no new calls, those that are there may end.
    case retire(String)
  }

  private let limits: ServerLimits
  private var handshakeBy: UInt64?
  private var settingsBy: UInt64?
  private var headersBy: UInt64?
  private var idleBy: UInt64?
  private var retireBy: UInt64?
  private var closeBy: UInt64?

  /// The jitter, in -1...1, spreads the ages of connections that began together.
  init(limits: ServerLimits, now: UInt64, jitter: Double) {
    self.limits = limits
    handshakeBy = now + limits.handshakeTimeout.milliseconds
    retireBy = limits.connectionAge.map { age in
      now + UInt64(Double(age.milliseconds) * (1 + 0.1 * jitter))
    }
  }

  /// When `verdict` is to be asked next.
  var nextDue: UInt64? {
    [handshakeBy, settingsBy, headersBy, idleBy, retireBy, closeBy].compactMap(\.self).min()
  }

  mutating func finishHandshake(at now: UInt64) {
    handshakeBy = nil
    settingsBy = now + limits.settingsTimeout.milliseconds
    setCallCount(0, at: now)
  }

  mutating func receiveSettings() { settingsBy = nil }

  /// A header block has begun; it does not begin anew with each of its frames.
  mutating func beginHeaders(at now: UInt64) {
    headersBy = headersBy ?? now + limits.headersTimeout.milliseconds
  }

  mutating func endHeaders() { headersBy = nil }

  mutating func setCallCount(_ count: Int, at now: UInt64) {
    idleBy = count == 0 && closeBy == nil ? now + limits.idleTimeout.milliseconds : nil
  }

  /// The client has been asked to go.
  mutating func retire(at now: UInt64, grace: Duration) {
    retireBy = nil
    idleBy = nil
    let by = now + grace.milliseconds
    closeBy = min(closeBy ?? by, by)
  }

  func verdict(at now: UInt64) -> Verdict? {
    func isOver(_ moment: UInt64?) -> Bool { moment.map { $0 <= now } ?? false }
    if isOver(handshakeBy) { return .close("The TLS handshake took too long.") }
    if isOver(settingsBy) { return .close("The client's SETTINGS took too long.") }
    if isOver(headersBy) { return .close("A header block took too long.") }
    if isOver(closeBy) { return .close("The client was asked to go, and did not in time.") }
    if isOver(idleBy) { return .retire("idle") }
    if isOver(retireBy) { return .retire("max_age") }
    return nil
  }
}
