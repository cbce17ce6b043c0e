// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a device does, as it happens.
public enum EdgeEvent: Hashable, Sendable {
  /// One device's part of one round.
  public struct Part: Hashable, Sendable {
    public var task: String
    /// Counted from 0.
    public var round: UInt64
    /// 32 hexadecimal digits.
    public var lease: String
    public var epoch: UInt64
  }

  /// What was learned.
  public struct Update: Hashable, Sendable {
    /// Of the blob, in hexadecimal digits.
    public var digest: String
    public var bytes: Int
    public var weight: UInt64
    /// The mean loss of the steps; not finite where training diverged.
    public var loss: Double
    public var stepCount: Int
    public var seconds: Double
  }

  /// What the federation said to an update.
  public enum Verdict: String, Hashable, Sendable {
    case accepted
    /// Accepted before.
    case duplicate
    case notNeeded = "not-needed"
    case rejected
  }

  /// It is not allowed to train now.
  case held([GateReason])
  /// It looks for work after this time.
  case sleeping(Duration)
  /// The federation is reached.
  case connected
  /// The federation is not reached: why, and when it is tried again.
  case disconnected(String, retryIn: Duration)
  case assigned(Part)
  /// An earlier process's work goes on.
  case resumed(Part)
  /// The federation has restarted: the same work goes on under a new lease.
  case leaseRenewed(Part)
  case downloaded(Part, bytes: Int)
  case training(Part, steps: Int)
  case trained(Part, Update)
  case uploaded(Part, bytes: Int)
  /// The update is about to be submitted, once more or for the first time.
  case submitting(Part, digest: String)
  case submitted(Part, digest: String, Verdict, reason: String)
  /// The lease is over: why.
  case leaseLost(Part, reason: String)
  /// The work was given back, with a code.
  case abandoned(Part, reason: String)
  case stopped
}
