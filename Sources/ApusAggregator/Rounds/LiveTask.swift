// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusRounds
internal import ApusWire

/// A task that is not over, as an engine has it in memory.
final class LiveTask {
  let plan: TaskPlan
  let demand: Eligibility.Demand
  /// As it is, or is about to be, in the database.
  var record: TaskRecord
  var machine: TaskMachine
  /// The round that runs.
  var round: LiveRound?
  /// The newest version.
  var model: ModelRecord
  var planManifest: BlobManifest
  var modelManifest: BlobManifest
  /// Each device's part so far.
  var history: [UInt64: Eligibility.History] = [:]
  /// Made for the first measurement.
  var evaluator: ModelEvaluator?
  /// When it last got a device: others come first then.
  var served = Duration.zero
  /// Of the round that comes next, counted from 1.
  var nextAttempt: UInt64 = 1

  var id: String { record.id }

  init(
    plan: TaskPlan, record: TaskRecord, machine: TaskMachine, model: ModelRecord,
    planManifest: BlobManifest, modelManifest: BlobManifest
  ) {
    self.plan = plan
    self.record = record
    self.machine = machine
    self.model = model
    self.planManifest = planManifest
    self.modelManifest = modelManifest
    demand = plan.demand(task: record.id)
  }

  /// Takes the machine's state over into the record.
  func synchronize(at time: Int64) {
    record.roundsPublished = machine.roundsPublished
    record.roundsAbandoned = machine.roundsAbandoned
    record.abandonedInARow = machine.abandonedInARow
    if record.state != machine.state, machine.state.isTerminal { record.endedMs = time }
    record.state = machine.state
  }
}

/// One attempt of a round, as an engine has it in memory.
final class LiveRound {
  var record: RoundRecord
  var machine: RoundStateMachine
  var fold: RoundFold
  let check: UpdateCheck
  /// On the engine's clock.
  var phaseStart: Duration
  /// When it may begin with fewer than it wants; nil until there are enough to begin.
  var gatheredAt: Duration?
  var deadline: Duration?
  /// Updates that are durable and not yet in the sum.
  var pending: [FoldItem] = []
  var isFolding = false
  /// Devices whose update is being looked at.
  var submitting: Set<UInt64> = []
  /// Lost devices that it waits for because it cannot be without them.
  var missed: Set<UInt64> = []
  /// What is accepted, by device.
  var accepted: [UInt64: BlobDigest] = [:]
  var lossSum = 0.0
  var stepCount = 0.0
  /// Whether the updates are being made a model of.
  var isCombining = false
  /// Whether the engine has let go of it.
  var isClosed = false

  var key: RoundKey { record.key }

  init(
    record: RoundRecord, machine: RoundStateMachine, fold: RoundFold, check: UpdateCheck,
    phaseStart: Duration
  ) {
    self.record = record
    self.machine = machine
    self.fold = fold
    self.check = check
    self.phaseStart = phaseStart
  }

  var isGathering: Bool { machine.state == .ready }

  /// What retains the blobs of updates until the round is published: another attempt may get the same ones.
  var blobOwner: String { "round:\(key.task)/\(key.round)" }

  /// Takes the machine's counts over into what people read.
  func synchronize() {
    record.openPlaces = UInt64(machine.openPlaceCount)
    record.info.invited = UInt64(machine.invitedCount)
    record.info.accepted = UInt64(machine.foldedCount + machine.foldingCount)
    record.info.rejected = UInt64(machine.rejectedCount)
    record.info.dropped = UInt64(machine.droppedOutCount)
    record.info.notNeeded = UInt64(machine.surplusCount)
    record.info.totalWeight = UInt64(machine.totalWeight)
    record.info.rejections = machine.rejections.mapValues { UInt64($0) }
  }

  /// Seconds since the last phase began; the next one begins.
  func endPhase(at now: Duration) -> Double {
    let seconds = (now - phaseStart).inSeconds
    phaseStart = now
    return seconds
  }
}

/// What an engine knows of a device.
struct LiveDevice: Sendable {
  /// 32 hexadecimal digits.
  var id: String
  var facts: Eligibility.Device
  var offer = Eligibility.Offer()
  var waiter: WaitingDevice?
  /// Until when it may be counted on to come, though it is not there.
  var expectedUntil = Duration.zero
  /// Until when it gets no work.
  var restsUntil = Duration.zero
  var lastSeen = Duration.zero
  /// Blobs that it says it has.
  var cached: Set<[UInt8]> = []
}
