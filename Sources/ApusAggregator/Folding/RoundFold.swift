// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusAlgorithms
package import ApusNumerics
package import ApusWire
internal import Synchronization

/// An update on its way into a round's sum.
package struct FoldItem: Sendable {
  var device: UInt64
  var blob: BlobDigest
  var format: NumberFormat
  /// As the device declared it.
  var weight: Int

  package init(device: UInt64, blob: BlobDigest, format: NumberFormat, weight: Int) {
    self.device = device
    self.blob = blob
    self.format = format
    self.weight = weight
  }
}

/// The sum of a round's updates, as it grows.
///
/// Its memory is 8 bytes a parameter, whatever the number of updates: these stay in their blobs, which are
/// mapped while they are added. Now and then the sum is written to a file together with who is in it;
/// a restarted aggregator adds the others, and because sums are exact the result has the same bits.
package final class RoundFold: Sendable {
  private struct State {
    var sum: WeightedSum<ParameterVector>?
    var devices: [UInt64] = []
    var sinceCheckpoint = 0
    /// Time that went into adding them.
    var unsaved = Duration.zero
  }

  let parameterCount: Int
  let bounds: ExactSum.Bounds
  private let rule: any LinearAggregationRule<ParameterVector>
  private let checkpoint: FoldCheckpoint
  private let open: @Sendable (BlobDigest) throws -> MappedBlob
  private let state = Mutex(State())

  /// A sum is written when so much time went into it since the last time: a sum of a large model takes as long to
  /// write as dozens of its updates take to add once more.
  static let checkpointWork = Duration.seconds(2)

  package init(
    parameterCount: Int, bounds: ExactSum.Bounds,
    rule: any LinearAggregationRule<ParameterVector>, checkpoint: FoldCheckpoint,
    opening open: @escaping @Sendable (BlobDigest) throws -> MappedBlob
  ) {
    self.parameterCount = parameterCount
    self.bounds = bounds
    self.rule = rule
    self.checkpoint = checkpoint
    self.open = open
  }

  /// Adds updates, at most eight in one pass.
  ///
  /// - Returns: why an update was not added, by device; what was checked before is not refused here.
  /// - Throws: where a blob or the checkpoint's file cannot be read or written.
  package func add(_ items: [FoldItem]) throws -> [UInt64: String] {
    var refused: [UInt64: String] = [:]
    for start in stride(from: 0, to: items.count, by: ExactSum.foldWidth) {
      let batch = Array(items[start..<min(start + ExactSum.foldWidth, items.count)])
      let begin = ContinuousClock.now
      let blobs = try batch.map { try open($0.blob) }
      try state.withLock { state in
        if state.sum == nil {
          state.sum = try WeightedSum(lengths: [parameterCount], bounds: bounds)
        }
        refused.merge(add(batch, blobs, to: &state)) { _, new in new }
        state.unsaved += ContinuousClock.now - begin
      }
      Failpoint.midFold.hit()
      try writeIfDue()
    }
    return refused
  }

  private func add(
    _ batch: [FoldItem], _ blobs: [MappedBlob], to state: inout State
  ) -> [UInt64: String] {
    let sources = zip(batch, blobs).map { item, blob in source(item, in: blob) }
    var refused: [UInt64: String] = [:]
    withExtendedLifetime(blobs) {
      do {
        try state.sum?.add(folding: sources, by: rule, sharedBy: Compute.forEach)
      } catch {
        // One of them spoils the pass: add the others one by one.
        for (item, source) in zip(batch, sources) {
          do throws(AlgorithmError) {
            try state.sum?.add(folding: [source], by: rule, sharedBy: Compute.forEach)
          } catch {
            refused[item.device] = error.code.rawValue
          }
        }
      }
    }
    let added = batch.map(\.device).filter { refused[$0] == nil }
    state.devices += added
    state.sinceCheckpoint += added.count
    return refused
  }

  private func source(_ item: FoldItem, in blob: MappedBlob) -> ExactSum.Source {
    let bytes = blob.bytes
    let count = bytes.count / item.format.byteCount
    guard item.format != .float32, let base = bytes.baseAddress else {
      let numbers = bytes.assumingMemoryBound(to: Float.self)
      guard let base = numbers.baseAddress else {
        return ExactSum.Source(.decoded { _, _ in }, count: 0, weight: item.weight)
      }
      return ExactSum.Source(.inPlace(base), count: count, weight: item.weight)
    }
    let view = SharedBytes(base: base, count: bytes.count)
    return ExactSum.Source(
      .decoded { range, numbers in item.format.decode(view.bytes, range: range, into: numbers) },
      count: count, weight: item.weight)
  }

  // Sendable: a mapped blob is never written to, and is kept until the pass is over.
  private struct SharedBytes: @unchecked Sendable {
    let base: UnsafeRawPointer
    let count: Int
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
  }

  /// The devices whose updates are in the sum.
  var devices: [UInt64] { state.withLock { $0.devices } }

  /// Goes on from the checkpoint, where there is a sound one that has only updates that are expected.
  ///
  /// - Parameter expected: the devices whose updates were accepted.
  /// - Returns: the devices whose updates are in the sum.
  func restore(expecting expected: Set<UInt64>) -> Set<UInt64> {
    guard let (devices, sum) = checkpoint.read(parameterCount: parameterCount),
      sum.bounds == bounds, sum.contributionCount == devices.count,
      Set(devices).count == devices.count, expected.isSuperset(of: devices)
    else { return [] }
    state.withLock { state in
      state.sum = sum
      state.devices = devices
    }
    return Set(devices)
  }

  private func writeIfDue() throws {
    try state.withLock { state in
      guard state.sinceCheckpoint > 0, state.unsaved >= Self.checkpointWork else { return }
      try write(&state)
    }
  }

  /// Writes the sum now, where something is not in the file yet.
  func writeCheckpoint() throws {
    try state.withLock { state in if state.sinceCheckpoint > 0 { try write(&state) } }
  }

  private func write(_ state: inout State) throws {
    guard let sum = state.sum else { return }
    try checkpoint.write(sum, devices: state.devices)
    state.sinceCheckpoint = 0
    state.unsaved = .zero
  }

  /// The mean of what was added, and the memory of the sum given back; nil where nothing was added.
  package func takeMean() -> ParameterVector? {
    state.withLock { state in
      let mean = state.sum?.mean()
      state.sum = nil
      return mean
    }
  }

  /// Gives the memory back and removes the file.
  package func discard() {
    state.withLock { $0 = State() }
    checkpoint.remove()
  }
}
