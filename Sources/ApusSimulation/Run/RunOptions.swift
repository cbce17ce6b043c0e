// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How a run is made, as opposed to what it is: nothing here changes the model's bytes.
public struct RunOptions: Sendable {
  /// Threads that train; nil for as many as the machine has cores.
  public var threads: Int?
  /// The run's own directory, new or empty; nil for `runs/NAME-seedN`.
  public var outputDirectory: String?
  /// Where data sets are looked for first.
  public var dataDirectory: String?
  /// The process's environment (`APUS_DATA`, `HOME`).
  public var environment: [String: String]
  /// Whether every client's part of every round is written to `clients.jsonl`.
  public var logsClients: Bool
  /// Seconds between checkpoints; 0 for one after every round.
  public var checkpointInterval = 10.0

  public init(
    threads: Int? = nil, outputDirectory: String? = nil, dataDirectory: String? = nil,
    environment: [String: String] = [:], logsClients: Bool = false
  ) {
    self.threads = threads
    self.outputDirectory = outputDirectory
    self.dataDirectory = dataDirectory
    self.environment = environment
    self.logsClients = logsClients
  }
}
