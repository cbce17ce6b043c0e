// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAggregator
internal import ApusAlgorithms
internal import ApusNumerics
internal import ApusWire
internal import Foundation
internal import Synchronization

/// `apus-bench fold DIRECTORY UPDATES PARAMETERS TIMES`: an aggregator's sum over updates that are in files, as the
/// blobs of a round are, and its mean; checkpoints included.
///
/// Ten different updates are written and added in turn, so that the peers' fit into the same machine. With each time
/// goes that of the checks that every update passes before it is accepted, and how much memory was taken.
enum FoldTiming {
  private static let distinctCount = 10

  static func run(in directory: String, updates: Int, parameters: Int, times: Int) throws {
    let paths = try (0..<distinctCount).map { index in
      let path = "\(directory)/update-\(index)"
      try write(parameters, seed: index, to: path)
      return path
    }
    let check = UpdateCheck(
      layoutDigest: [], parameterCount: parameters, format: .float32, coordinateBound: 1,
      normBound: 1e9, weightBound: 1000)
    var (folds, checks): ([Double], [Double]) = ([], [])
    let memory = MemoryWatch()
    for time in 0..<times {
      let begin = Timer.now()
      for index in 0..<updates {
        let blob = try MappedBlob(paths[index % distinctCount], isReadWhole: true)
        guard blob.withBytes({ check.refusal(of: $0) }) == nil else {
          throw BenchmarkError("an update is refused")
        }
      }
      checks.append(Timer.now() - begin)
      folds.append(try fold(paths, updates: updates, parameters: parameters, time, in: directory))
    }
    try Figure(
      "fold", unit: "s", samples: folds,
      also: [
        "checkSeconds": checks.median,
        "modelsOfMemory": Double(memory.end()) / Double(4 * parameters),
      ]
    ).printed()
  }

  private static func fold(
    _ paths: [String], updates: Int, parameters: Int, _ time: Int, in directory: String
  ) throws -> Double {
    let digests = try (0..<updates).map { index in
      guard
        let digest = BlobDigest(bytes: [UInt8](repeating: UInt8(index % distinctCount), count: 32))
      else { throw BenchmarkError("no digest") }
      return digest
    }
    let begin = Timer.now()
    let fold = RoundFold(
      parameterCount: parameters,
      bounds: ExactSum.Bounds(coordinate: 1, weight: 1000, contributions: updates),
      rule: WeightedMean<ParameterVector>(),
      checkpoint: FoldCheckpoint(
        in: directory, for: RoundKey(task: "bench", round: UInt64(time), attempt: 1)),
      opening: { try MappedBlob(paths[Int($0.bytes[0])], isReadWhole: true) })
    // As many at once as the aggregator gives to a fold.
    for first in stride(from: 0, to: updates, by: 32) {
      let refused = try fold.add(
        (first..<min(first + 32, updates)).map { index in
          FoldItem(
            device: UInt64(index), blob: digests[index], format: .float32, weight: index % 7 + 1)
        })
      guard refused.isEmpty else { throw BenchmarkError("an update is refused") }
    }
    guard let mean = fold.takeMean(), mean.isFinite else { throw BenchmarkError("no mean") }
    let seconds = Timer.now() - begin
    fold.discard()
    return seconds
  }

  private static func write(_ count: Int, seed: Int, to path: String) throws {
    var stream = RandomStream(key: UInt64(seed), nonce: 0)
    var numbers = [Float](repeating: 0, count: count)
    for index in numbers.indices { numbers[index] = Float.random(in: -0.1...0.1, using: &stream) }
    try numbers.withUnsafeBytes { try Data($0).write(to: URL(filePath: path)) }
  }
}

/// Looks again and again at how much memory of its own, files excluded, the process has.
private final class MemoryWatch: Sendable {
  private let state = Mutex((peak: 0, isOver: false))

  init() {
    Thread.detachNewThread { [self] in
      while !state.withLock(\.isOver) {
        let now = Self.anonymousBytes()
        state.withLock { $0.peak = max($0.peak, now) }
        Thread.sleep(forTimeInterval: 0.002)
      }
    }
  }

  /// The most that was seen.
  func end() -> Int {
    state.withLock {
      $0.isOver = true
      return $0.peak
    }
  }

  private static func anonymousBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }
}
