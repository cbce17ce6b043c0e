// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData
internal import ApusNumerics
internal import ApusTraining
internal import ApusWire

extension EdgeWorker {
  /// A transfer that stands still for so long has failed, however long one that moves may take.
  static let stallLimit = Duration.seconds(60)
  /// A plan beyond this is refused.
  static let planLimit = 16 << 20

  // MARK: Preparing

  func prepare(_ ticket: Ticket, _ assignment: Proto.Assignment) async {
    begin(ticket)
    do {
      guard let plan = assignment.plan, let model = assignment.model else {
        throw LocalWork.Refusal(code: "plan-refused", message: "There is no plan, or no model.")
      }
      let (planManifest, modelManifest) = try (manifest(plan), manifest(model))
      guard planManifest.size <= Self.planLimit else {
        throw LocalWork.Refusal(code: "plan-refused", message: "The plan is too large.")
      }
      let keeping: Set = [planManifest.digest, modelManifest.digest]
      let planFile = try await blob(planManifest, keeping: keeping, part: ticket)
      let trainingPlan = try TrainingPlan(decoding: planFile.bytes)
      // Whatever does not fit is found before the model is fetched.
      let work = try LocalWork(
        trainingPlan, for: assignment, examples: examples, policy: policy)
      let modelFile = try await blob(modelManifest, keeping: keeping, part: ticket)
      guard job.ticket == ticket else { return }
      (job.work, job.model) = (work, modelFile)
      inbox.yield(.prepared(ticket))
    } catch let error as RPCError {
      if !Task.isCancelled { inbox.yield(.transferFailed(ticket, error)) }
    } catch let refusal as LocalWork.Refusal {
      inbox.yield(.refused(ticket, reason: refusal.code))
    } catch {
      inbox.yield(.refused(ticket, reason: "plan-refused"))
    }
  }

  private func manifest(_ message: Proto.BlobManifest) throws -> BlobManifest {
    try BlobManifest(message)
  }

  /// A blob from the cache, or from the federation.
  private func blob(
    _ manifest: BlobManifest, keeping: Set<BlobDigest>, part ticket: Ticket
  ) async throws -> MappedFile {
    if let file = cache.open(manifest) { return file }
    cache.evict(keeping: keeping, makingRoomFor: Int(manifest.size))
    let download =
      job.downloads[manifest.digest] ?? BlobDownload(manifest, into: cache, keeping: keeping)
    job.downloads[manifest.digest] = download
    let channel = connection.channel
    try await TransferWatch.watching(limit: Self.stallLimit) { watch throws(RPCError) in
      try await download.run(over: channel, watch: watch)
    }
    let count = await download.receivedCount
    guard job.ticket == ticket else { throw RPCError(.cancelled, "The work was called off.") }
    job.downloads[manifest.digest] = nil
    job.transferCount += 1
    report(.downloaded(part, bytes: count))
    guard let file = cache.open(manifest, isVerified: true) else {
      throw RPCError(.dataLoss, "A blob that was just written cannot be read.")
    }
    return file
  }

  var part: EdgeEvent.Part {
    EdgeEvent.Part(
      task: job.assignment.taskId, round: job.assignment.round,
      lease: SHA256.hexadecimal(job.assignment.leaseId), epoch: job.assignment.epoch)
  }

  // MARK: Training

  /// Trains on a thread of its own; it begins when the thread before it has ended.
  func train(_ ticket: Ticket) {
    guard job.ticket == ticket, let work = job.work, let model = job.model else { return }
    let previous = job.training
    let control = TrainingSwitch()
    job.control = control
    report(.training(part, steps: 0))
    let timeLimit = policy.timeLimit
    job.training = Task { [trainer, state, policy, inbox] in
      await previous?.value
      let guardian = Task {
        guard let timeLimit, (try? await Task.sleep(for: timeLimit)) != nil else { return }
        control.stop()
        inbox.yield(.refused(ticket, reason: "out-of-time"))
      }
      let clock = ContinuousClock()
      let begin = clock.now
      let outcome = await TrainingThread.run(niceness: policy.niceness) {
        () -> Result<TrainedBlob?, any Error> in
        Result {
          let vector = try VectorCodec(.float32).decode(
            model.bytes, count: work.plan.graph.layout.count)
          guard let result = try trainer.train(work, from: vector, control: control) else {
            return nil
          }
          return try TrainedBlob(result, of: work, writingTo: state)
        }
      }
      guardian.cancel()
      self.trained(ticket, outcome, seconds: (clock.now - begin).seconds, control)
    }
  }

  private func trained(
    _ ticket: Ticket, _ outcome: Result<TrainedBlob?, any Error>, seconds: Double,
    _ control: TrainingSwitch
  ) {
    guard job.ticket == ticket, !control.isStopped else { return }
    switch outcome {
    case .success(nil): break
    case .success(let blob?):
      let update = blob.update(layoutDigest: job.assignment.layoutDigest, seconds: seconds)
      (job.update, job.manifest) = (update, blob.manifest)
      do { try state.save(job.assignment, update: update) } catch {
        return failed(ticket, "failed")
      }
      let result = EdgeEvent.Update(
        digest: blob.manifest.digest.description, bytes: Int(blob.manifest.size),
        weight: UInt64(blob.weight),
        loss: blob.loss, stepCount: blob.stepCount, seconds: seconds)
      job.result = result
      report(.trained(part, result))
      inbox.yield(.trained(ticket, update))
    case .failure(let refusal as LocalWork.Refusal): failed(ticket, refusal.code)
    case .failure: failed(ticket, "failed")
    }
  }

  private func failed(_ ticket: Ticket, _ code: String) {
    inbox.yield(.refused(ticket, reason: code))
  }

  // MARK: Handing in

  func upload(_ ticket: Ticket, _ lease: LeaseName, _ update: TrainedUpdate) async {
    guard let file = MappedFile(state.updateFile) else {
      return failed(ticket, "failed")
    }
    // Of work that another process left, there is only the file.
    guard let manifest = job.manifest ?? file.manifest(ofFirst: update.size),
      manifest.digest.bytes == update.update.blob, manifest.size <= UInt64(file.bytes.count)
    else { return failed(ticket, "failed") }
    let upload = BlobUpload(
      manifest: manifest, file: file, lease: lease, isPacked: job.work?.plan.isPacked ?? false)
    let channel = connection.channel
    do throws(RPCError) {
      let count = try await TransferWatch.watching(limit: Self.stallLimit) {
        watch throws(RPCError) in
        try await upload.run(over: channel, watch: watch)
      }
      guard job.ticket == ticket, !Task.isCancelled else { return }
      job.transferCount += 1
      report(.uploaded(part, bytes: count))
      inbox.yield(.uploaded(ticket))
    } catch {
      if !Task.isCancelled { inbox.yield(.transferFailed(ticket, error)) }
    }
  }

  func submit(_ ticket: Ticket, _ lease: LeaseName, _ update: TrainedUpdate) async {
    let request = Proto.SubmitUpdateRequest {
      $0.idempotencyKey = update.idempotencyKey
      $0.leaseId = lease.id
      $0.epoch = lease.epoch
      $0.update = update.update
    }
    do throws(RPCError) {
      let reply = try await connection.channel.call(
        EdgeMethods.submitUpdate, request, timeout: .seconds(60))
      if !Task.isCancelled { inbox.yield(.submitted(ticket, reply)) }
    } catch {
      if !Task.isCancelled { inbox.yield(.transferFailed(ticket, error)) }
    }
  }
}

/// An update's bytes, written down, and what is said of them.
struct TrainedBlob: Sendable {
  let manifest: BlobManifest
  let count: Int
  let type: Proto.DataType
  let weight: Int
  let loss: Double
  let stepCount: Int

  /// Writes the update's bytes into the state directory.
  init(
    _ result: LocalTrainer.Result, of work: LocalWork, writingTo state: StateDirectory
  ) throws {
    let codec = VectorCodec(work.plan.updateFormat)
    manifest = try codec.withEncoded(result.update) { bytes in
      try state.save(update: bytes)
      return BlobManifest(of: bytes)
    }
    count = result.update.count
    type = work.plan.updateFormat.dataType
    weight = result.weight
    loss = result.loss
    stepCount = result.stepCount
  }

  /// What is submitted, under a key that is drawn here.
  func update(layoutDigest: [UInt8], seconds: Double) -> TrainedUpdate {
    var system = SystemRandomNumberGenerator()
    return TrainedUpdate(
      idempotencyKey: (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &system) },
      update: Proto.Update {
        $0.blob = manifest.digest.bytes
        $0.type = type
        $0.count = UInt64(count)
        $0.layoutDigest = layoutDigest
        $0.weight = UInt64(weight)
        $0.metrics = [
          ("training_loss", loss), ("step_count", Double(stepCount)), ("seconds", seconds),
        ].map { name, value in
          Proto.Metric {
            $0.name = name
            $0.value = value
          }
        }
      }, size: Int(manifest.size))
  }
}
