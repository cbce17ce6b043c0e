// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusEdge

/// Gates over files that a test wrote in the place of the system's.
struct GateTests {
  private let noon = GateContext(minuteOfDay: 12 * 60)

  private func root(_ files: [String: String]) throws -> (Place, SystemRoot) {
    let place = try Place()
    for (name, text) in files {
      let url = URL(fileURLWithPath: place.path + name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data((text + "\n").utf8).write(to: url)
    }
    return (place, SystemRoot(path: place.path))
  }

  @Test("A machine is idle while the load of others is small; its own training does not count")
  func idle() throws {
    let (place, root) = try root(["/proc/loadavg": "1.20 3.00 4.00 1/200 77"])
    let gate = IdleGate(loadLimit: 0.3, processorCount: 2, root: root)
    #expect(gate.reason(in: noon) == .notIdle)
    #expect(gate.reason(in: GateContext(ownLoad: 0.7, minuteOfDay: 0)) == nil)
    #expect(IdleGate(loadLimit: 0.3, processorCount: 4, root: root).reason(in: noon) == nil)
    withExtendedLifetime(place) {}
    let (other, none) = try self.root([:])
    #expect(IdleGate(processorCount: 1, root: none).reason(in: noon) == nil)
    withExtendedLifetime(other) {}
  }

  @Test(
    "A machine charges while something feeds it, or its battery says so; one without battery always",
    arguments: [
      (
        ["AC/type": "Mains", "AC/online": "1", "B/type": "Battery", "B/status": "Discharging"], true
      ),
      (
        ["AC/type": "Mains", "AC/online": "0", "B/type": "Battery", "B/status": "Discharging"],
        false
      ),
      (["B/type": "Battery", "B/status": "Charging"], true),
      (["B/type": "Battery", "B/status": "Full"], true),
      (["B/type": "Battery", "B/status": "Unknown"], false),
      (["M/type": "Battery", "M/scope": "Device", "M/status": "Discharging"], true),
      ([:], true),
    ])
  func charging(files: [String: String], isOpen: Bool) throws {
    var named: [String: String] = [:]
    for (name, text) in files { named["/sys/class/power_supply/" + name] = text }
    let (place, root) = try root(named)
    #expect(ChargingGate(root: root).reason(in: noon) == (isOpen ? nil : .notCharging))
    withExtendedLifetime(place) {}
  }

  @Test("The fullest battery counts, and a machine without one has power enough")
  func battery() throws {
    let (place, root) = try root([
      "/sys/class/power_supply/A/type": "Battery", "/sys/class/power_supply/A/capacity": "20",
      "/sys/class/power_supply/B/type": "Battery", "/sys/class/power_supply/B/capacity": "55",
    ])
    #expect(BatteryGate(minimum: 50, root: root).reason(in: noon) == nil)
    #expect(BatteryGate(minimum: 56, root: root).reason(in: noon) == .batteryLow)
    withExtendedLifetime(place) {}
    let (other, none) = try self.root([:])
    #expect(BatteryGate(minimum: 100, root: none).reason(in: noon) == nil)
    withExtendedLifetime(other) {}
  }

  @Test("The hottest sensor counts; what no sensor can read does not")
  func temperature() throws {
    let (place, root) = try root([
      "/sys/class/thermal/thermal_zone0/temp": "41000",
      "/sys/class/thermal/thermal_zone1/temp": "76500",
      "/sys/class/thermal/thermal_zone2/temp": "-274000",
      "/sys/class/thermal/thermal_zone3/temp": "nonsense",
      "/sys/class/thermal/cooling_device0/temp": "99000",
    ])
    #expect(TemperatureGate(limit: 76, root: root).reason(in: noon) == .tooHot)
    #expect(TemperatureGate(limit: 77, root: root).reason(in: noon) == nil)
    withExtendedLifetime(place) {}
  }

  @Test("Hours may go over midnight; the end is no part of them")
  func hours() {
    let night = HoursGate(begin: 22 * 60, end: 6 * 60)
    let day = HoursGate(begin: 9 * 60, end: 17 * 60)
    func isOpen(_ gate: HoursGate, _ minute: Int) -> Bool {
      gate.reason(in: GateContext(minuteOfDay: minute)) == nil
    }
    #expect(isOpen(night, 22 * 60) && isOpen(night, 0) && isOpen(night, 6 * 60 - 1))
    #expect(!isOpen(night, 6 * 60) && !isOpen(night, 12 * 60))
    #expect(isOpen(day, 9 * 60) && !isOpen(day, 17 * 60) && !isOpen(day, 0))
  }

  @Test(
    "Only a network that is said to be metered holds a device",
    arguments: [("yes", true), ("yes (guessed)", true), ("no", false), ("unknown", false)])
  func metered(answer: String, isMetered: Bool) {
    let gate = UnmeteredGate { answer }
    #expect(gate.reason(in: noon) == (isMetered ? .metered : nil))
    #expect(UnmeteredGate { nil }.reason(in: noon) == nil)
  }

  @Test("All gates that are closed give their reasons, in their order")
  func policy() throws {
    var policy = EdgePolicy()
    policy.gates = [HoursGate(begin: 0, end: 60), UnmeteredGate { "yes" }, UnmeteredGate { "no" }]
    #expect(policy.reasons(in: noon) == [.outsideHours, .metered])
    #expect(EdgePolicy().reasons(in: noon).isEmpty)
  }

  @Test("Training runs on a thread of its own, after everything else on the machine")
  func niceness() async {
    let (mine, theirs) = await TrainingThread.run(niceness: 7) {
      (getpriority(.init(0), 0), pthread_self())
    }
    #expect(mine == 7)
    #expect(theirs != pthread_self())
    #expect(getpriority(.init(0), 0) != 7)
  }
}
