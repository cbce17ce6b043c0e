// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusWire

extension DeviceSession {
  /// Begins what the present state asks for: nothing, a check-in, a stream.
  mutating func seekContact() {
    guard reasons == [], contact == .none, needsContact else { return }
    if policy.staysConnected {
      contact = .stream(heard: now)
      actions.append(.openStream)
    } else {
      contact = .checkingIn
      actions.append(.checkIn)
    }
  }

  /// Devices that sleep say nothing but keep-alives while they hold a lease; the others keep their stream.
  private var needsContact: Bool {
    policy.staysConnected || work == nil || work?.lease == nil
  }

  mutating func gatesRead(_ reasons: [GateReason]) {
    guard reasons != self.reasons else { return }
    self.reasons = reasons
    guard !reasons.isEmpty else { return }
    actions.append(.report(.held(reasons)))
    // What is trained is worth its last steps, unless they would cost money.
    let isNearlyDone = work?.update != nil && !reasons.contains(.metered)
    if let work, !isNearlyDone, !work.isSubmissionOpen {
      giveBack(reasons[0].rawValue, of: work)
    }
    switch contact {
    case .stream:
      if work == nil {
        actions.append(.closeStream)
        contact = .none
      }
    case .pause: contact = .none
    case .none, .checkingIn: break
    }
  }

  mutating func checkedIn(_ reply: Proto.CheckInReply) {
    guard contact == .checkingIn else { return }
    reached()
    switch reply.answer {
    case .assignment(let assignment)?:
      contact = .none
      take(assignment)
      if work == nil { pause(reply.retry) }
    case .notNeeded?, nil:
      // Whatever was begun under a lease that is over is wanted by nobody now.
      if work?.lease == nil { drop(reason: "not-needed") }
      pause(reply.retry)
    }
  }

  mutating func heard(_ event: Proto.AssignmentEvent) {
    guard case .stream = contact else { return }
    reached()
    contact = .stream(heard: now)
    switch event.event {
    case .assignment(let assignment)?: take(assignment)
    case .cancelledLease(let lease)?:
      if let work, work.lease?.name.id == lease, !work.isSubmissionOpen {
        drop(reason: "cancelled")
      }
    case .goodbye?:
      actions.append(.closeStream)
      pause(event.retry)
    case .heartbeat?, nil: break
    }
  }

  mutating func contactLost(_ error: RPCError?) {
    switch contact {
    case .checkingIn, .stream: break
    case .none, .pause: return
    }
    guard let error else { return pause(nil) }
    if error.isFinal { return finish(error) }
    contactFailureCount += 1
    let delay = delay(after: error, failureCount: contactFailureCount, policy.contactBackoff)
    actions.append(.report(.disconnected(error.message, retryIn: delay)))
    contact = .pause(until: now + delay)
  }

  private mutating func reached() {
    if contactFailureCount > 0 || !hasBeenReached { actions.append(.report(.connected)) }
    hasBeenReached = true
    contactFailureCount = 0
  }

  /// Comes back within the window that was given, or soon.
  mutating func pause(_ window: Proto.RetryWindow?) {
    let delay =
      random.moment(in: window, cap: policy.longestWindow)
      ?? policy.contactBackoff.delay(after: 1, &random)
    contact = .pause(until: now + max(delay, .milliseconds(20)))
    actions.append(.report(.sleeping(delay)))
  }

  /// When to try again after a failure: when the federation says so, or later and later.
  mutating func delay(
    after error: RPCError, failureCount: Int, _ backoff: Backoff
  ) -> Duration {
    let own = backoff.delay(after: failureCount, &random)
    guard let asked = error.retryAfter, asked > .zero else { return own }
    // A little later than asked, so that those who were told the same do not come together.
    return min(max(asked, .milliseconds(20)), policy.longestWindow) + own * 0.1
  }
}

extension RPCError {
  /// Whether asking again is in vain: the device is not let in, or says what nobody understands.
  var isFinal: Bool {
    let codes: [StatusCode] = [
      .permissionDenied, .unauthenticated, .invalidArgument, .unimplemented,
    ]
    return codes.contains(code)
  }

  /// Whether the lease or the epoch is over.
  var endsLease: Bool { code == .failedPrecondition }
}
