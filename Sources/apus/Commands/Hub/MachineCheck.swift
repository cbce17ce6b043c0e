// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCatalog
internal import ApusCommands
internal import ApusData
internal import ApusNumerics
internal import ApusSimulation
internal import Foundation

/// What can be wrong with this machine.
enum MachineCheck {
  static func findings(
    dataDirectory: String?, localData: String?, environment: [String: String]
  ) -> [Finding] {
    var findings = [
      Finding.good("version", "apus \(ApusVersion.current) on \(platform)"), disk(), files(),
      clock(),
      sets(DataCatalog(directory: dataDirectory, environment: environment)),
    ]
    if let localData { findings.append(local(localData)) }
    return findings
  }

  private static var platform: String {
    #if arch(x86_64)
      let processor = "x86_64"
    #elseif arch(arm64)
      let processor = "arm64"
    #else
      let processor = "another processor"
    #endif
    return "\(ProcessInfo.processInfo.operatingSystemVersionString), \(processor), "
      + "\(ProcessInfo.processInfo.activeProcessorCount) cores, "
      + "\(Cell.bytes(ProcessInfo.processInfo.physicalMemory)) of memory"
  }

  private static func disk() -> Finding {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: ".")
    guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.uint64Value else {
      return Finding("disk", .remark, "the space on the disk cannot be read")
    }
    let message = "\(Cell.bytes(free)) free here"
    if free < 200_000_000 {
      return Finding(
        "disk", .bad, message,
        mend: "make room: models and updates are kept before they are acknowledged")
    }
    if free < 2_000_000_000 { return Finding("disk", .remark, message) }
    return .good("disk", message)
  }

  private static func files() -> Finding {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return Finding("files", .remark, "the limit of open files cannot be read")
    }
    let message =
      limit.rlim_max > 1 << 40
      ? "no limit of open files" : "at most \(Cell.count(limit.rlim_max)) open files"
    guard limit.rlim_max < 4096 else { return .good("files", message) }
    return Finding(
      "files", .remark, message,
      mend: "a hub has one for each connection: 'ulimit -Hn', or LimitNOFILE= in its systemd unit")
  }

  /// 2025, in seconds since 1970: no certificate is older.
  private static let earliest = 1_735_689_600.0

  private static func clock() -> Finding {
    let now = Date()
    let text = now.formatted(.iso8601)
    guard now.timeIntervalSince1970 < earliest else { return .good("clock", text) }
    return Finding(
      "clock", .bad, "\(text) is long ago, so that no certificate is valid yet",
      mend: "set the clock: 'timedatectl set-ntp true'")
  }

  private static func sets(_ catalog: DataCatalog) -> Finding {
    let missing = KnownSet.all.filter { catalog.location(of: $0) == .missing }.map(\.name)
    let message =
      "\(KnownSet.all.count - missing.count) of \(KnownSet.all.count) data sets are here"
    guard !missing.isEmpty else { return .good("data sets", message) }
    return Finding(
      "data sets", .good, message + "; missing: \(missing.joined(separator: ", "))")
  }

  private static func local(_ path: String) -> Finding {
    do {
      let table = try LocalData.load(path)
      let classes = table.classCount.map { ", \(Cell.count($0)) classes" } ?? ""
      return .good(
        "data", "\(path): \(Cell.count(table.count)) examples of \(table.inputShape)\(classes)")
    } catch {
      return Finding("data", .bad, error.message)
    }
  }
}
