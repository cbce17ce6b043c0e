// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// How one of a device's rounds ended.
public struct RoundNote: Hashable, Sendable {
  /// Seconds since 1970 (UTC), by the device's clock.
  public var time: Int64
  public var task: String
  /// Counted from 0.
  public var round: UInt64
  /// `accepted`, `duplicate`, `not-needed`, `rejected`, `abandoned` or `lost`.
  public var outcome: String
  /// A code; empty where there is nothing to say.
  public var reason: String
  /// Examples that the update counts for; 0 where there was none.
  public var weight: UInt64
  /// Seconds of training.
  public var seconds: Double

  public init(
    time: Int64, task: String, round: UInt64, outcome: String, reason: String, weight: UInt64,
    seconds: Double
  ) {
    self.time = time
    self.task = task
    self.round = round
    self.outcome = outcome
    self.reason = reason
    self.weight = weight
    self.seconds = seconds
  }

  /// Words on one line; what a peer said loses its blanks.
  var line: String {
    let words = [task, outcome, reason].map { word in
      let kept = word.unicodeScalars.prefix(100).map { scalar in
        scalar.value > 0x20 && scalar.value < 0x7f ? Character(scalar) : "_"
      }
      return kept.isEmpty ? "-" : String(kept)
    }
    return "\(time) \(words[0]) \(round) \(words[1]) \(words[2]) \(weight) \(seconds)"
  }

  init?(_ line: Substring) {
    let words = line.split(separator: " ").map(String.init)
    guard words.count == 7, let time = Int64(words[0]), let round = UInt64(words[2]),
      let weight = UInt64(words[5]), let seconds = Double(words[6])
    else { return nil }
    self.init(
      time: time, task: words[1], round: round, outcome: words[3],
      reason: words[4] == "-" ? "" : words[4], weight: weight, seconds: seconds)
  }
}
