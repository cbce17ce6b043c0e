// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// To be written.
public struct FedSGD: Hashable, Sendable {
  public var learningRate: Float
  public var schedule: LearningRateSchedule

  public init(
    learningRate: Float, schedule: LearningRateSchedule = .constant
  ) {
    self.learningRate = learningRate
    self.schedule = schedule
  }
}
