// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusWire

extension DeviceSession {
  // MARK: Time

  /// Ends what is over, and tries again what is due.
  mutating func passTime() {
    switch contact {
    case .pause(let moment): if moment <= now { contact = .none }
    case .stream(let heard):
      if heard + policy.silenceLimit <= now {
        actions.append(.closeStream)
        contactLost(RPCError(.unavailable, "Nothing was heard for too long."))
      }
    case .none, .checkingIn: break
    }
    guard let work else { return }
    if !work.isSubmissionOpen {
      // The device forgets a lease by itself, whether it hears from the federation or not.
      if let lease = work.lease, lease.expiry <= now { return leaseEnded("expired") }
      if work.deadline <= now { return drop(reason: "deadline") }
    }
    if let lease = work.lease, lease.nextKeepAlive <= now {
      actions.append(.keepAlive(work.ticket, lease.name))
      let next = nextKeepAlive(of: lease.length)
      self.work?.lease?.nextKeepAlive = next
    }
    if let retry = work.retry, retry <= now {
      self.work?.retry = nil
      continueWork()
    }
  }

  /// Every 30 s, or thrice a lease where that is more often; never in step with other devices.
  private mutating func nextKeepAlive(of length: Duration) -> Duration {
    now + random.jittered(min(.seconds(30), length / 3), by: 0.2)
  }

  private mutating func lease(_ assignment: Proto.Assignment, left: Duration? = nil) -> Lease {
    let length = Duration(clampedMilliseconds: assignment.leaseMs)
    return Lease(
      name: LeaseName(id: assignment.leaseId, epoch: assignment.epoch),
      expiry: now + (left ?? length), length: length, nextKeepAlive: nextKeepAlive(of: length))
  }

  // MARK: Beginning

  /// Takes on an assignment, or the new lease of the one that is being worked on.
  mutating func take(_ assignment: Proto.Assignment) {
    let deadline = now + Duration(clampedMilliseconds: assignment.reportDeadlineMs)
    if var current = work, current.assignment.isSameWork(as: assignment) {
      let isNew =
        current.lease?.name.id != assignment.leaseId
        || current.lease?.name.epoch != assignment.epoch
      current.assignment = assignment
      current.lease = lease(assignment)
      current.deadline = deadline
      work = current
      guard isNew else { return }
      actions.append(.save(current.ticket, assignment))
      actions.append(.report(.leaseRenewed(part(assignment))))
      // A transfer under the old lease would be refused.
      if current.phase == .uploading || current.phase == .submitting {
        actions.append(.cancel(current.ticket))
        work?.retry = nil
        continueWork()
      }
      return
    }
    if work != nil { drop(reason: "replaced") }
    ticketCount += 1
    work = Work(
      ticket: ticketCount, assignment: assignment, lease: lease(assignment), deadline: deadline,
      phase: .preparing)
    actions.append(.save(ticketCount, assignment))
    actions.append(.report(.assigned(part(assignment))))
    if let reasons, let first = reasons.first { return giveBack(first.rawValue) }
    continueWork()
  }

  /// Goes on with what an earlier process left.
  mutating func resume(_ saved: SavedWork) {
    ticketCount += 1
    // A lease of which nobody knows how long it lasts is asked about at once.
    let left = saved.leaseLeft ?? Duration(clampedMilliseconds: saved.assignment.leaseMs)
    var lease = lease(saved.assignment, left: left)
    lease.nextKeepAlive = now
    let isOver = left <= .zero
    guard !isOver || saved.update != nil else { return actions.append(.forget) }
    work = Work(
      ticket: ticketCount, assignment: saved.assignment, lease: isOver ? nil : lease,
      deadline: now
        + (saved.deadlineLeft ?? Duration(clampedMilliseconds: saved.assignment.reportDeadlineMs)),
      phase: saved.update == nil ? .preparing : .uploading, update: saved.update)
    actions.append(.report(.resumed(part(saved.assignment))))
    if !isOver { continueWork() }
  }

  // MARK: Going on

  /// Does what the phase asks for; nothing where there is no lease to do it under.
  mutating func continueWork() {
    guard let work else { return }
    switch work.phase {
    case .preparing: actions.append(.prepare(work.ticket, work.assignment))
    case .training: break
    case .uploading:
      guard let lease = work.lease, let update = work.update else { return }
      actions.append(.upload(work.ticket, lease.name, update))
    case .submitting:
      guard let lease = work.lease, let update = work.update else { return }
      self.work?.isSubmissionOpen = true
      actions.append(.report(.submitting(part(work.assignment), digest: update.digest)))
      actions.append(.submit(work.ticket, lease.name, update))
    }
  }

  mutating func beginTraining() {
    guard let work else { return }
    self.work?.phase = .training
    self.work?.failureCount = 0
    actions.append(.train(work.ticket, work.assignment))
  }

  mutating func trained(_ update: TrainedUpdate) {
    work?.update = update
    work?.phase = .uploading
    continueWork()
  }

  mutating func beginSubmitting() {
    work?.phase = .submitting
    work?.failureCount = 0
    continueWork()
  }

  mutating func transferFailed(_ error: RPCError) {
    guard var current = work else { return }
    if error.endsLease {
      work?.isSubmissionOpen = false
      return leaseEnded(error.reason.isEmpty ? "stale-lease" : error.reason)
    }
    // An upload that the federation has lost is begun again.
    if error.code == .notFound, current.phase == .submitting, current.failureCount < 3 {
      current.phase = .uploading
    } else if error.isFinal || error.code == .notFound || error.code == .alreadyExists {
      return drop(reason: error.reason.isEmpty ? "refused" : error.reason)
    }
    current.failureCount += 1
    current.retry =
      now + delay(after: error, failureCount: current.failureCount, policy.workBackoff)
    work = current
  }

  mutating func keptAlive(_ reply: Proto.KeepAliveReply) {
    guard var current = work, var lease = current.lease else { return }
    if reply.instruction == .cancel {
      // An answer to an open submission is still to come; it says what became of it.
      if !current.isSubmissionOpen { drop(reason: "cancelled") }
      return
    }
    if reply.leaseMs > 0 { lease.length = Duration(clampedMilliseconds: reply.leaseMs) }
    lease.expiry = now + lease.length
    current.lease = lease
    work = current
  }

  mutating func keepAliveFailed(_ error: RPCError) {
    guard let work, !work.isSubmissionOpen else { return }
    if error.endsLease {
      leaseEnded(error.reason.isEmpty ? "stale-lease" : error.reason)
    } else if error.isFinal {
      drop(reason: "refused")
    }
    // Anything else: the next one may come through before the lease ends.
  }

  // MARK: Ending

  /// The federation has answered a submission.
  mutating func answered(_ reply: Proto.SubmitUpdateReply) {
    guard let work, let update = work.update else { return }
    let verdict: EdgeEvent.Verdict =
      switch reply.verdict {
      case .accepted: .accepted
      case .duplicate: .duplicate
      case .notNeeded: .notNeeded
      default: .rejected
      }
    actions.append(.forget)
    actions.append(
      .report(
        .submitted(part(work.assignment), digest: update.digest, verdict, reason: reply.reason)))
    self.work = nil
    if verdict == .accepted || verdict == .duplicate { acceptedCount += 1 }
    if let limit = policy.roundLimit, acceptedCount >= limit { return finish(nil) }
    if !policy.staysConnected { pause(reply.retry) }
    closeIfHeld()
  }

  /// The lease is over, by time or by word; what was trained may still be wanted under a new one.
  mutating func leaseEnded(_ reason: String) {
    guard let current = work, current.lease != nil else { return }
    let isWorthKeeping =
      current.update != nil || (current.phase == .training && reason != "expired")
    guard isWorthKeeping else { return drop(reason: reason) }
    actions.append(.report(.leaseLost(part(current.assignment), reason: reason)))
    if current.phase != .training { actions.append(.cancel(current.ticket)) }
    if current.phase == .submitting { work?.phase = .uploading }
    work?.lease = nil
    work?.retry = nil
    // Only a new contact brings a new lease; a stream that knew of the old one would say nothing more.
    if case .stream = contact, reason != "expired" {
      actions.append(.closeStream)
      contact = .none
    }
  }

  /// Gives the lease back, with a code.
  mutating func giveBack(_ reason: String) {
    guard let work else { return }
    giveBack(reason, of: work)
  }

  mutating func giveBack(_ reason: String, of work: Work) {
    actions += [.cancel(work.ticket), .forget]
    if let lease = work.lease { actions.append(.abandon(lease.name, reason: reason)) }
    actions.append(.report(.abandoned(part(work.assignment), reason: reason)))
    self.work = nil
    if !policy.staysConnected { pause(nil) }
  }

  /// Drops the work without a word: it is wanted by nobody.
  mutating func drop(reason: String) {
    guard let work else { return }
    actions += [.cancel(work.ticket), .forget]
    actions.append(.report(.leaseLost(part(work.assignment), reason: reason)))
    self.work = nil
    closeIfHeld()
  }

  /// The stream of a device whose gates closed was kept for its last work only.
  private mutating func closeIfHeld() {
    guard let reasons, !reasons.isEmpty, case .stream = contact else { return }
    actions.append(.closeStream)
    contact = .none
  }

  mutating func stop() {
    if let work {
      actions.append(.cancel(work.ticket))
      // What is trained waits for the next process; what is not is somebody else's now.
      if work.update == nil {
        actions.append(.forget)
        if let lease = work.lease { actions.append(.abandon(lease.name, reason: "stopped")) }
        actions.append(.report(.abandoned(part(work.assignment), reason: "stopped")))
        self.work = nil
      }
    }
    actions.append(.report(.stopped))
    finish(nil)
  }

  func part(_ assignment: Proto.Assignment) -> EdgeEvent.Part {
    EdgeEvent.Part(
      task: assignment.taskId, round: assignment.round,
      lease: SHA256.hexadecimal(assignment.leaseId), epoch: assignment.epoch)
  }
}

extension Proto.Assignment {
  /// Whether an update for one is an update for the other, bit for bit.
  func isSameWork(as other: Proto.Assignment) -> Bool {
    taskId == other.taskId && round == other.round && plan == other.plan && model == other.model
      && layoutDigest == other.layoutDigest && randomKey == other.randomKey
      && randomNonce == other.randomNonce && bounds == other.bounds
  }
}

extension TrainedUpdate {
  /// Of the blob, in hexadecimal digits.
  var digest: String { SHA256.hexadecimal(update.blob) }
}
