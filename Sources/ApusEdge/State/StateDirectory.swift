// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusWire

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a device keeps between processes.
///
/// ```
/// key.pem certificate.pem authority.pem address    who it is, and where its federation is
/// work                                             the assignment and, once trained, the key of its submission
/// update                                           the update's bytes, written before `work` names them
/// cache/                                           plans and models, named by digest
/// rounds                                           a line for each of the last answers
/// lock                                             held by the process that works here
/// ```
///
/// Work in progress survives the kill of the process at any moment, and costs no `fsync`: after a power failure it
/// is whole, or told not to be by its digest, and then the device trains once more. Nothing is counted
/// twice for it: a round takes one update of a device, whatever its key.
final class StateDirectory: Sendable {
  let path: String
  private let lock: Int32

  static let lockFile = "lock"
  static let roundLimit = 100
  /// Bytes from which on the oldest lines of `rounds` are dropped.
  private static let roundFileLimit = 1 << 16

  /// Opens the directory for this process alone.
  ///
  /// - Throws: `in-use` while another process works in it; `file-system`.
  init(_ path: String) throws(EdgeError) {
    self.path = path
    try StateFile.makeDirectory(path + "/cache")
    let file = path + "/" + Self.lockFile
    lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw StateFile.failure("open", file) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw EdgeError(
        .inUse, "Another process works in \(path). Stop it first, or take another --state.")
    }
  }

  deinit {
    release()
    close(lock)
  }

  /// Lets another process work here, also where a child that is being started has a copy of the descriptor.
  func release() { _ = flock(lock, LOCK_UN) }

  /// Whether a process works in a directory.
  static func isInUse(_ path: String) -> Bool {
    let descriptor = open(path + "/" + lockFile, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return true }
    _ = flock(descriptor, LOCK_UN)
    return false
  }

  var cache: String { path + "/cache" }
  var updateFile: String { path + "/update" }
  private var workFile: String { path + "/work" }

  // MARK: Work

  /// Notes that an assignment was taken on; `update` where it was trained already.
  func save(_ assignment: Proto.Assignment, update: TrainedUpdate? = nil) throws(EdgeError) {
    var record = WorkRecord(assignment: assignment, update: update)
    record.granted = SystemClock.uptime ?? .zero
    record.boot = SystemClock.boot
    try overwriteWork(with: record.text)
  }

  private func overwriteWork(with text: String) throws(EdgeError) {
    try StateFile.overwrite(workFile, with: Array(text.utf8))
  }

  /// Writes an update's bytes, while `work` names none.
  func save(update bytes: UnsafeRawBufferPointer) throws(EdgeError) {
    try StateFile.overwrite(updateFile, with: bytes)
  }

  /// What an earlier process left; nil where there is nothing, or nothing that is whole.
  func savedWork() -> SavedWork? {
    guard let bytes = StateFile.read(workFile, limit: 64 << 20),
      let record = WorkRecord(String(decoding: bytes, as: UTF8.self))
    else { return nil }
    var saved = SavedWork(assignment: record.assignment, update: record.update)
    if let update = record.update, !isWhole(update) { saved.update = nil }
    if let boot = record.boot, boot == SystemClock.boot, let now = SystemClock.uptime {
      let spent = now - record.granted
      saved.leaseLeft = Duration(clampedMilliseconds: record.assignment.leaseMs) - spent
      saved.deadlineLeft =
        Duration(clampedMilliseconds: record.assignment.reportDeadlineMs) - spent
    }
    return saved
  }

  private func isWhole(_ update: TrainedUpdate) -> Bool {
    MappedFile(updateFile)?.manifest(ofFirst: update.size)?.digest.bytes == update.update.blob
  }

  /// Notes that nothing is under way any more.
  ///
  /// The update's file stays, and the next one is written over it: a new file each round costs more than its bytes.
  func forget() {
    do { try overwriteWork(with: WorkRecord.nothing) } catch { StateFile.remove(workFile) }
  }

  // MARK: What was

  /// Adds a line to the record of the last rounds; a record that cannot be written stops nothing.
  func note(_ round: RoundNote) {
    let file = path + "/rounds"
    // After a line that was cut off, too.
    guard let length = try? StateFile.append(Array("\n\(round.line)\n".utf8), to: file),
      length > Self.roundFileLimit
    else { return }
    let text = Self.notes(in: path).map(\.line).joined(separator: "\n") + "\n"
    try? StateFile.replace(file, with: Array(text.utf8))
  }

  /// The last rounds of the device that lives in a directory, oldest first.
  static func notes(in path: String) -> [RoundNote] {
    guard let bytes = StateFile.read(path + "/rounds", limit: 1 << 20) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(roundLimit)
      .compactMap { RoundNote($0) }
  }
}

/// The file `work`: lines of a name and a value, so that a person can read most of it.
struct WorkRecord: Hashable {
  var assignment: Proto.Assignment
  var update: TrainedUpdate?
  /// Since the machine started.
  var granted = Duration.zero
  var boot: String?

  init(assignment: Proto.Assignment, update: TrainedUpdate?) {
    self.assignment = assignment
    self.update = update
  }

  private static let heading = "apus-work 1"

  var text: String {
    var lines = [Self.heading]
    lines.append("granted \(granted.milliseconds)")
    if let boot { lines.append("boot \(boot)") }
    if let update {
      lines.append("key \(SHA256.hexadecimal(update.idempotencyKey))")
      lines.append("size \(update.size)")
      lines.append("update \(SHA256.hexadecimal(update.update.encoded()))")
    }
    lines.append("assignment \(SHA256.hexadecimal(assignment.encoded()))")
    let text = lines.joined(separator: "\n") + "\n"
    // What follows is of an older record.
    return text + "end \(Self.digest(of: text))\n"
  }

  /// What the file has when there is no work.
  static let nothing = heading + "\nend none\n"

  /// Tells whether a file that was written over an older one is whole.
  private static func digest(of text: some StringProtocol) -> String {
    Array(text.utf8).withUnsafeBytes { SHA256.hexDigest(of: $0) }
  }

  /// Nil for what is no such file, or only the beginning of one.
  init?(_ text: String) {
    let lines = text.split(separator: "\n")
    guard lines.first == Self.heading[...], let end = lines.first(where: { $0.hasPrefix("end ") }),
      end.dropFirst(4) == Self.digest(of: text[..<end.startIndex])
    else { return nil }
    var values: [Substring: Substring] = [:]
    for line in lines.prefix(while: { $0 != end }) {
      let parts = line.split(separator: " ", maxSplits: 1)
      if parts.count == 2 { values[parts[0]] = parts[1] }
    }
    guard let assignment = Self.bytes(values["assignment"]),
      let assignment = try? Proto.Assignment(decoding: assignment),
      let granted = values["granted"].flatMap({ Int64($0) })
    else { return nil }
    self.assignment = assignment
    self.granted = .milliseconds(granted)
    boot = values["boot"].map(String.init)
    if let key = Self.bytes(values["key"]), key.count == 16,
      let size = values["size"].flatMap({ Int($0) }), size >= 0,
      let update = Self.bytes(values["update"]),
      let update = try? Proto.Update(decoding: update)
    {
      self.update = TrainedUpdate(idempotencyKey: key, update: update, size: size)
    }
  }

  private static func bytes(_ digits: Substring?) -> [UInt8]? {
    guard let digits = digits.map({ Array($0.utf8) }), digits.count.isMultiple(of: 2) else {
      return nil
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
