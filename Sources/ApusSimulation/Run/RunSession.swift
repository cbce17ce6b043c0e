// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusData
internal import ApusNumerics
internal import ApusRounds
internal import ApusTraining

/// The rounds of a run, from where it stands to its end, and what is written of them.
final class RunSession<Algorithm: FederatedAlgorithm> where Algorithm.ClientState == NoState {
  let run: Run
  let simulation: Simulation<Algorithm>
  private let measurement: Measurement
  private let metrics: MetricsLog
  private let clientLog: ClientLog?
  private var progress: RunProgress
  /// Clients measured on their own examples: the same ones in every round.
  private let measuredClients: [Int]
  /// Seconds of the sessions before this one.
  private let earlierSeconds: Double
  private let stopwatch = Stopwatch()
  private var lastCheckpointSeconds = 0.0
  private var lastCheckpointRound: Int?

  init(_ algorithm: Algorithm, of run: Run) throws(SimulationError) {
    self.run = run
    let recipe = run.recipe
    let setup = try SimulationSetup(run)
    var server = Server(
      model: setup.workers[0].trainer.initialParameters(seed: recipe.seed),
      state: algorithm.makeServerState(parameterCount: run.parameterCount))
    let restored = try RunCheckpoint.restore(&server, of: run)
    earlierSeconds = restored?.seconds ?? 0
    lastCheckpointRound = restored?.round
    metrics = try MetricsLog(
      run.files.metricsFile, keepingRoundsTo: run.isResumed ? restored?.round ?? -1 : nil)
    clientLog =
      run.options.logsClients
      ? try ClientLog(run.files.clientsFile, keepingRoundsTo: server.round) : nil
    progress = RunProgress(recipe.stop, after: metrics.records)
    measurement = Measurement(team: setup.team, workers: setup.workers)
    simulation = Simulation(
      algorithm, combinedBy: recipe.aggregation.rule(for: Algorithm.Update.self), on: setup,
      startingAt: server)
    var stream = setup.streams.clientEvaluation
    measuredClients = stream.sample(
      min(recipe.evaluate.clients, run.clientCount), outOf: run.clientCount)
    let beginning = restored == nil ? "begins" : "goes on after round \(server.round)"
    run.files.note(
      "Run \(recipe.name) \(beginning), seed \(recipe.seed), \(setup.team.threadCount) threads, "
        + "instruction set \(InstructionSet.inUse.rawValue).")
  }

  func run(
    _ stopRequested: @Sendable () -> Bool, _ onRound: (RoundRecord) -> Void
  ) throws(SimulationError) -> RunSummary {
    do {
      return try runRounds(stopRequested, onRound)
    } catch  where error.code == .outputUnwritable {
      throw SimulationError(
        .outputUnwritable,
        "\(error.message) What was written before is kept. Make room, then go on: "
          + "apus simulate --resume \(run.directory)", cause: error)
    }
  }

  private func runRounds(
    _ stopRequested: @Sendable () -> Bool, _ onRound: (RoundRecord) -> Void
  ) throws(SimulationError) -> RunSummary {
    if metrics.records.isEmpty {
      var record = RoundRecord(round: 0)
      try measure(into: &record)
      try commit(record, onRound)
    }
    while simulation.server.round < run.recipe.rounds, progress.reasonToStop == nil {
      let before = simulation.server
      do {
        let outcome = try simulation.runRound(
          stopRequested: stopRequested,
          onResult: { job, result in clientLog?.note(job, result, round: before.round + 1) })
        guard let outcome else { return try finish(.interrupted) }
        var record = RoundRecord(outcome, round: simulation.server.round, run: run)
        noteRejections(outcome.tally, round: record.round)
        if let reason = outcome.abandonment {
          run.files.note(
            "Round \(record.round) is abandoned: \(reason.rawValue). The model is what it was.")
        }
        if shouldMeasure(record.round) { try measure(into: &record, after: outcome) }
        try clientLog?.write()
        try commit(record, onRound)
      } catch  where error.code == .diverged {
        throw try diverged(error, lastGood: before)
      }
      if stopRequested() { return try finish(.interrupted) }
    }
    return try finish(progress.reasonToStop == nil ? .completed : .stopped)
  }

  private func noteRejections(_ tally: RoundTally, round: Int) {
    for (client, message) in tally.rejections {
      run.files.note("Round \(round): client \(client)'s update is refused: \(message)")
    }
    let others = tally.rejectedCount - tally.rejections.count
    if others > 0 { run.files.note("Round \(round): and those of \(others) other clients.") }
  }

  private func shouldMeasure(_ round: Int) -> Bool {
    round % run.recipe.evaluate.every == 0 || round == run.recipe.rounds
  }

  private func measure(
    into record: inout RoundRecord, after outcome: RoundOutcome? = nil
  ) throws(SimulationError) {
    let stopwatch = Stopwatch()
    if let table = run.preparation.data.centralTest {
      let evaluation = measurement.central(simulation.server.model, on: table)
      guard evaluation.meanLoss.isFinite else {
        let clients =
          outcome.map { ", with \(RoundTally.Named($0.jobs.lazy.map(\.client)).names)" } ?? ""
        throw SimulationError(
          .diverged,
          "Training diverged in round \(record.round)\(clients): after it the loss on the test "
            + "examples is not finite.")
      }
      record.loss = evaluation.meanLoss
      if case .values = table.targets {} else { record.accuracy = evaluation.accuracy }
    }
    if !measuredClients.isEmpty {
      record.clientAccuracy = RoundRecord.ClientAccuracy(
        measurement.perClient(
          simulation.server.model, of: measuredClients, in: run.preparation.data))
    }
    record.seconds.evaluate = stopwatch.seconds
  }

  /// Adds the record of a committed round, with a checkpoint where one is due.
  private func commit(
    _ record: RoundRecord, _ onRound: (RoundRecord) -> Void
  ) throws(SimulationError) {
    var record = record
    let now = stopwatch.seconds
    progress.observe(record)
    if record.round > 0, now - lastCheckpointSeconds >= run.options.checkpointInterval {
      // The round's line first: a checkpoint promises the lines of all rounds up to its own.
      record.seconds.checkpoint = lastCheckpointCost
      try metrics.append(record)
      try checkpoint(simulation.server)
      lastCheckpointCost = stopwatch.seconds - now
    } else {
      try metrics.append(record)
    }
    onRound(record)
  }

  /// What the last checkpoint took, reported with the next: a line is written before its checkpoint is.
  private var lastCheckpointCost = 0.0

  private func checkpoint(_ server: Server<Algorithm.ServerState>) throws(SimulationError) {
    guard lastCheckpointRound != server.round else { return }
    try metrics.synchronize()
    try RunCheckpoint.write(server, seconds: earlierSeconds + stopwatch.seconds, of: run)
    lastCheckpointRound = server.round
    lastCheckpointSeconds = stopwatch.seconds
  }

  private func finish(_ outcome: RunSummary.Outcome) throws(SimulationError) -> RunSummary {
    try checkpoint(simulation.server)
    if outcome != .interrupted { try RunCheckpoint.export(simulation.server.model, of: run) }
    let summary = try writeSummary(outcome, of: simulation.server)
    if outcome != .interrupted {
      try Report.write(runs: [run.directory], to: run.files.reportFile)
    }
    run.files.note("Run is \(outcome.rawValue) after round \(summary.rounds).")
    return summary
  }

  /// Keeps the last good model and says what may be done.
  private func diverged(
    _ error: SimulationError, lastGood server: Server<Algorithm.ServerState>
  ) throws(SimulationError) -> SimulationError {
    try checkpoint(server)
    _ = try writeSummary(.diverged, of: server)
    let rate = Double(run.recipe.algorithm.learningRate(atRound: server.round))
    let message =
      error.message
      + " The learning rate was \(Float(rate)). The model of round \(server.round) is "
      + "kept in \(run.files.checkpointDirectory); try a smaller rate: "
      + "--set algorithm.\(Algorithm.name).learningRate=\(Float(rate / 3))"
    run.files.note(message)
    return SimulationError(.diverged, message, cause: error)
  }

  private func writeSummary(
    _ outcome: RunSummary.Outcome, of server: Server<Algorithm.ServerState>
  ) throws(SimulationError) -> RunSummary {
    let summary = RunSummary(
      name: run.recipe.name, seed: run.recipe.seed, outcome: outcome, rounds: server.round,
      finalAccuracy: progress.finalAccuracy, bestAccuracy: progress.bestAccuracy,
      targetAccuracy: progress.crossing?.target, roundsToTarget: progress.crossing?.round,
      lateLoss: progress.lateLoss?.mean,
      lateLossDeviation: progress.lateLoss?.standardDeviation,
      parameterCount: run.parameterCount, modelDigest: server.model.digest,
      seconds: earlierSeconds + stopwatch.seconds, threads: run.threadCount)
    try run.files.writeJSON(summary, to: run.files.summaryFile)
    return summary
  }
}
