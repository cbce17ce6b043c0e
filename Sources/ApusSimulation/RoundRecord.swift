// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What one round did: a line of `metrics.jsonl`.
public struct RoundRecord: Codable, Hashable, Sendable {
  /// Counted from 1; 0 is the model before training.
  public var round: Int
  /// Share of the central test examples answered rightly, in 0...1; nil in rounds that are not measured.
  public var accuracy: Double?
  /// Mean loss over the central test examples.
  public var loss: Double?
  /// Mean loss of the clients' local steps.
  public var trainingLoss: Double?
  /// Clients whose updates were counted.
  public var clients: Int
  /// Clients invited that did not report.
  public var dropped: Int
  /// Clients whose updates were refused.
  public var rejected: Int
  /// Training examples of the clients counted.
  public var examples: Int
  /// Bytes that the clients' updates would take on the wire, uncompressed.
  public var bytesUp: Int
  public var bytesDown: Int
  /// The model measured on each client's own held-back examples.
  public var clientAccuracy: ClientAccuracy?
  public var seconds: Seconds

  public struct ClientAccuracy: Codable, Hashable, Sendable {
    public var mean: Double
    /// The accuracy that nine of ten clients reach.
    public var tenthPercentile: Double
    public var worst: Double
    /// How many clients were measured.
    public var clients: Int
  }

  public struct Seconds: Codable, Hashable, Sendable {
    public var train = 0.0
    public var aggregate = 0.0
    public var evaluate = 0.0
    public var checkpoint = 0.0
    public var total: Double { train + aggregate + evaluate + checkpoint }
    public init() {}
  }
}

// In an extension, so that the memberwise initializer stays.
extension RoundRecord {
  init(round: Int) {
    self.round = round
    clients = 0
    dropped = 0
    rejected = 0
    examples = 0
    bytesUp = 0
    bytesDown = 0
    seconds = Seconds()
  }
}
