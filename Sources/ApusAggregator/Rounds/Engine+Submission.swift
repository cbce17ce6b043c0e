// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusNumerics
internal import ApusRounds
internal import ApusWire

// Updates: looked at, made durable, acknowledged, added to the sum.
extension Engine {
  /// Takes an update; what is answered with ACCEPTED is durable and counted once.
  func submit(
    _ peer: Peer, _ request: Proto.SubmitUpdateRequest
  ) async throws(RPCError) -> Proto.SubmitUpdateReply {
    try requireServing(orDraining: true)
    let number = try number(of: peer)
    guard request.idempotencyKey.count == 16, let update = request.update,
      let digest = BlobDigest(bytes: update.blob)
    else {
      throw RPCError(
        .invalidArgument, "An update needs a key of 16 bytes and a blob's digest of 32.",
        reason: "malformed")
    }
    devices[number]?.lastSeen = now
    let requestDigest = Self.digest(of: update)
    let known = try await contributions(of: number, key: request.idempotencyKey)
    guard known.allSatisfy({ $0.requestDigest == requestDigest }) else {
      throw RPCError(
        .alreadyExists, "Another update came under this key. Use a new key for a new update.",
        reason: "idempotency-key-reused")
    }
    if let newest = known.first, !isForAnotherAttempt(request, by: number, than: known) {
      return answer(again: newest, number)
    }
    guard let (task, round, lease) = try await wanted(request, by: number) else {
      metrics.add(.updatesNotNeeded)
      return answer(.notNeeded, number)
    }
    guard submissionCount < settings.submissionsAtOnce,
      round.submitting.insert(number).inserted
    else {
      throw RPCError(
        .aborted, "This update, or too many others, are being looked at; send it again.",
        reason: "busy", retryAfter: .seconds(1))
    }
    submissionCount += 1
    defer {
      submissionCount -= 1
      round.submitting.remove(number)
    }
    let refusal = try await look(at: update, digest, round.check)
    return try await decide(
      ContributionRecord(
        round: round.key, device: number, idempotencyKey: request.idempotencyKey,
        requestDigest: requestDigest, blob: update.blob,
        bytes: update.count * UInt64(round.check.format.byteCount), type: update.type,
        weight: update.weight, reason: refusal?.rawValue ?? "",
        lossSum: Self.lossSum(of: update), stepCount: Self.metric("step_count", of: update) ?? 0),
      digest, task, round, lease)
  }

  private static func metric(_ name: String, of update: Proto.Update) -> Double? {
    update.metrics.first { $0.name == name && $0.value.isFinite }?.value
  }

  private static func lossSum(of update: Proto.Update) -> Double {
    (metric("training_loss", of: update) ?? 0) * (metric("step_count", of: update) ?? 0)
  }

  /// What tells one update from another; what was measured on the way does not.
  private static func digest(of update: Proto.Update) -> [UInt8] {
    var update = update
    update.metrics = []
    var hash = SHA256()
    update.encoded().withUnsafeBytes { hash.update($0) }
    return hash.finalize()
  }

  private func contributions(
    of number: UInt64, key: [UInt8]
  ) async throws(RPCError) -> [ContributionRecord] {
    do {
      return try await store.read { try $0.contributions(of: number, key: key) }
    } catch {
      throw unavailable()
    }
  }

  /// Whether an update that came before is handed in for another attempt of its round, and counts there.
  private func isForAnotherAttempt(
    _ request: Proto.SubmitUpdateRequest, by number: UInt64, than known: [ContributionRecord]
  ) -> Bool {
    guard let lease = try? claim(request.leaseId, request.epoch, by: number) else { return false }
    return known.allSatisfy {
      $0.round.task == lease.round.task && $0.round.round == lease.round.round
        && $0.round.attempt < lease.round.attempt
    }
  }

  private func answer(
    again known: ContributionRecord, _ number: UInt64
  ) -> Proto.SubmitUpdateReply {
    // It may not know that its lease is over.
    if let lease = leases.lease(of: ClientID(number)), lease.round == known.round {
      leases.end(lease.id)
    }
    deviceIsFree(number)
    return known.isAccepted ? answer(.duplicate, number) : answer(.rejected, number, known.reason)
  }

  private func answer(
    _ verdict: Proto.SubmitUpdateReply.Verdict, _ number: UInt64, _ reason: String = ""
  ) -> Proto.SubmitUpdateReply {
    let retry = retryWindow(for: number)
    return Proto.SubmitUpdateReply {
      $0.verdict = verdict
      $0.reason = reason
      $0.retry = retry
    }
  }

  /// The round that an update is for; nil where it is not needed any more.
  private func wanted(
    _ request: Proto.SubmitUpdateRequest, by number: UInt64
  ) async throws(RPCError) -> (LiveTask, LiveRound, Lease)? {
    let lease: Lease
    do throws(RPCError) {
      lease = try claim(request.leaseId, request.epoch, by: number)
    } catch {
      guard error.reason == "lease-over", let id = LeaseID(request.leaseId) else { throw error }
      let past = try? await store.read { try $0.round(ofLease: id) }
      guard let past, past.device == number else { throw error }
      // What is in memory may be a commit ahead.
      let isComplete = round(of: past.key).map { $0.1.isCombining } ?? true
      guard past.isComplete || isComplete else { throw error }
      return nil
    }
    guard let (task, round) = round(of: lease.round),
      round.machine.isWaiting(for: lease.device)
    else {
      leases.end(lease.id)
      deviceIsFree(number)
      return nil
    }
    return (task, round, lease)
  }

  /// Looks at an update's message and numbers, on another thread.
  private func look(
    at update: Proto.Update, _ digest: BlobDigest, _ check: UpdateCheck
  ) async throws(RPCError) -> UpdateCheck.Refusal? {
    let blob: MappedBlob
    do {
      guard try await blobs.hold(digest) else { throw AggregatorError(.notFound, "") }
      blob = try blobs.open(digest, isReadWhole: true)
    } catch {
      throw RPCError(
        .failedPrecondition, "The update's blob is not complete; upload it first.",
        reason: "blob-incomplete")
    }
    if let refusal = check.refusal(of: update, byteCount: UInt64(blob.count)) {
      return refusal
    }
    return await Compute.run { blob.withBytes { check.refusal(of: $0) } }
  }

  /// Lets the round's machine say whether an update is taken, and makes that durable.
  private func decide(
    _ contribution: ContributionRecord, _ digest: BlobDigest, _ task: LiveTask,
    _ round: LiveRound, _ lease: Lease
  ) async throws(RPCError) -> Proto.SubmitUpdateReply {
    let (number, client) = (contribution.device, lease.device)
    let receipt = contribution.idempotencyKey.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    leases.end(lease.id)
    metrics.set(.leases, leases.count)
    // While it was looked at, the round may have been closed.
    guard !round.isClosed, round.machine.isWaiting(for: client),
      round.machine.handle(.arrived(client, receipt: receipt)) == [.fold(client)]
    else {
      metrics.add(.updatesNotNeeded)
      deviceIsFree(number)
      return answer(.notNeeded, number)
    }
    var changes = Changes()
    changes.add(.insertContribution(contribution))
    guard contribution.isAccepted else {
      metrics.add(.updatesRejected)
      log.warning(
        "An update is rejected.",
        [
          "task": task.id, "round": "\(round.key.round)", "device": "\(number)",
          "reason": contribution.reason,
        ])
      let actions = round.machine.handle(.rejected(client, reason: contribution.reason))
      changes.add(.countDevice(number, counted: 0, rejected: 1, lost: 0))
      note("An update was rejected.", task, round, to: &changes)
      audit(
        "update.rejected", task, round: round,
        ["device": "\(number)", "reason": contribution.reason], to: &changes)
      enqueue(changes)
      perform(actions, task, round)
      try await commitDecided()
      deviceIsFree(number)
      return answer(.rejected, number, contribution.reason)
    }
    changes.add(.retainBlob(digest, owner: round.blobOwner))
    round.accepted[number] = digest
    round.lossSum += contribution.lossSum
    round.stepCount += contribution.stepCount
    round.record.info.bytesUp += contribution.bytes
    note("An update was accepted.", task, round, to: &changes)
    try await commit(changes)
    metrics.add(.updatesAccepted)
    metrics.add(.bytesAccepted, Int(clamping: contribution.bytes))
    round.pending.append(
      FoldItem(
        device: number, blob: digest, format: round.check.format,
        weight: Int(clamping: contribution.weight)))
    foldPending(task, round)
    deviceIsFree(number)
    return answer(.accepted, number)
  }

  // MARK: Folding

  /// Updates that are given to a fold at once: between two looks at whether the round still runs.
  private static let foldBatch = 32

  /// Adds to the sum what waits, on another thread.
  func foldPending(_ task: LiveTask, _ round: LiveRound) {
    guard !round.isFolding, !round.pending.isEmpty, !round.isClosed else { return }
    round.isFolding = true
    let batch = Array(round.pending.prefix(Self.foldBatch))
    round.pending.removeFirst(batch.count)
    let (key, fold) = (round.key, round.fold)
    Task {
      let result = await Compute.run { Result { try fold.add(batch) } }
      self.folded(batch, result, of: key)
    }
  }

  private func folded(
    _ batch: [FoldItem], _ result: Result<[UInt64: String], any Error>, of key: RoundKey
  ) {
    let refused: [UInt64: String]
    switch result {
    case .success(let reasons): refused = reasons
    case .failure(let error):
      // A blob or a checkpoint that was durable cannot be read or written.
      return stop(for: error)
    }
    guard let (task, round) = round(of: key), !round.isClosed else { return }
    round.isFolding = false
    metrics.add(.updatesFolded, batch.count - refused.count)
    var actions: [RoundStateMachine.Action] = []
    for item in batch {
      let client = ClientID(item.device)
      if let reason = refused[item.device] {
        round.accepted[item.device] = nil
        actions += round.machine.handle(.rejected(client, reason: reason))
      } else {
        let weight = task.plan.rule.weight(forDeclared: item.weight)
        actions += round.machine.handle(.folded(client, weight: weight))
      }
    }
    if round.record.isExtended, round.machine.state == .collecting,
      round.machine.foldedCount >= round.machine.policy.quorum
    {
      actions += round.machine.handle(.deadlinePassed)
    }
    perform(actions, task, round)
    if !round.isClosed { foldPending(task, round) }
  }

  /// Ends the process: what is in memory is not to be trusted.
  func stop(for error: any Error) {
    failure = error
    log.error("The aggregator stops.", ["error": "\(error)"])
    store.fail(
      error as? AggregatorError
        ?? AggregatorError(.fileSystem, "The aggregator stops: \(error)", cause: error))
  }
}
