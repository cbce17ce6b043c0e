// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// What both halves of gRPC's call have in common; the decisions are in `ApusWire`.
protocol CallMachine: Sendable {
  var announcedLength: Int? { get }
  mutating func receive(headers: Metadata, isLast: Bool) -> [CallStep]
  mutating func receive(data: UnsafeRawBufferPointer) -> [CallStep]
  mutating func receiveEnd() -> [CallStep]
  mutating func receiveReset(_ code: UInt32) -> [CallStep]
  mutating func deadlinePassed() -> [CallStep]
  mutating func fail(_ error: RPCError) -> [CallStep]
  mutating func send(_ message: [UInt8]) -> [CallStep]
}

extension ServerCallMachine: CallMachine {}
extension ClientCallMachine: CallMachine {}

/// HTTP/2's codes that are decided on here (RFC 9113 §7).
enum HTTP2Code {
  static let noError: UInt32 = 0
  static let refusedStream: UInt32 = 7
  static let cancel: UInt32 = 8
  static let enhanceYourCalm: UInt32 = 11
}

extension Duration {
  /// Rounded up, so that nothing comes early.
  var milliseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let fraction = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    // Longer than a century is for ever.
    return UInt64(min(seconds, 3_200_000_000)) * 1_000 + UInt64(fraction)
  }
}

extension ConnectionLoss {
  /// How calls end that were on the connection.
  var callError: RPCError {
    switch kind {
    case .notTrusted: RPCError(.unauthenticated, message)
    case .ended, .broken, .violation: RPCError(.unavailable, message)
    }
  }
}
