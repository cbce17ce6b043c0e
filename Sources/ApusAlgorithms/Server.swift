// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// What the server knows between rounds.
public struct Server<State: Sendable>: Sendable {
  public var model: ParameterVector
  /// What the algorithm keeps besides the model.
  public var state: State
  /// The round that runs or comes next, counted from 0: as many rounds as were committed.
  ///
  /// Whoever runs the rounds raises it, after ``FederatedAlgorithm/serverUpdate(_:with:)``.
  public var round: Int

  public init(model: ParameterVector, state: State, round: Int = 0) {
    self.model = model
    self.state = state
    self.round = round
  }
}
