// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CLimits

/// Adding eight updates to a sum, round and round, as a server does with what its clients send.
struct ExactSums {
  enum Method {
    /// `ExactSum.add(_:weight:)` for each: 20 bytes a coordinate (an update read, the sum read and written).
    case singly
    /// `ExactSum.add(folding:)` of all eight: 6 bytes a coordinate and update.
    case folded
    /// Not exact: floats are added to floats, 12 bytes a coordinate. What memory lets through.
    case axpy
  }

  let count: Int
  let method: Method

  /// The samples are of one update each.
  func measure(_ work: String, timer: Timer) throws -> Figure {
    let updates = (0..<ExactSum.foldWidth).map { update(number: $0) }
    let samples =
      switch method {
      case .axpy: sums(of: updates, timer: timer)
      case .singly, .folded: try exactSums(of: updates, timer: timer)
      }
    let bytes =
      switch method {
      case .singly: 20.0
      case .folded: 6.0
      case .axpy: 12.0
      }
    return Figure(
      work, unit: "s", samples: samples,
      also: [
        "gbps": bytes * Double(count) / samples.median * 1e-9,
        "nanosecondsPerCoordinate": samples.median / Double(count) * 1e9,
      ])
  }

  private func exactSums(of updates: [ParameterVector], timer: Timer) throws -> [Double] {
    let contributions = updates.map { ExactSum.Contribution(update: $0, weight: 600) }
    var sum = try ExactSum(
      count: count, bounds: .init(coordinate: 4096, weight: 600, contributions: 1 << 24))
    let samples = try timer.samples {
      if method == .folded {
        try sum.add(folding: contributions)
      } else {
        for (update, weight) in contributions { try sum.add(update, weight: weight) }
      }
    }
    guard sum.contributionCount >= updates.count else {
      throw BenchmarkError("Nothing was added.")
    }
    return samples.map { $0 / Double(updates.count) }
  }

  private func sums(of updates: [ParameterVector], timer: Timer) -> [Double] {
    var sum = ParameterVector(count: count)
    let samples = timer.samples {
      sum.withUnsafeMutableBufferPointer { sum in
        for update in updates {
          update.withUnsafeBufferPointer {
            limits_axpy(count, 0.5, $0.baseAddress, sum.baseAddress)
          }
        }
      }
    }
    return samples.map { $0 / Double(updates.count) }
  }

  private func update(number: Int) -> ParameterVector {
    var update = ParameterVector(count: count)
    let numbers = Numbers(count, from: UInt32(number))
    update.withUnsafeMutableBufferPointer {
      _ = $0.update(fromContentsOf: UnsafeBufferPointer(start: numbers.base, count: count))
    }
    return update
  }
}
