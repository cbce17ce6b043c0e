// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// What is to become durable at once.
struct Changes: Sendable {
  enum Change: Sendable {
    case insertTask(TaskRecord)
    case updateTask(TaskRecord)
    case saveRound(RoundRecord)
    case saveInvitation(InvitationRecord)
    case insertContribution(ContributionRecord)
    case insertModel(ModelRecord)
    case event(Proto.TaskEvent, task: String)
    case audit(actor: String, action: String, subject: String, detail: String)
    case participate(task: String, device: UInt64, round: UInt64)
    case countDevice(UInt64, counted: Int, rejected: Int, lost: Int)
    case retainBlob(BlobDigest, owner: String)
    case releaseBlobs(owner: String)
  }

  private(set) var steps: [Change] = []
  /// The tasks that have new events.
  private(set) var tasks: Set<String> = []

  init() {}

  var isEmpty: Bool { steps.isEmpty }

  mutating func add(_ change: Change) {
    steps.append(change)
    if case .event(_, let task) = change { tasks.insert(task) }
  }

  /// Writes them, in order.
  func apply(to transaction: Transaction) throws {
    for step in steps {
      switch step {
      case .insertTask(let task): try transaction.insert(task)
      case .updateTask(let task): try transaction.update(task)
      case .saveRound(let round): try transaction.save(round)
      case .saveInvitation(let invitation): try transaction.save(invitation)
      case .insertContribution(let contribution): try transaction.insert(contribution)
      case .insertModel(let model): try transaction.insert(model)
      case .event(let event, let task): try transaction.append(event, to: task)
      case .audit(let actor, let action, let subject, let detail):
        try transaction.audit(actor: actor, action: action, subject: subject, detail: detail)
      case .participate(let task, let device, let round):
        try transaction.participate(task: task, device: device, round: round)
      case .countDevice(let device, let counted, let rejected, let lost):
        try transaction.count(
          device: device, roundsCounted: counted, updatesRejected: rejected, leasesLost: lost)
      case .retainBlob(let digest, let owner): try transaction.retainBlob(digest, for: owner)
      case .releaseBlobs(let owner): try transaction.releaseBlobs(of: owner)
      }
    }
  }
}
