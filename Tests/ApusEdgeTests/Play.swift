// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusWire

@testable import ApusEdge

/// A session and a clock that a test moves.
struct Play {
  var session: DeviceSession
  var now = Duration.zero

  init(seed: UInt64 = 1, _ adjust: (inout DeviceSession.Policy) -> Void = { _ in }) {
    var policy = DeviceSession.Policy()
    adjust(&policy)
    session = DeviceSession(policy, random: RandomStream(seed: seed))
  }

  @discardableResult
  mutating func callAsFunction(_ event: DeviceEvent) -> [DeviceAction] {
    session.handle(event, at: now)
  }

  /// Starts with open gates.
  @discardableResult
  mutating func begin() -> [DeviceAction] { self(.started(nil)) + self(.gatesRead([])) }

  @discardableResult
  mutating func hear(_ assignment: Proto.Assignment) -> [DeviceAction] {
    hear(.assignment(assignment))
  }

  @discardableResult
  mutating func hear(_ event: Proto.AssignmentEvent.Event) -> [DeviceAction] {
    self(.heard(Proto.AssignmentEvent { $0.event = event }))
  }

  /// Lets time pass, with a tick at its end.
  @discardableResult
  mutating func wait(until moment: Duration) -> [DeviceAction] {
    now = max(now, moment)
    return self(.ticked)
  }

  /// Plays until the work is in a phase.
  @discardableResult
  mutating func work(to phase: DeviceSession.Phase) -> Proto.Assignment {
    begin()
    let assignment = assignment()
    if session.contact == .checkingIn {
      self(.checkedIn(Proto.CheckInReply { $0.answer = .assignment(assignment) }))
    } else {
      hear(assignment)
    }
    if phase != .preparing { self(.prepared(1)) }
    if phase == .uploading || phase == .submitting { self(.trained(1, update())) }
    if phase == .submitting { self(.uploaded(1)) }
    return assignment
  }

  func assignment(
    round: UInt64 = 0, leaseMs: UInt64 = 60_000, deadlineMs: UInt64 = 600_000
  ) -> Proto.Assignment {
    Proto.Assignment {
      $0.taskId = "task"
      $0.round = round
      $0.epoch = 1
      $0.leaseId = [UInt8](repeating: UInt8(round + 1), count: 16)
      $0.leaseMs = leaseMs
      $0.reportDeadlineMs = deadlineMs
      $0.randomKey = round
    }
  }

  func lease(_ assignment: Proto.Assignment) -> LeaseName {
    LeaseName(id: assignment.leaseId, epoch: assignment.epoch)
  }

  func part(_ assignment: Proto.Assignment) -> EdgeEvent.Part { session.part(assignment) }

  func update() -> TrainedUpdate {
    TrainedUpdate(
      idempotencyKey: [UInt8](repeating: 3, count: 16),
      update: Proto.Update {
        $0.blob = [UInt8](repeating: 5, count: 32)
        $0.weight = 10
      }, size: 40)
  }

  func reply(_ verdict: Proto.SubmitUpdateReply.Verdict) -> Proto.SubmitUpdateReply {
    Proto.SubmitUpdateReply { $0.verdict = verdict }
  }

  func alive(_ leaseMs: UInt64) -> Proto.KeepAliveReply {
    Proto.KeepAliveReply {
      $0.instruction = .continue
      $0.leaseMs = leaseMs
    }
  }

  func window(_ lower: UInt64, _ upper: UInt64) -> Proto.RetryWindow {
    Proto.RetryWindow {
      $0.minMs = lower
      $0.maxMs = upper
    }
  }
}

extension DeviceAction {
  var isKeepAlive: Bool { if case .keepAlive = self { true } else { false } }
}
