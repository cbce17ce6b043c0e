// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where each value of a program lies in the one run of memory that it has.
///
/// Values that are not alive at the same time share memory. Positions are in words of 4 bytes; every
/// value begins on a cache line.
public struct MemoryPlan: Hashable, Sendable {
  /// A run of memory and the steps during which it holds something.
  public struct Buffer: Hashable, Sendable {
    public let offset: Int
    public let count: Int
    /// From the step that writes it to the last one that reads it; the input is there from step −1.
    public let lifetime: ClosedRange<Int>
  }

  /// What a plan is made from.
  struct Request: Hashable {
    let count: Int
    let lifetime: ClosedRange<Int>
  }

  public let buffers: [Buffer]
  /// How many words there are in all.
  public let wordCount: Int
  /// How many words there would be if no memory was shared.
  public let unplannedWordCount: Int

  static let alignment = 16

  /// Places the largest first, each in the smallest gap that is free during its lifetime.
  ///
  /// - Complexity: O(k² log k) for k buffers.
  init(_ requests: [Request]) {
    let sizes = requests.map { max(Self.aligned($0.count), Self.alignment) }
    var offsets = [Int](repeating: 0, count: requests.count)
    var placed: [Int] = []
    for index in requests.indices.sorted(by: { (sizes[$1], $0) < (sizes[$0], $1) }) {
      let neighbours = placed.filter { requests[$0].lifetime.overlaps(requests[index].lifetime) }
        .sorted { offsets[$0] < offsets[$1] }
      var best: (offset: Int, size: Int)?
      var end = 0
      for neighbour in neighbours {
        let gap = offsets[neighbour] - end
        if gap >= sizes[index], gap < best?.size ?? .max { best = (end, gap) }
        end = max(end, offsets[neighbour] + sizes[neighbour])
      }
      offsets[index] = best?.offset ?? end
      placed.append(index)
    }
    buffers = requests.indices.map {
      Buffer(offset: offsets[$0], count: requests[$0].count, lifetime: requests[$0].lifetime)
    }
    wordCount = requests.indices.map { offsets[$0] + sizes[$0] }.max() ?? 0
    unplannedWordCount = sizes.reduce(0, +)
  }

  private static func aligned(_ count: Int) -> Int {
    (count + alignment - 1) / alignment * alignment
  }
}

extension MemoryPlan: CustomStringConvertible {
  public var description: String {
    "\(buffers.count) buffers in \(Self.megabytes(wordCount))"
      + " (\(Self.megabytes(unplannedWordCount)) unplanned)"
  }

  private static func megabytes(_ words: Int) -> String {
    let tenths = (words * 4 + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10) MB"
  }
}
