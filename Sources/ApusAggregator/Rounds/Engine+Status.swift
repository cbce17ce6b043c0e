// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

// What people ask of the whole.
extension Engine {
  func status() -> Proto.ServerStatus {
    Proto.ServerStatus {
      $0.serverEpoch = epoch
      $0.state = state.rawValue
      $0.waitingDevices = UInt64(waitingCount)
      $0.enrolledDevices = UInt64(devices.count)
      $0.runningTasks = UInt64(tasks.values.count { $0.machine.state == .running })
      $0.leases = UInt64(leases.count)
      $0.serverTimeMs = UInt64(max(clock.wall(), 0))
    }
  }

  /// Fills in what is known of a device here.
  func fill(_ info: inout Proto.DeviceInfo, of record: DeviceRecord) async {
    guard record.role == .device else { return }
    let number = record.number
    info.connected = devices[number]?.waiter != nil
    let counts = try? await store.read { try $0.counts(ofDevice: number) }
    info.roundsCounted = counts?.counted ?? 0
    info.updatesRejected = counts?.rejected ?? 0
    info.leasesLost = counts?.lost ?? 0
  }
}
