// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusEdge

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One event of a device, as a line of JSON: what it is in `event`, and what is known of it.
struct DeviceEventLine {
  let event: String
  /// Seconds since 1970 (UTC).
  let time: Double
  var task: String?
  var round: UInt64?
  var lease: String?
  var epoch: UInt64?
  var digest: String?
  var bytes: Int?
  var weight: UInt64?
  var loss: Double?
  var steps: Int?
  var seconds: Double?
  var verdict: String?
  var reason: String?
  var reasons: [String]?

  init(_ event: EdgeEvent, at time: Double = DeviceEventLine.now()) {
    self.time = (time * 1000).rounded() / 1000
    switch event {
    case .held(let reasons):
      self.event = "held"
      self.reasons = reasons.map(\.rawValue)
    case .sleeping(let duration):
      self.event = "sleeping"
      seconds = duration / .seconds(1)
    case .connected: self.event = "connected"
    case .disconnected(let message, let delay):
      self.event = "disconnected"
      reason = message
      seconds = delay / .seconds(1)
    case .assigned(let part):
      self.event = "assigned"
      take(part)
    case .resumed(let part):
      self.event = "resumed"
      take(part)
    case .leaseRenewed(let part):
      self.event = "lease-renewed"
      take(part)
    case .downloaded(let part, let count):
      self.event = "downloaded"
      bytes = count
      take(part)
    case .training(let part, let count):
      self.event = "training"
      steps = count
      take(part)
    case .trained(let part, let update):
      self.event = "trained"
      (digest, bytes, weight) = (update.digest, update.bytes, update.weight)
      (loss, steps, seconds) = (update.loss, update.stepCount, update.seconds)
      take(part)
    case .uploaded(let part, let count):
      self.event = "uploaded"
      bytes = count
      take(part)
    case .submitting(let part, let digest):
      self.event = "submitting"
      self.digest = digest
      take(part)
    case .submitted(let part, let digest, let verdict, let reason):
      self.event = "submitted"
      (self.digest, self.verdict, self.reason) = (digest, verdict.rawValue, reason)
      take(part)
    case .leaseLost(let part, let reason):
      self.event = "lease-lost"
      self.reason = reason
      take(part)
    case .abandoned(let part, let reason):
      self.event = "abandoned"
      self.reason = reason
      take(part)
    case .stopped: self.event = "stopped"
    }
  }

  /// Of the system's calendar clock, which may be wrong.
  private static func now() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }

  var json: JSONText {
    .members([
      "event": .text(event), "time": .number(time),
      "task": task.map(JSONText.text), "round": round.map(JSONText.unsigned),
      "lease": lease.map(JSONText.text), "epoch": epoch.map(JSONText.unsigned),
      "digest": digest.map(JSONText.text), "bytes": bytes.map { .integer(Int64($0)) },
      "weight": weight.map(JSONText.unsigned), "loss": loss.map(JSONText.number),
      "steps": steps.map { .integer(Int64($0)) }, "seconds": seconds.map(JSONText.number),
      "verdict": verdict.map(JSONText.text), "reason": reason.map(JSONText.text),
      "reasons": reasons.map { .array($0.map(JSONText.text)) },
    ])
  }

  private mutating func take(_ part: EdgeEvent.Part) {
    (task, round, lease, epoch) = (part.task, part.round, part.lease, part.epoch)
  }

  /// What a person is told while it lasts; nil for what passes too quickly.
  static func progress(_ event: EdgeEvent) -> String? {
    switch event {
    case .held(let reasons): "Waiting: \(reasons.map(\.rawValue).joined(separator: ", "))"
    case .sleeping(let duration): "Asleep for \(Cell.duration(duration / .seconds(1)))"
    case .connected, .submitted: "Waiting for work"
    case .disconnected(let message, let delay):
      "Not connected (\(message)); again in \(Cell.duration(delay / .seconds(1)))"
    case .assigned(let part), .resumed(let part), .leaseRenewed(let part):
      "Round \(part.round) of \(part.task.prefix(12)): getting plan and model"
    case .training(let part, _): "Round \(part.round): training"
    case .trained(let part, _): "Round \(part.round): handing in"
    case .leaseLost, .abandoned: "Waiting for work"
    case .downloaded, .uploaded, .submitting, .stopped: nil
    }
  }

  /// A line that stays, for what a person wants to read later.
  static func note(_ event: EdgeEvent, update: EdgeEvent.Update?) -> String? {
    switch event {
    case .submitted(let part, _, let verdict, let reason):
      let learned =
        update.map {
          ", \($0.weight) examples, loss \(Cell.fixed($0.loss, digits: 4)), "
            + Cell.duration($0.seconds)
        } ?? ""
      return "round \(part.round): \(verdict.rawValue)\(reason.isEmpty ? "" : " (\(reason))")"
        + learned
    case .abandoned(let part, let reason): return "round \(part.round): given back (\(reason))"
    case .leaseLost(let part, let reason): return "round \(part.round): lost (\(reason))"
    case .resumed(let part): return "round \(part.round): goes on where it stopped"
    default: return nil
    }
  }
}
