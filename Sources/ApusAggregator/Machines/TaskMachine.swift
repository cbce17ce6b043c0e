// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A task's life: which rounds it runs, and when it is over.
///
/// ```
/// created ──▶ running ◀──▶ paused
///    │           │            │
///    └───────────┴────────────┴──▶ completed | cancelled | failed
/// ```
///
/// The last three are terminal: whatever comes then changes nothing.
struct TaskMachine: Hashable, Sendable {
  enum State: Int, Hashable, Sendable {
    case created = 1
    case running, paused, completed, cancelled, failed

    var isTerminal: Bool { rawValue >= State.completed.rawValue }
  }

  enum Event: Hashable, Sendable {
    case resume
    case pause
    case cancel
    /// One round, whether the task runs or not.
    case launchRound
    /// A round has a new model; `isEnough` where a stop rule says so.
    case roundPublished(isEnough: Bool)
    /// A round came to nothing.
    case roundAbandoned
    /// It cannot go on.
    case fail
  }

  enum Action: Hashable, Sendable {
    /// Begin a round: the next one, or the same one again where it was abandoned.
    case beginRound
    /// End the round that runs.
    case abandonRound
  }

  /// Why something that was asked for is not done.
  enum Refusal: String, Error, Hashable, Sendable {
    case isOver = "The task is over; make a new one."
    case isRunning = "The task is running; pause it first."
    case hasRound = "A round of the task is under way; wait for its end."
    case isNotRunning = "The task is not running."
  }

  private(set) var state: State
  /// Rounds with a new model; the number of the round that comes next.
  private(set) var roundsPublished: UInt64
  private(set) var roundsAbandoned: UInt64
  /// Since the last round that was published.
  private(set) var abandonedInARow: UInt64
  private(set) var hasRound = false
  let roundsWanted: UInt64
  let abandonmentLimit: UInt64

  init(
    state: State = .created, roundsWanted: UInt64, abandonmentLimit: UInt64,
    roundsPublished: UInt64 = 0, roundsAbandoned: UInt64 = 0, abandonedInARow: UInt64 = 0,
    hasRound: Bool = false
  ) {
    self.state = state
    self.roundsWanted = roundsWanted
    self.abandonmentLimit = abandonmentLimit
    self.roundsPublished = roundsPublished
    self.roundsAbandoned = roundsAbandoned
    self.abandonedInARow = abandonedInARow
    self.hasRound = hasRound
  }

  /// Takes note of an event.
  ///
  /// - Returns: what the host is to do.
  /// - Throws: why what was asked for is not done; nothing has changed then.
  mutating func handle(_ event: Event) throws(Refusal) -> [Action] {
    switch event {
    case .resume:
      if state.isTerminal { throw .isOver }
      if state == .running { return [] }
      state = .running
      return beginIfWanted()
    case .pause:
      if state.isTerminal { throw .isOver }
      if state == .created { throw .isNotRunning }
      state = .paused
      return []
    case .cancel:
      if state == .cancelled { return [] }
      if state.isTerminal { throw .isOver }
      return end(.cancelled)
    case .launchRound:
      if state.isTerminal { throw .isOver }
      if state == .running { throw .isRunning }
      if hasRound { throw .hasRound }
      hasRound = true
      return [.beginRound]
    case .roundPublished(let isEnough):
      if state.isTerminal { return [] }
      hasRound = false
      roundsPublished += 1
      abandonedInARow = 0
      if isEnough || roundsPublished >= roundsWanted { return end(.completed) }
      return beginIfWanted()
    case .roundAbandoned:
      hasRound = false
      roundsAbandoned += 1
      abandonedInARow += 1
      if state.isTerminal { return [] }
      if abandonedInARow >= abandonmentLimit { return end(.failed) }
      return beginIfWanted()
    case .fail:
      if state.isTerminal { return [] }
      return end(.failed)
    }
  }

  private mutating func beginIfWanted() -> [Action] {
    guard state == .running, !hasRound else { return [] }
    hasRound = true
    return [.beginRound]
  }

  private mutating func end(_ terminal: State) -> [Action] {
    state = terminal
    return hasRound ? [.abandonRound] : []
  }
}
