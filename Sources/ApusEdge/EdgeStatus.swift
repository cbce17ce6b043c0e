// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// What a state directory tells of its device, whether a process works in it or not.
public struct EdgeStatus: Sendable {
  public var member: EdgeMember
  /// Whether a process works in the directory now.
  public var isRunning: Bool
  /// Work that is waiting for the next process, or under way; nil where there is none.
  public var unfinished: String?
  public var cacheByteCount: Int
  public var cacheFileCount: Int
  /// The last rounds, oldest first.
  public var rounds: [RoundNote]
  /// What gates are to be asked with.
  public var context: GateContext

  /// - Throws: ``EdgeError``, `not-joined` where there is no identity in the directory.
  public init(of directory: String) throws(EdgeError) {
    member = try EdgeMember(in: directory)
    isRunning = StateDirectory.isInUse(directory)
    let cache = BlobCache(path: directory + "/cache", limit: 0)
    cacheByteCount = cache.byteCount()
    cacheFileCount = cache.digests().count
    rounds = StateDirectory.notes(in: directory)
    context = GateContext(minuteOfDay: minuteOfDay())
    if let bytes = StateFile.read(directory + "/work", limit: 64 << 20),
      let record = WorkRecord(String(decoding: bytes, as: UTF8.self))
    {
      let stage = record.update == nil ? "begun" : "trained, not yet handed in"
      unfinished = "round \(record.assignment.round) of \(record.assignment.taskId): \(stage)"
    }
  }
}
