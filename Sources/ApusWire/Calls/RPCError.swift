// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How a call ended, as gRPC numbers it.
public struct StatusCode: RawRepresentable, Hashable, Sendable {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let ok = StatusCode(rawValue: 0)
  public static let cancelled = StatusCode(rawValue: 1)
  public static let unknown = StatusCode(rawValue: 2)
  public static let invalidArgument = StatusCode(rawValue: 3)
  public static let deadlineExceeded = StatusCode(rawValue: 4)
  public static let notFound = StatusCode(rawValue: 5)
  public static let alreadyExists = StatusCode(rawValue: 6)
  public static let permissionDenied = StatusCode(rawValue: 7)
  public static let resourceExhausted = StatusCode(rawValue: 8)
  public static let failedPrecondition = StatusCode(rawValue: 9)
  public static let aborted = StatusCode(rawValue: 10)
  public static let outOfRange = StatusCode(rawValue: 11)
  public static let unimplemented = StatusCode(rawValue: 12)
  public static let `internal` = StatusCode(rawValue: 13)
  public static let unavailable = StatusCode(rawValue: 14)
  public static let dataLoss = StatusCode(rawValue: 15)
  public static let unauthenticated = StatusCode(rawValue: 16)
}

/// A call that did not end with OK.
public struct RPCError: Error, Hashable, Sendable {
  public let code: StatusCode
  /// What happened, what was expected, and what to do; no secrets.
  public let message: String
  /// A code for programs, for example `stale-epoch`; travels as google.rpc.ErrorInfo.
  public let reason: String
  /// When to try again; travels as google.rpc.RetryInfo.
  public let retryAfter: Duration?

  public init(
    _ code: StatusCode, _ message: String, reason: String = "", retryAfter: Duration? = nil
  ) {
    self.code = code
    self.message = message
    self.reason = reason
    self.retryAfter = retryAfter
  }
}

extension RPCError: CustomStringConvertible {
  public var description: String { message }
}
