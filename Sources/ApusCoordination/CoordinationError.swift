// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// What can go wrong between a coordinator and an aggregator.
package struct CoordinationError: Error, Sendable {
  /// Why; more may be added.
  package struct Code: RawRepresentable, Hashable, Sendable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing says where the aggregator is, or who is asking.
    package static let noHub = Code(rawValue: "no-hub")
    /// Nobody answers there, or only that it goes down or is not up yet.
    package static let unreachable = Code(rawValue: "unreachable")
    /// It answers, and lets this identity not in or not so far.
    package static let refused = Code(rawValue: "refused")
    /// It has nothing of this name.
    package static let notFound = Code(rawValue: "not-found")
    /// It cannot be done as things stand, for example to a task that is over.
    package static let conflict = Code(rawValue: "conflict")
    /// What was asked makes no sense.
    package static let invalidRequest = Code(rawValue: "invalid-request")
    /// There is no room for it.
    package static let exhausted = Code(rawValue: "exhausted")
    /// Bytes that came are not those that were asked for.
    package static let damaged = Code(rawValue: "damaged")
    /// A file on this side cannot be read or written.
    package static let fileSystem = Code(rawValue: "file-system")
    /// Something else failed at the aggregator.
    package static let failed = Code(rawValue: "failed")
  }

  package let code: Code
  /// What happened, what was expected, and what to do.
  package let message: String
  package let cause: (any Error)?

  package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  /// Whether the aggregator could not be reached or did not let one in.
  package var isUnreachable: Bool {
    code == .unreachable || code == .refused || code == .noHub
  }
}

extension CoordinationError: CustomStringConvertible {
  package var description: String { message }
}

extension CoordinationError {
  /// What a call's status means to a coordinator.
  ///
  /// - Parameters:
  ///   - error: the status.
  ///   - address: whom was asked, for the message.
  package init(_ error: RPCError, from address: String) {
    let code: Code =
      switch error.code {
      case .unavailable, .deadlineExceeded, .cancelled: .unreachable
      case .unauthenticated, .permissionDenied: .refused
      case .notFound: .notFound
      case .failedPrecondition, .alreadyExists, .aborted: .conflict
      case .invalidArgument, .outOfRange: .invalidRequest
      case .resourceExhausted: .exhausted
      case .dataLoss: .damaged
      default: .failed
      }
    let message =
      switch code {
      case .unreachable: "the aggregator at \(address) cannot be reached: \(error.message)"
      case .refused: "the aggregator at \(address) does not let this in: \(error.message)"
      default: error.message
      }
    self.init(code, message, cause: error)
  }
}
