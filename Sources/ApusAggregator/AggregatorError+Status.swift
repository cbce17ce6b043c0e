// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

extension AggregatorError {
  /// What a caller is told: its own faults in words, ours without them.
  package var status: RPCError {
    switch code {
    case .notFound: RPCError(.notFound, message, reason: code.rawValue)
    case .invalidValue: RPCError(.invalidArgument, message, reason: code.rawValue)
    case .wrongState: RPCError(.failedPrecondition, message, reason: code.rawValue)
    case .diskFull:
      RPCError(
        .resourceExhausted, "The aggregator's disk is full.", reason: code.rawValue,
        retryAfter: .seconds(60))
    case .wrongChunk, .blobTooLarge:
      RPCError(.invalidArgument, message, reason: code.rawValue)
    case .quotaExceeded, .tooManyUploads:
      RPCError(.resourceExhausted, message, reason: code.rawValue, retryAfter: .seconds(30))
    case .storeClosed, .fenced, .storeBusy:
      RPCError(
        .unavailable, "The aggregator is going down or starting.", reason: code.rawValue,
        retryAfter: .seconds(2))
    default: RPCError(.internal, "The aggregator failed.", reason: code.rawValue)
    }
  }
}
