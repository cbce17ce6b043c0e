// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusWire

/// What a device does next, as a pure machine: events in, actions out.
///
/// ```
///  gates open → check in (or wait on a stream) → assigned → preparing → training → uploading → submitting → answered
///       ↑_______________________ windows, backoff ________________________________________________________________|
/// ```
///
/// Two things go side by side: contact (how the device hears of work) and work (at most one assignment). Work
/// needs no contact while it trains. Moments are durations on a clock that never goes back and counts sleep;
/// nothing depends on what time of day it is.
struct DeviceSession: Sendable {
  struct Policy: Hashable, Sendable {
    /// Whether the device waits on an open stream; otherwise it checks in, in the windows it is given.
    var staysConnected = true
    /// How many updates are to be accepted before the device is done; nil for ever.
    var roundLimit: Int?
    var contactBackoff = Backoff(first: .milliseconds(300), cap: .seconds(3600))
    /// For transfers while a lease is held.
    var workBackoff = Backoff(first: .milliseconds(200), cap: .seconds(30))
    /// A stream on which nothing came for so long is broken, whatever the network says.
    var silenceLimit = Duration.seconds(150)
    /// A window or a delay that the federation asks for counts as no more than this.
    var longestWindow = Duration.seconds(3600)
  }

  /// How the device hears of work.
  enum Contact: Hashable, Sendable {
    /// It does not: gates are closed, or there is work and no stream.
    case none
    /// After this moment it tries.
    case pause(until: Duration)
    case checkingIn
    case stream(heard: Duration)
  }

  /// Where the work is.
  enum Phase: Hashable, Sendable {
    case preparing, training, uploading, submitting
  }

  struct Lease: Hashable, Sendable {
    var name: LeaseName
    var expiry: Duration
    /// The lease's length, as last said.
    var length: Duration
    var nextKeepAlive: Duration
  }

  struct Work: Hashable, Sendable {
    let ticket: Ticket
    var assignment: Proto.Assignment
    /// Nil while the device asks whether the work is still wanted.
    var lease: Lease?
    var deadline: Duration
    var phase: Phase
    var update: TrainedUpdate?
    /// An attempt was made whose answer never came: only an answer ends this.
    var isSubmissionOpen = false
    var failureCount = 0
    /// When what failed is tried again; nil while something is under way.
    var retry: Duration?
  }

  let policy: Policy
  var random: RandomStream
  var now = Duration.zero
  var contact = Contact.none
  var work: Work?
  /// Nil before gates were read for the first time.
  var reasons: [GateReason]?
  var contactFailureCount = 0
  var ticketCount = 0
  var acceptedCount = 0
  var hasBeenReached = false
  var isFinished = false
  var actions: [DeviceAction] = []

  init(_ policy: Policy, random: RandomStream) {
    self.policy = policy
    self.random = random
  }

  /// When ``DeviceEvent/ticked`` is due; nil where only something from outside can come next.
  var nextWake: Duration? {
    guard !isFinished else { return nil }
    var moments: [Duration] = []
    switch contact {
    case .none, .checkingIn: break
    case .pause(let moment): moments.append(moment)
    case .stream(let heard): moments.append(heard + policy.silenceLimit)
    }
    if let work {
      if let lease = work.lease {
        moments += [lease.nextKeepAlive]
        if !work.isSubmissionOpen { moments += [lease.expiry] }
      }
      if let retry = work.retry { moments.append(retry) }
      if !work.isSubmissionOpen { moments.append(work.deadline) }
    }
    return moments.min()
  }

  /// Takes in what happened.
  ///
  /// - Parameters:
  ///   - event: what.
  ///   - moment: when; one that is earlier than the last counts as the last.
  /// - Returns: what is to be done, in this order.
  mutating func handle(_ event: DeviceEvent, at moment: Duration) -> [DeviceAction] {
    now = max(now, moment)
    guard !isFinished else { return [] }
    actions = []
    passTime()
    if !isFinished { take(event) }
    if !isFinished { seekContact() }
    return actions
  }

  private mutating func take(_ event: DeviceEvent) {
    switch event {
    case .started(let saved): if let saved { resume(saved) }
    case .ticked: break
    case .gatesRead(let reasons): gatesRead(reasons)
    case .checkedIn(let reply): checkedIn(reply)
    case .heard(let event): heard(event)
    case .contactLost(let error): contactLost(error)
    case .stopRequested: stop()
    case .prepared(let ticket): if isCurrent(ticket, .preparing) { beginTraining() }
    case .refused(let ticket, let reason):
      if work?.ticket == ticket { giveBack(reason) }
    case .trained(let ticket, let update):
      if isCurrent(ticket, .training) { trained(update) }
    case .uploaded(let ticket): if isCurrent(ticket, .uploading) { beginSubmitting() }
    case .transferFailed(let ticket, let error):
      if work?.ticket == ticket { transferFailed(error) }
    case .submitted(let ticket, let reply):
      if isCurrent(ticket, .submitting) { answered(reply) }
    case .keptAlive(let ticket, let reply): if work?.ticket == ticket { keptAlive(reply) }
    case .keepAliveFailed(let ticket, let error):
      if work?.ticket == ticket { keepAliveFailed(error) }
    }
  }

  private func isCurrent(_ ticket: Ticket, _ phase: Phase) -> Bool {
    work?.ticket == ticket && work?.phase == phase
  }

  mutating func finish(_ error: RPCError?) {
    if case .stream = contact { actions.append(.closeStream) }
    contact = .none
    isFinished = true
    actions.append(.finish(error))
  }
}
