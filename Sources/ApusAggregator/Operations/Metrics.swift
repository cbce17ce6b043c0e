// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What is counted, for `/metrics`, in Prometheus' text format (version 0.0.4).
final class Metrics: Sendable {
  enum Counter: String, CaseIterable, Sendable {
    case checkIns = "apus_check_ins_total"
    case assignments = "apus_assignments_total"
    case updatesAccepted = "apus_updates_accepted_total"
    case updatesRejected = "apus_updates_rejected_total"
    case updatesNotNeeded = "apus_updates_not_needed_total"
    case updatesFolded = "apus_updates_folded_total"
    case bytesAccepted = "apus_update_bytes_total"
    case leasesLost = "apus_leases_lost_total"
    case roundsPublished = "apus_rounds_published_total"
    case roundsAbandoned = "apus_rounds_abandoned_total"

    var help: String {
      switch self {
      case .checkIns: "Times that a device asked for work once."
      case .assignments: "Devices invited to a round."
      case .updatesAccepted: "Updates that are durable."
      case .updatesRejected: "Updates that cannot be counted."
      case .updatesNotNeeded: "Updates that came when a round was closed."
      case .updatesFolded: "Updates added to a sum."
      case .bytesAccepted: "Bytes of the updates that are durable."
      case .leasesLost: "Leases that ended without an update."
      case .roundsPublished: "Rounds with a new model."
      case .roundsAbandoned: "Rounds without one."
      }
    }
  }

  enum Gauge: String, CaseIterable, Sendable {
    case waitingDevices = "apus_waiting_devices"
    case leases = "apus_leases"
    case runningTasks = "apus_tasks"

    var help: String {
      switch self {
      case .waitingDevices: "Devices on an open stream."
      case .leases: "Devices that work."
      case .runningTasks: "Tasks that are not over."
      }
    }
  }

  private struct Values {
    var counters: [Counter: Int] = [:]
    var gauges: [Gauge: Int] = [:]
  }

  private let values = Mutex(Values())

  func add(_ counter: Counter, _ count: Int = 1) {
    values.withLock { $0.counters[counter, default: 0] += count }
  }

  func set(_ gauge: Gauge, _ value: Int) { values.withLock { $0.gauges[gauge] = value } }

  subscript(counter: Counter) -> Int { values.withLock { $0.counters[counter] ?? 0 } }

  /// All of them, and others that are measured when they are asked for.
  ///
  /// - Parameter others: gauges: name, help and value.
  /// - Returns: text.
  func text(with others: [(name: String, help: String, value: Double)] = []) -> String {
    let (counters, gauges) = values.withLock { ($0.counters, $0.gauges) }
    var text = ""
    func append(_ name: String, _ kind: String, _ help: String, _ value: String) {
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n\(name) \(value)\n"
    }
    for counter in Counter.allCases {
      append(counter.rawValue, "counter", counter.help, "\(counters[counter] ?? 0)")
    }
    for gauge in Gauge.allCases {
      append(gauge.rawValue, "gauge", gauge.help, "\(gauges[gauge] ?? 0)")
    }
    for other in others { append(other.name, "gauge", other.help, "\(other.value)") }
    return text
  }
}
