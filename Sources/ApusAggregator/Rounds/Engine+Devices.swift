// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusRounds
internal import ApusWire

// Devices: who they are, who is there, who has what.
extension Engine {
  /// Takes over what the books say of a device.
  func note(_ number: UInt64, id: String, facts: Eligibility.Device) {
    var device = devices[number] ?? LiveDevice(id: id, facts: facts)
    device.facts = facts
    devices[number] = device
    numbers[id] = number
    guard facts.isRevoked || !facts.isEnabled else {
      deviceIsFree(number)
      return
    }
    // What it works on is not wanted any more.
    if let lease = leases.lease(of: facts.number) { lose(lease) }
    // It waits for nothing; when it asks again it is told why.
    device.waiter?.close()
  }

  /// What a device offers, as it says when it asks for work.
  func noteOffer(_ request: Proto.CheckInRequest, of number: UInt64) {
    pace.arrived(at: now)
    guard var device = devices[number] else { return }
    device.offer = Eligibility.Offer(
      inputShape: request.inputShape, tasks: request.tasks, memoryLimit: request.memoryLimit)
    device.cached = Set(request.cached.prefix(16))
    device.lastSeen = now
    devices[number] = device
  }

  // MARK: Waiting

  /// A device waits on a stream; one that it waited on before ends.
  func attach(
    _ peer: Peer, _ request: Proto.CheckInRequest
  ) async throws(RPCError) -> WaitingDevice {
    try requireServing()
    let number = try number(of: peer)
    noteOffer(request, of: number)
    let waiter = WaitingDevice(device: number)
    if let older = devices[number]?.waiter {
      goodbye(older, "The device waits on another stream.")
    } else {
      waitingCount += 1
    }
    devices[number]?.waiter = waiter
    metrics.set(.waitingDevices, waitingCount)
    scheduleHeartbeat(of: waiter)
    // So that the device knows at once that it is heard.
    let retry = retryWindow()
    waiter.put(
      Proto.AssignmentEvent {
        $0.event = .heartbeat(Proto.Heartbeat())
        $0.retry = retry
      })
    if let assignment = try await heldAssignment(of: number) {
      deliver(assignment, to: waiter)
    } else {
      deviceIsFree(number)
    }
    arm()
    return waiter
  }

  /// A stream has ended.
  func detach(_ waiter: WaitingDevice) {
    waiter.close()
    let number = waiter.device
    guard devices[number]?.waiter === waiter else { return }
    devices[number]?.waiter = nil
    waitingCount -= 1
    metrics.set(.waitingDevices, waitingCount)
    devices[number]?.expectedUntil = now + settings.expectation
    if let lease = leases.lease(of: ClientID(number)) {
      leases.shorten(lease.id, to: now + settings.leaseAfterLoss)
    }
    arm()
  }

  func goodbye(_ waiter: WaitingDevice, _ reason: String) {
    let retry = retryWindow(for: waiter.device)
    waiter.put(
      Proto.AssignmentEvent {
        $0.event = .goodbye(Proto.Goodbye { $0.reason = reason })
        $0.retry = retry
      })
    waiter.close()
  }

  // MARK: Asking once

  func checkIn(
    _ peer: Peer, _ request: Proto.CheckInRequest
  ) async throws(RPCError) -> Proto.CheckInReply {
    try requireServing()
    let number = try number(of: peer)
    noteOffer(request, of: number)
    metrics.add(.checkIns)
    if let assignment = try await heldAssignment(of: number) { return reply(assignment, number) }
    deviceIsFree(number, isAsking: true)
    if let lease = leases.lease(of: ClientID(number)), lease.epoch == epoch {
      try await commitDecided()
      if let assignment = try await heldAssignment(of: number) { return reply(assignment, number) }
    }
    guard isWantedForGathering(number), devices[number]?.waiter == nil else {
      return reply(nil, number)
    }
    return try await waitBriefly(number)
  }

  /// Waits a moment for a round that gathers devices, so that those that came together begin together.
  private func waitBriefly(_ number: UInt64) async throws(RPCError) -> Proto.CheckInReply {
    let waiter = WaitingDevice(device: number, isBrief: true)
    devices[number]?.waiter = waiter
    waitingCount += 1
    schedule(.briefWait(waiter), at: now + settings.pollHold)
    lookSoon()
    let event = await waiter.next()
    if devices[number]?.waiter === waiter {
      devices[number]?.waiter = nil
      waitingCount -= 1
    }
    if case .assignment(let assignment)? = event?.event { return reply(assignment, number) }
    return reply(nil, number)
  }

  private func reply(_ assignment: Proto.Assignment?, _ number: UInt64) -> Proto.CheckInReply {
    let retry = retryWindow(for: number)
    return Proto.CheckInReply {
      $0.answer =
        assignment.map { .assignment($0) } ?? .notNeeded("There is no work for this device now.")
      $0.retry = retry
    }
  }

  private func isWantedForGathering(_ number: UInt64) -> Bool {
    guard let device = devices[number], device.restsUntil <= now else { return false }
    return tasks.values.contains { task in
      guard let round = task.round, round.isGathering else { return false }
      return obstacle(to: device, number, in: task, round) == nil
    }
  }

  func obstacle(
    to device: LiveDevice, _ number: UInt64, in task: LiveTask, _ round: LiveRound
  ) -> Eligibility.Obstacle? {
    Eligibility.obstacle(
      to: device.facts, offering: device.offer, for: task.demand, round: round.key.round,
      after: task.history[number] ?? Eligibility.History())
  }

  // MARK: Leases

  /// The assignment of the lease that a device has; a lease of another incarnation is replaced.
  func heldAssignment(of number: UInt64) async throws(RPCError) -> Proto.Assignment? {
    guard let held = leases.lease(of: ClientID(number)), let (task, round) = round(of: held.round)
    else { return nil }
    guard round.machine.isWaiting(for: ClientID(number)) else {
      leases.end(held.id)
      return nil
    }
    var lease = held
    if held.epoch != epoch {
      lease = grant(to: number, in: round)
      var changes = Changes()
      changes.add(.saveInvitation(invitation(lease)))
      try await commit(changes)
    } else {
      leases.renew(held.id, until: now + settings.lease)
      // It may have been decided just now.
      try await commitDecided()
    }
    guard leases[lease.id] != nil else { return nil }
    return assignment(task, round, lease)
  }

  /// Returns when all that was decided before is durable.
  func commitDecided() async throws(RPCError) {
    guard isCommitting || !queued.isEmpty else { return }
    do {
      try await withCheckedThrowingContinuation { continuation in
        queued.append(Changes())
        committers.append(continuation)
        commitSoon()
      }
    } catch {
      throw unavailable()
    }
  }

  func grant(to number: UInt64, in round: LiveRound) -> Lease {
    let lease = leases.grant(
      .random(), to: ClientID(number), for: round.key, until: now + settings.lease)
    metrics.set(.leases, leases.count)
    arm()
    return lease
  }

  func invitation(_ lease: Lease) -> InvitationRecord {
    InvitationRecord(
      round: lease.round, device: lease.device.rawValue, lease: lease.id, epoch: lease.epoch)
  }

  func assignment(_ task: LiveTask, _ round: LiveRound, _ lease: Lease) -> Proto.Assignment {
    let random = RunStreams(seed: task.plan.spec.seed).training(
      of: Int(lease.device.rawValue), inRound: Int(round.key.round))
    let remaining = round.deadline.map { $0 - now } ?? .zero
    return Proto.Assignment {
      $0.taskId = task.id
      $0.round = round.key.round
      $0.epoch = epoch
      $0.leaseId = lease.id.bytes
      $0.leaseMs = settings.lease.inMilliseconds
      $0.reportDeadlineMs = max(remaining.inMilliseconds, 1)
      $0.plan = Proto.BlobManifest(task.planManifest)
      $0.model = Proto.BlobManifest(task.modelManifest)
      $0.layoutDigest = round.check.layoutDigest
      $0.randomKey = random.key
      $0.randomNonce = random.nonce
      $0.bounds = Proto.UpdateBounds {
        $0.coordinate = task.plan.spec.coordinateBound
        $0.norm = task.plan.spec.normBound
        $0.weight = task.plan.spec.weightBound
      }
    }
  }

  func deliver(_ assignment: Proto.Assignment, to waiter: WaitingDevice) {
    let retry = retryWindow()
    waiter.put(
      Proto.AssignmentEvent {
        $0.event = .assignment(assignment)
        $0.retry = retry
      })
  }

  /// A lease ended without an update.
  func expired(_ lease: Lease) {
    metrics.add(.leasesLost)
    if var device = devices[lease.device.rawValue] {
      device.restsUntil = device.waiter == nil ? .zero : now + settings.coolDown
      devices[lease.device.rawValue] = device
    }
    dropOut(lease, countingAsLost: true)
  }

  /// Ends a lease whose work is not wanted.
  func lose(_ lease: Lease) {
    leases.end(lease.id)
    dropOut(lease, countingAsLost: false)
    cancelled(lease)
  }

  /// Tells a device that its lease is over.
  func cancelled(_ lease: Lease) {
    guard let waiter = devices[lease.device.rawValue]?.waiter else { return }
    let retry = retryWindow()
    waiter.put(
      Proto.AssignmentEvent {
        $0.event = .cancelledLease(lease.id.bytes)
        $0.retry = retry
      })
  }

  /// Ends a device's part in a round.
  ///
  /// - Parameters:
  ///   - lease: which is over.
  ///   - countingAsLost: whether nobody knows why.
  ///   - reason: the device's own, where it gave its work back.
  func dropOut(_ lease: Lease, countingAsLost: Bool, givingBack reason: String? = nil) {
    metrics.set(.leases, leases.count)
    var changes = Changes()
    if countingAsLost {
      changes.add(.countDevice(lease.device.rawValue, counted: 0, rejected: 0, lost: 1))
    }
    if let (task, round) = round(of: lease.round), !round.submitting.contains(lease.device.rawValue)
    {
      if countingAsLost, isIndispensable(lease.device, task, round) {
        // It keeps its place, and has a new lease as soon as it is back.
        round.missed.insert(lease.device.rawValue)
        note("A device was lost; the round waits for it.", task, round, to: &changes)
        return enqueue(changes)
      }
      var record = invitation(lease)
      record.isLost = true
      changes.add(.saveInvitation(record))
      let actions = round.machine.handle(.droppedOut(lease.device))
      if let reason { round.record.info.givenBack[reason, default: 0] += 1 }
      note(
        reason.map { "A device gave its work back: \($0)." } ?? "A device was lost.", task, round,
        to: &changes)
      enqueue(changes)
      perform(actions, task, round)
    } else {
      enqueue(changes)
    }
    let number = lease.device.rawValue
    guard let device = devices[number] else { return }
    if device.restsUntil > now {
      schedule(.rested(number), at: device.restsUntil)
    } else {
      deviceIsFree(number)
    }
  }

  /// Prolongs a lease, or says that its work is not wanted.
  func keepAlive(
    _ peer: Peer, _ request: Proto.KeepAliveRequest
  ) throws(RPCError) -> Proto.KeepAliveReply {
    try requireServing(orDraining: true)
    let number = try number(of: peer)
    let lease = try claim(request.leaseId, request.epoch, by: number)
    devices[number]?.lastSeen = now
    let isWanted = round(of: lease.round)?.1.machine.isWaiting(for: lease.device) ?? false
    if isWanted {
      leases.renew(lease.id, until: now + settings.lease, progress: request.progress)
    }
    let retry = retryWindow()
    return Proto.KeepAliveReply {
      $0.instruction = isWanted ? .continue : .cancel
      $0.leaseMs = isWanted ? settings.lease.inMilliseconds : 0
      $0.retry = retry
    }
  }

  /// The lease that a device names.
  ///
  /// - Throws: `failedPrecondition`: `stale-epoch`, `lease-over`; `invalidArgument` for what is no lease's id.
  func claim(_ bytes: [UInt8], _ epoch: UInt64, by number: UInt64) throws(RPCError) -> Lease {
    guard let id = LeaseID(bytes) else {
      throw RPCError(.invalidArgument, "A lease's id has 16 bytes.", reason: "malformed")
    }
    switch leases.claim(id, epoch: epoch) {
    case .valid(let lease) where lease.device.rawValue == number: return lease
    case .stale:
      throw RPCError(
        .failedPrecondition,
        "The lease was given by another incarnation of the aggregator; check in again.",
        reason: "stale-epoch")
    case .valid, .unknown:
      throw RPCError(
        .failedPrecondition, "The lease is over, or another device's; check in again.",
        reason: "lease-over")
    }
  }

  /// What a device says why it gives its work back, where that is a code, and not one too many.
  private static func code(_ reason: String, amid known: [String: UInt64]) -> String {
    let isCode =
      (1...40).contains(reason.utf8.count)
      && reason.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
    return isCode && (known[reason] != nil || known.count < 32) ? reason : "other"
  }

  /// Takes an assignment back.
  func abandon(
    _ peer: Peer, _ request: Proto.AbandonRequest
  ) throws(RPCError) -> Proto.AbandonReply {
    try requireServing(orDraining: true)
    let number = try number(of: peer)
    if let id = LeaseID(request.leaseId), let lease = leases[id], lease.device.rawValue == number {
      leases.end(lease.id)
      devices[number]?.restsUntil = now + settings.coolDown
      let given = round(of: lease.round)?.1.record.info.givenBack ?? [:]
      let reason = Self.code(request.reason, amid: given)
      log.info(
        "A device gave its work back.",
        ["task": lease.round.task, "device": "\(number)", "reason": reason])
      dropOut(lease, countingAsLost: false, givingBack: reason)
    }
    let retry = retryWindow(for: number)
    return Proto.AbandonReply { $0.retry = retry }
  }
}
