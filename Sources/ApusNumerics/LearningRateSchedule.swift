// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How the learning rate changes from round to round.
public enum LearningRateSchedule: Hashable, Sendable, Codable {
  case constant
}
