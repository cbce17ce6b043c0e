// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// To be written.
public struct FedProx: Hashable, Sendable {
  public var localEpochs: Int
  public var batchSize: Int?
  public var learningRate: Float
  public var proximalStrength: Float
  public var optimizer: OptimizerChoice
  public var schedule: LearningRateSchedule

  public init(
    localEpochs: Int, batchSize: Int?, learningRate: Float, proximalStrength: Float,
    optimizer: OptimizerChoice = .sgd(), schedule: LearningRateSchedule = .constant
  ) {
    self.localEpochs = localEpochs
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.proximalStrength = proximalStrength
    self.optimizer = optimizer
    self.schedule = schedule
  }
}
