// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusNumerics
internal import ApusRounds
internal import ApusTraining
internal import ApusWire

/// What became of a round's updates.
struct CombinedModel: Sendable {
  var manifest: BlobManifest
  /// SHA-256 of the numbers.
  var digest: [UInt8]
  /// The vectors of the server's state, as a blob; nil where there are none.
  var stateBlob: BlobDigest?
}

// Rounds from their updates to a model: folding, evaluating, published.
extension Engine {
  /// No more updates are wanted: make a model of those that came.
  func beginCombining(_ task: LiveTask, _ round: LiveRound) {
    guard !round.isCombining, !round.isClosed else { return }
    round.isCombining = true
    round.record.info.collectSeconds = round.endPhase(at: now)
    round.record.info.state = .folding
    var changes = Changes()
    note("The round has its updates.", task, round, to: &changes)
    audit("round.folding", task, round: round, to: &changes)
    enqueueLater(changes)
    endLeases(of: round)
    let key = round.key
    Task { await self.combine(key) }
  }

  private func combine(_ key: RoundKey) async {
    guard let (task, round) = round(of: key) else { return }
    let combining = Combining(
      algorithm: task.plan.training.algorithm, round: Int(key.round), fold: round.fold,
      blobs: blobs, parent: task.modelManifest, parentState: task.model.stateBlob)
    let combined = await Compute.run { Result { try combining.combined() } }
    guard self.round(of: key) != nil, !round.isClosed, !round.machine.isOver else { return }
    switch combined {
    case .failure(let error): return stop(for: error)
    case .success(nil): return giveUp(task, round, code: "not-combinable")
    case .success(let combined?):
      guard let (model, states) = combined.model else {
        return giveUp(task, round, code: "not-finite")
      }
      await evaluate(task, round, model, states, key)
    }
  }

  /// The updates cannot be made a model of.
  private func giveUp(_ task: LiveTask, _ round: LiveRound, code: String) {
    _ = round.machine.handle(.notCombinable)
    abandon(task, round, code: code, isFailure: code != "not-combinable")
  }

  private func evaluate(
    _ task: LiveTask, _ round: LiveRound, _ model: ParameterVector, _ states: [ParameterVector],
    _ key: RoundKey
  ) async {
    round.record.info.foldSeconds = round.endPhase(at: now)
    var evaluation: Evaluation?
    if task.plan.isMeasured(afterRounds: task.machine.roundsPublished + 1) {
      var changes = Changes()
      round.record.info.state = .evaluating
      note("The model is measured.", task, round, to: &changes)
      audit("round.evaluating", task, round: round, to: &changes)
      enqueueLater(changes)
      do {
        evaluation = try await measured(model, of: task)
      } catch {
        log.error("A model cannot be measured.", ["task": task.id, "error": "\(error)"])
        guard !round.isClosed, !round.machine.isOver else { return }
        return giveUp(task, round, code: "not-measurable")
      }
      guard !round.isClosed, !round.machine.isOver else { return }
      guard evaluation?.meanLoss.isFinite ?? true else {
        return giveUp(task, round, code: "diverged")
      }
      round.record.info.evaluateSeconds = round.endPhase(at: now)
    }
    let blobs = blobs
    do {
      let combined = try await Self.written(model, states, to: blobs)
      Failpoint.beforePublish.hit()
      guard !round.isClosed, !round.machine.isOver else { return }
      publish(task, round, combined, evaluation)
    } catch let error as AggregatorError
      where error.code == .diskFull || error.code == .quotaExceeded
    {
      log.error("There is no room for a model.", ["task": task.id])
      guard !round.isClosed, !round.machine.isOver else { return }
      giveUp(task, round, code: error.code.rawValue)
    } catch {
      stop(for: error)
    }
  }

  private func measured(
    _ model: ParameterVector, of task: LiveTask
  ) async throws -> Evaluation? {
    guard let wanted = task.plan.spec.evaluation, !wanted.examples.isEmpty else { return nil }
    if task.evaluator == nil {
      task.evaluator = try await Self.evaluator(
        for: task.plan, in: blobs, threads: settings.evaluationThreads)
    }
    guard let evaluator = task.evaluator else { return nil }
    return await Compute.run { evaluator.evaluate(model) }
  }

  /// Reads the examples that a task is measured on.
  static func evaluator(
    for plan: TaskPlan, in blobs: BlobStore, threads: Int
  ) async throws -> ModelEvaluator? {
    guard let evaluation = plan.spec.evaluation, !evaluation.examples.isEmpty,
      let digest = BlobDigest(bytes: evaluation.examples)
    else { return nil }
    let frozenDigest = BlobDigest(bytes: plan.spec.frozenModel)
    return try await Compute.run {
      Result { () throws -> ModelEvaluator in
        let blob = try blobs.open(digest)
        let table = try blob.withBytes { bytes in
          try ExampleTableReading.table(evaluation, plan.spec.plan?.data, bytes)
        }
        let frozen = try frozenDigest.map { try ParameterVector(blobs.open($0)) }
        return try ModelEvaluator(
          plan.training.graph, loss: plan.training.loss, frozen: frozen, on: table,
          threadCount: threads)
      }
    }.get()
  }

  static func written(
    _ model: ParameterVector, _ states: [ParameterVector], to blobs: BlobStore
  ) async throws -> CombinedModel {
    let manifest = try await blobs.write(model.littleEndianBytes)
    var stateBlob: BlobDigest?
    if !states.isEmpty {
      stateBlob = try await blobs.write(
        ParameterVector(joining: states).littleEndianBytes
      ).digest
    }
    return CombinedModel(
      manifest: manifest, digest: model.digestBytes, stateBlob: stateBlob)
  }

  // MARK: Publishing

  /// Makes a model the newest version, and plans the next round, as one.
  private func publish(
    _ task: LiveTask, _ round: LiveRound, _ combined: CombinedModel, _ evaluation: Evaluation?
  ) {
    guard round.machine.handle(.combined) == [.commit] else { return }
    let version = task.record.modelVersion + 1
    let metrics = publishedMetrics(task, round, evaluation)
    let model = ModelRecord(
      info: Proto.ModelInfo {
        $0.taskId = task.id
        $0.version = version
        $0.round = round.key.round
        $0.parent = task.record.modelVersion
        $0.blob = Proto.BlobManifest(combined.manifest)
        $0.modelDigest = combined.digest
        $0.tensors = task.plan.tensors
        $0.createdMs = UInt64(max(clock.wall(), 0))
        $0.metrics = metrics
        $0.contributionCount = UInt64(round.accepted.count)
        $0.contributionsDigest = Self.digest(of: round.accepted.values.map(\.bytes))
      }, stateBlob: combined.stateBlob?.bytes ?? [])
    round.record.info.state = .published
    round.record.info.metrics = metrics
    round.record.info.publishSeconds = round.endPhase(at: now)
    round.record.info.endedMs = UInt64(max(clock.wall(), 0))

    let published = task.machine.roundsPublished + 1
    let isEnough = note(evaluation, afterRounds: published, of: task)
    let actions = (try? task.machine.handle(.roundPublished(isEnough: isEnough))) ?? []
    task.record.modelVersion = version
    task.synchronize(at: clock.wall())
    task.model = model
    task.modelManifest = combined.manifest
    task.round = nil

    var changes = Changes()
    changes.add(.insertModel(model))
    changes.add(.retainBlob(combined.manifest.digest, owner: "model:\(task.id)/\(version)"))
    if let state = combined.stateBlob {
      changes.add(.retainBlob(state, owner: "model:\(task.id)/\(version)"))
    }
    changes.add(.releaseBlobs(owner: round.blobOwner))
    for number in round.accepted.keys.sorted() {
      changes.add(.participate(task: task.id, device: number, round: round.key.round))
      changes.add(.countDevice(number, counted: 1, rejected: 0, lost: 0))
      task.history[number, default: .init()].counted += 1
      task.history[number]?.lastRound = round.key.round
    }
    note("A model was published.", task, round, model: model.info, to: &changes)
    audit(
      "model.published", task, round: round,
      [
        "version": "\(version)", "digest": SHA256.hexadecimal(combined.digest),
        "contributions": "\(round.accepted.count)",
      ], to: &changes)
    changes.add(.updateTask(task.record))
    task.nextAttempt = 1
    if actions.contains(.beginRound) { planRound(task, attempt: 1, to: &changes) }
    _ = round.machine.handle(.committed)
    round.isClosed = true
    let fold = round.fold
    enqueue(changes) { engine in
      fold.discard()
      engine.removeReleasedBlobs()
    }
    self.metrics.add(.roundsPublished)
    log.info(
      "A model is published.",
      ["task": task.id, "version": "\(version)", "updates": "\(round.accepted.count)"])
    if task.round != nil { tryToOpen(task) }
    endIfOver(task)
    resumeDrainersIfIdle()
  }

  /// Removes the updates of a round that is over: nobody is to have them longer than they are needed.
  func removeReleasedBlobs() {
    let (blobs, log) = (blobs, log)
    Task.detached {
      do { try await blobs.collectGarbage() } catch {
        log.error("Blobs that nobody needs cannot be removed.", ["error": "\(error)"])
      }
    }
  }

  /// SHA-256 over digests, sorted.
  static func digest(of digests: [[UInt8]]) -> [UInt8] {
    var hash = SHA256()
    for digest in digests.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      digest.withUnsafeBytes { hash.update($0) }
    }
    return hash.finalize()
  }

  private func publishedMetrics(
    _ task: LiveTask, _ round: LiveRound, _ evaluation: Evaluation?
  ) -> [Proto.Metric] {
    var metrics: [(String, Double)] = []
    if let evaluation {
      if task.evaluator?.hasAccuracy ?? false { metrics.append(("accuracy", evaluation.accuracy)) }
      metrics.append(("loss", evaluation.meanLoss))
    }
    if round.stepCount > 0 { metrics.append(("training_loss", round.lossSum / round.stepCount)) }
    return metrics.map { name, value in
      Proto.Metric {
        $0.name = name
        $0.value = value
      }
    }
  }

  /// Takes note of a measurement; true where a stop rule says that it is enough.
  private func note(
    _ evaluation: Evaluation?, afterRounds published: UInt64, of task: LiveTask
  ) -> Bool {
    guard let evaluation, task.evaluator?.hasAccuracy ?? false else { return false }
    let accuracy = evaluation.accuracy
    task.record.measuredRound = published
    if accuracy > task.record.bestAccuracy ?? -1 {
      task.record.bestAccuracy = accuracy
      task.record.bestRound = published
    }
    let stop = task.plan.spec.stop ?? Proto.StopRule()
    if stop.accuracy > 0, accuracy >= stop.accuracy { return true }
    return stop.patience > 0
      && task.record.measuredRound - task.record.bestRound >= stop.patience
  }
}

/// The arithmetic of a round's end, which is the simulator's.
struct Combining: Sendable {
  var algorithm: AlgorithmChoice
  /// Counted from 0.
  var round: Int
  var fold: RoundFold
  var blobs: BlobStore
  var parent: BlobManifest
  var parentState: [UInt8]

  /// - Returns: nil where nothing was counted; no model where its numbers are not finite.
  func combined() throws -> (model: (ParameterVector, [ParameterVector])?, Void)? {
    guard let mean = fold.takeMean() else { return nil }
    return switch algorithm {
    case .fedAvg(let fedAvg): (try apply(fedAvg, mean), ())
    case .fedProx(let fedProx): (try apply(fedProx, mean), ())
    case .fedSGD(let fedSGD): (try apply(fedSGD, mean), ())
    }
  }

  private func apply<Algorithm: FederatedAlgorithm>(
    _ algorithm: Algorithm, _ mean: ParameterVector
  ) throws -> (ParameterVector, [ParameterVector])? where Algorithm.Update == ParameterVector {
    let model = try ParameterVector(blobs.open(parent.digest))
    let fresh = algorithm.makeServerState(parameterCount: model.count).vectors
    var states = fresh
    if let digest = BlobDigest(bytes: parentState), !fresh.isEmpty {
      let joined = try ParameterVector(blobs.open(digest))
      var end = 0
      states = joined.withUnsafeBufferPointer { numbers in
        fresh.map { vector in
          defer { end += vector.count }
          return ParameterVector(numbers[end..<end + vector.count])
        }
      }
    }
    var server = Server(
      model: model, state: Algorithm.ServerState(vectors: states), round: round)
    algorithm.serverUpdate(&server, with: mean)
    return server.model.isFinite ? (server.model, server.state.vectors) : nil
  }
}
