// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// What a measurement says: one line of JSON.
struct Figure: Encodable {
  var work: String
  var side = "apus"
  /// Of the median and the samples.
  var unit: String
  /// The median of the samples, or one figure for all of them.
  var median: Double
  /// How many times the work was timed.
  var count: Int
  /// Figures that go with it: rates, operations, bytes.
  var also: [String: Double] = [:]

  init(_ work: String, unit: String, samples: [Double], also: [String: Double] = [:]) {
    self.work = work
    self.unit = unit
    median = samples.median
    count = samples.count
    self.also = also
  }

  func printed() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(self), as: UTF8.self))
    fflush(nil)
  }
}

extension [Double] {
  /// The middle one, or the mean of the two in the middle; NaN where there are none.
  var median: Double {
    guard !isEmpty else { return .nan }
    let sorted = self.sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}

/// Times work until the time for it is up.
struct Timer {
  /// For how long to measure.
  let seconds: Double

  /// - Parameters:
  ///   - warmUps: calls before the first one that is timed.
  ///   - body: the work.
  /// - Returns: the seconds of each call; three or more.
  func samples(warmUps: Int = 2, of body: () throws -> Void) rethrows -> [Double] {
    for _ in 0..<warmUps { try body() }
    var samples: [Double] = []
    let start = Self.now()
    while samples.count < 3 || Self.now() - start < seconds {
      let before = Self.now()
      try body()
      samples.append(Self.now() - before)
    }
    return samples
  }

  /// Seconds on a clock that only goes forward.
  static func now() -> Double {
    Double(DispatchTime.now().uptimeNanoseconds) * 1e-9
  }
}

/// Why something could not be measured.
struct BenchmarkError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
