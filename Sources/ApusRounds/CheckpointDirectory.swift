// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A directory with the last two checkpoints of a run.
///
/// Two, because then a file that the disk lost costs some rounds and not the run. One process writes in it
/// at a time.
public struct CheckpointDirectory: Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  /// Writes a checkpoint; when it is safely there, removes all others but the one before it.
  ///
  /// - Parameter checkpoint: of a later round than those that are there.
  /// - Throws: ``RoundError/Code/inputOutput``; what was there is then still there.
  public func write(_ checkpoint: Checkpoint) throws(RoundError) {
    if mkdir(path, 0o777) != 0, errno != EEXIST {
      throw RoundError(
        .inputOutput, "Cannot create the directory \(path): \(String(cString: strerror(errno))).")
    }
    try checkpoint.write(to: file(ofRound: checkpoint.round))
    let rounds = try rounds()
    let previous = rounds.last { $0 < checkpoint.round }
    for round in rounds where round != checkpoint.round && round != previous {
      // Not removed is not lost: the next one tries again.
      _ = unlink(file(ofRound: round))
    }
    for name in try names() where name.hasPrefix(".round-") && name.hasSuffix(".tmp") {
      _ = unlink("\(path)/\(name)")
    }
  }

  /// The newest checkpoint that is sound; nil where there is none at all.
  ///
  /// - Parameter report: told of every damaged one that was passed over.
  /// - Returns: a checkpoint, whose run has to be checked.
  /// - Throws: ``RoundError``: `damaged-checkpoint` where there are some and none is sound; `input-output`
  ///   and `unknown-version` for the newest that is not damaged.
  public func latest(
    passingOver report: (RoundError) -> Void = { _ in }
  ) throws(RoundError) -> Checkpoint? {
    var firstError: RoundError?
    for round in try rounds().reversed() {
      do {
        return try Checkpoint(contentsOf: file(ofRound: round))
      } catch {
        guard error.code == .damagedCheckpoint else { throw error }
        report(error)
        firstError = firstError ?? error
      }
    }
    if let firstError { throw firstError }
    return nil
  }

  private func file(ofRound round: Int) -> String { "\(path)/\(Self.name(ofRound: round))" }

  private static func name(ofRound round: Int) -> String {
    let digits = String(round)
    let zeros = String(repeating: "0", count: max(0, 8 - digits.count))
    return "round-\(zeros)\(digits).safetensors"
  }

  /// The rounds of the checkpoints that are there, rising.
  private func rounds() throws(RoundError) -> [Int] {
    try names().compactMap { name in
      guard name.hasPrefix("round-"), name.hasSuffix(".safetensors") else { return nil }
      let round = Int(name.dropFirst(6).dropLast(12))
      return round.flatMap { Self.name(ofRound: $0) == name ? $0 : nil }
    }.sorted()
  }

  /// The names of all files; none where there is no directory.
  private func names() throws(RoundError) -> [String] {
    guard let directory = opendir(path) else {
      if errno == ENOENT { return [] }
      throw RoundError(
        .inputOutput, "Cannot read the directory \(path): \(String(cString: strerror(errno))).")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      names.append(name)
    }
    return names
  }
}
