// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// What a client does in a round, and what the server does with the mean of the clients' updates.
///
/// State goes in and comes out; an algorithm is a value that holds its hyperparameters and nothing else.
/// How updates combine is an ``AggregationRule``'s business, what the server may learn of them a privacy
/// policy's.
public protocol FederatedAlgorithm: Sendable {
  /// Kept by the server between rounds, besides the model.
  associatedtype ServerState: VectorState = NoState
  /// Kept by a client between the rounds that it takes part in.
  associatedtype ClientState: VectorState = NoState
  /// What every client of a round is sent.
  associatedtype Broadcast: Sendable = ParameterVector
  /// What a client answers: can be averaged, noised and masked.
  associatedtype Update: VectorSpace = ParameterVector

  /// As in recipes, for example `fedavg`.
  static var name: String { get }

  /// Passes over its examples that a client is asked for.
  var localEpochs: Int { get }

  /// Whether a client that did fewer epochs than asked for may still be counted.
  var acceptsPartialWork: Bool { get }

  /// The algorithm itself, when every hyperparameter is in its range.
  ///
  /// - Throws: ``AlgorithmError/Code/invalidValue``, naming the hyperparameter.
  func validated() throws(AlgorithmError) -> Self

  func makeServerState(parameterCount: Int) -> ServerState
  func makeClientState(parameterCount: Int) -> ClientState

  /// The lengths of an update's vectors, in order.
  func updateLengths(parameterCount: Int) -> [Int]

  func broadcast(from server: Server<ServerState>) -> Broadcast

  /// A client's part of a round.
  ///
  /// - Parameters:
  ///   - client: its state is changed, its losses are counted.
  ///   - broadcast: from the server.
  /// - Returns: the update and its weight, as the paper has it; a rule may weigh otherwise.
  /// - Throws: what keeps this client from taking part; it then counts as dropped out.
  func clientUpdate<Problem: Objective>(
    _ client: inout Client<ClientState, Problem>, from broadcast: Broadcast
  ) throws -> Weighted<Update>

  /// The server's part of a round.
  ///
  /// - Parameters:
  ///   - server: its model and state are changed; not its round.
  ///   - mean: of the clients' updates, by the aggregation rule.
  func serverUpdate(_ server: inout Server<ServerState>, with mean: Update)
}

extension FederatedAlgorithm where ServerState == NoState {
  public func makeServerState(parameterCount: Int) -> NoState { NoState() }
}

extension FederatedAlgorithm where ClientState == NoState {
  public func makeClientState(parameterCount: Int) -> NoState { NoState() }
}

extension FederatedAlgorithm where Broadcast == ParameterVector {
  public func broadcast(from server: Server<ServerState>) -> ParameterVector { server.model }
}

extension FederatedAlgorithm where Update == ParameterVector {
  public func updateLengths(parameterCount: Int) -> [Int] { [parameterCount] }
}
