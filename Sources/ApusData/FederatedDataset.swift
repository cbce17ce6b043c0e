// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Data as clients have it: which examples belong to whom.
public struct FederatedDataset: Sendable {
  /// Where a client's examples come from.
  enum Source: Sendable {
    case partition(ExampleTable, Partition)
    /// Made when asked for, so that a million clients cost nothing until they take part.
    case generator(@Sendable (_ client: Int) -> ClientExamples)
  }

  /// What the set is called.
  public let name: String
  /// How many clients there are.
  public let clientCount: Int
  /// Examples that no client trains on, to measure the model on.
  public let centralTest: ExampleTable?
  /// No client trains on more examples than this.
  public let largestTrainingCount: Int
  let source: Source

  /// A table divided among clients.
  public init(
    _ name: String, dividing table: ExampleTable, by partition: Partition,
    centralTest: ExampleTable? = nil
  ) {
    self.name = name
    self.clientCount = partition.clientCount
    self.centralTest = centralTest
    self.largestTrainingCount = partition.largestTrainingCount
    self.source = .partition(table, partition)
  }

  /// Clients whose examples are computed when they are needed.
  ///
  /// - Parameters:
  ///   - name: what the set is called.
  ///   - clientCount: how many clients there are.
  ///   - centralTest: examples that no client trains on.
  ///   - largestTrainingCount: no client trains on more examples than this.
  ///   - examples: a pure function: the same client always has the same examples.
  public init(
    _ name: String, clientCount: Int, centralTest: ExampleTable? = nil,
    largestTrainingCount: Int,
    generatedBy examples: @escaping @Sendable (_ client: Int) -> ClientExamples
  ) {
    self.name = name
    self.clientCount = clientCount
    self.centralTest = centralTest
    self.largestTrainingCount = largestTrainingCount
    self.source = .generator(examples)
  }

  /// What a client trains on and what it is measured on.
  ///
  /// - Precondition: `client` is in `0..<clientCount`.
  public func client(_ client: Int) -> ClientExamples {
    switch source {
    case .partition(let table, let partition):
      ClientExamples(
        train: ClientDataset(table, indices: partition.train(of: client)),
        test: ClientDataset(table, indices: partition.test(of: client)))
    case .generator(let examples): examples(client)
    }
  }
}

/// One client's examples, those for training and those held back to measure.
public struct ClientExamples: Sendable {
  public let train: ClientDataset
  /// Empty where the client holds nothing back.
  public let test: ClientDataset

  public init(train: ClientDataset, test: ClientDataset) {
    self.train = train
    self.test = test
  }
}
