// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusRounds

/// Whether a device may be invited to a round of a task, and why not.
struct Eligibility: Sendable {
  /// What the books say of a device.
  struct Device: Hashable, Sendable {
    var number: ClientID
    var labels: [String: String] = [:]
    var isEnabled = true
    var isRevoked = false
  }

  /// What the device says when it asks for work.
  struct Offer: Hashable, Sendable {
    /// Empty where it does not tell.
    var inputShape: [UInt64] = []
    /// Ids or names; empty for any task.
    var tasks: [String] = []
    /// Bytes; 0 for no limit.
    var memoryLimit: UInt64 = 0
  }

  /// What a task asks for.
  struct Demand: Hashable, Sendable {
    var task: String
    var name: String
    var labels: [String: String] = [:]
    var inputShape: [UInt64] = []
    /// Bytes that a device needs at least: the model, its gradient and the update.
    var memory: UInt64 = 0
    /// 0 for no limit.
    var participationLimit: UInt64 = 0
    var restRounds: UInt64 = 0
  }

  /// A device's part in a task so far.
  struct History: Hashable, Sendable {
    /// Rounds that counted it.
    var counted: UInt64 = 0
    /// The newest of them.
    var lastRound: UInt64?
  }

  /// Why a device is not invited; for people, and constant.
  enum Obstacle: String, Hashable, Sendable {
    case revoked = "The device's certificate is revoked."
    case disabled = "The device is disabled by an operator."
    case labels = "The task wants devices of other labels."
    case otherTasks = "The device works for other tasks only."
    case inputShape = "The device's examples have another shape."
    case memory = "The task needs more memory than the device gives."
    case participation = "The device was counted in as many rounds as the task allows."
    case resting = "The device rests for some rounds."
  }

  /// Whether the books alone allow it: what can be said of a device that is not there.
  static func obstacle(to device: Device, for demand: Demand) -> Obstacle? {
    if device.isRevoked { return .revoked }
    if !device.isEnabled { return .disabled }
    return demand.labels.allSatisfy { device.labels[$0.key] == $0.value } ? nil : .labels
  }

  /// Why a device is not invited to a round; nil where it may be.
  static func obstacle(
    to device: Device, offering offer: Offer, for demand: Demand, round: UInt64, after past: History
  ) -> Obstacle? {
    if let obstacle = obstacle(to: device, for: demand) { return obstacle }
    if !offer.tasks.isEmpty, !offer.tasks.contains(demand.task), !offer.tasks.contains(demand.name)
    {
      return .otherTasks
    }
    if !offer.inputShape.isEmpty, offer.inputShape != demand.inputShape { return .inputShape }
    if offer.memoryLimit > 0, offer.memoryLimit < demand.memory { return .memory }
    if demand.participationLimit > 0, past.counted >= demand.participationLimit {
      return .participation
    }
    if let last = past.lastRound, round <= last &+ demand.restRounds, round > last {
      return .resting
    }
    return nil
  }
}
