// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// To be written.
public struct FedAvg: Hashable, Sendable {
  public var localEpochs: Int
  public var batchSize: Int?
  public var learningRate: Float
  public var optimizer: OptimizerChoice
  public var schedule: LearningRateSchedule
}
