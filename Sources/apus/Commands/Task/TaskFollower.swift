// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire
internal import Synchronization

/// Shows what happens to a task, until it is over or the person has seen enough.
final class TaskFollower: Sendable {
  enum Ending: Sendable {
    case over
    /// SIGINT or SIGTERM; the task goes on.
    case interrupted
    /// What was waited for has come.
    case satisfied
    case outOfTime
  }

  private let client: CoordinatorClient
  private let console: Console
  private let line: ProgressLine
  private let table: RoundTable
  private let isSilent: Bool
  private let hasHeader = Mutex(false)
  private let lastReason = Mutex("")

  /// - Parameters:
  ///   - client: whom to ask.
  ///   - console: where rows go.
  ///   - isSilent: whether rows and events stay away, for who only waits.
  init(_ client: CoordinatorClient, on console: Console, isSilent: Bool = false) {
    self.client = client
    self.console = console
    self.isSilent = isSilent
    line = ProgressLine("Waiting for the task", on: console)
    table = RoundTable(on: console)
  }

  /// Follows a task.
  ///
  /// - Parameters:
  ///   - task: as the aggregator told of it last.
  ///   - sequence: the last event that need not be shown; 0 for all.
  ///   - limit: how long; nil for as long as it takes.
  ///   - isEnough: whether what just happened is what was waited for.
  /// - Returns: why it ended.
  /// - Throws: `CoordinationError`, where the aggregator was away for too long.
  nonisolated(nonsending) func follow(
    _ task: Proto.TaskInfo, after sequence: UInt64, limit: Duration? = nil,
    until isEnough: (Proto.TaskEvent) -> Bool = { _ in false }
  ) async throws -> Ending {
    Interruption.watch()
    defer { line.finish() }
    show(standing: task)
    let watch = TaskWatch(client, task: task.taskId, after: sequence) { [self] reason in
      // Once for each reason, and not for each attempt.
      let isNew = lastReason.withLock { last in
        defer { last = reason.message }
        return last != reason.message
      }
      if isNew { line.note("\(reason.message) Trying again.") }
    }
    let sign = StopSign()
    let start = ContinuousClock.now
    let sentinel = Task {
      while (try? await Task.sleep(for: .milliseconds(100))) != nil {
        let isLate = limit.map { ContinuousClock.now - start >= $0 } ?? false
        guard Interruption.isRequested || isLate else { continue }
        sign.put(isLate ? .outOfTime : .interrupted)
        return await watch.cancel()
      }
    }
    defer { sentinel.cancel() }
    while sign.ending == nil {
      let event: Proto.TaskEvent?
      do { event = try await watch.next() } catch {
        // The watch was cancelled above.
        if sign.ending != nil { break }
        throw error
      }
      guard let event else { break }
      show(event, of: task)
      if isEnough(event) { sign.put(.satisfied) }
    }
    await watch.cancel()
    return sign.ending ?? .over
  }

  /// Why following should end; the first reason counts.
  private final class StopSign: Sendable {
    private let state = Mutex<Ending?>(nil)

    var ending: Ending? { state.withLock { $0 } }

    func put(_ ending: Ending) { state.withLock { $0 = $0 ?? ending } }
  }

  private func show(standing task: Proto.TaskInfo) {
    line.update("\(task.name): \(task.state.word)")
  }

  private func show(_ event: Proto.TaskEvent, of task: Proto.TaskInfo) {
    if !isSilent { showResult(event) }
    var text = "\(task.name): \(event.message)"
    if let round = event.round, !round.state.isTerminal {
      text =
        "\(task.name): round \(round.round + 1) of \(task.roundsWanted), \(round.state.word), "
        + "\(round.accepted) of \(round.invited) reported"
    }
    line.update(text)
  }

  private func showResult(_ event: Proto.TaskEvent) {
    switch console.format {
    case .json: break
    case .jsonl:
      if let text = try? console.jsonLine(EventDescription(event)) { line.print(text) }
    case .text:
      guard let round = event.round, round.state.isTerminal else {
        if !event.message.isEmpty { detail(event.message) }
        return
      }
      let isFirst = hasHeader.withLock { shown in
        defer { shown = true }
        return !shown
      }
      if isFirst { line.print(console.output.styled(table.header, .bold)) }
      line.print(table.row(RoundDescription(round)))
    }
  }

  private func detail(_ text: String) {
    if console.verbosity == .verbose { line.note(text) }
  }
}
