// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a device's owner allows: when to train, how much, and how the device keeps in touch.
public struct EdgePolicy: Sendable {
  /// All must be open for the device to train; none: always.
  public var gates: [any TrainingGate] = []
  /// How often they are read.
  public var gateInterval = Duration.seconds(10)
  /// Whether the device waits for work on an open connection.
  ///
  /// One that sleeps says false: it comes back in the windows that it is given, and holds no connection in between.
  public var staysConnected = true
  /// How many updates are to be accepted before the device is done; nil for ever.
  public var roundLimit: Int?
  /// Bytes that training may take, estimated before anything is allocated; nil for no limit.
  public var memoryLimit: Int?
  /// How long one round's training may take; nil for as long as its lease.
  public var timeLimit: Duration?
  /// Kinds of operations that a plan may use, as in `protocols/apus/v1/plan.proto`, for example `product`;
  /// nil for all.
  public var allowedOperations: Set<String>?
  /// Bytes of plans and models that are kept.
  public var cacheLimit = 256 << 20
  /// How much everything else on the machine comes before training, 0...19.
  public var niceness = 10

  public init() {}

  /// Why the device may not train now, in the order of ``gates``.
  public func reasons(in context: GateContext) -> [GateReason] {
    gates.compactMap { $0.reason(in: context) }
  }
}
