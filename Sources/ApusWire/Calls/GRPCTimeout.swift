// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The header `grpc-timeout`: at most eight digits and a unit.
enum GRPCTimeout {
  private static let units: [(letter: Character, length: Duration)] = [
    ("n", .nanoseconds(1)), ("u", .microseconds(1)), ("m", .milliseconds(1)), ("S", .seconds(1)),
    ("M", .seconds(60)), ("H", .seconds(3600)),
  ]

  /// In the finest unit that is enough, rounded up; 0n for what is not above zero.
  static func format(_ timeout: Duration) -> String {
    for (letter, length) in units {
      let count = max(timeout, .zero) / length
      if count.rounded(.up) < 100_000_000 { return "\(Int(count.rounded(.up)))\(letter)" }
    }
    return "99999999H"
  }

  /// Nil for what is no timeout.
  static func parse(_ text: String) -> Duration? {
    guard let letter = text.last, let unit = units.first(where: { $0.letter == letter }),
      1...8 ~= text.count - 1, text.dropLast().allSatisfy({ $0.isASCII && $0.isNumber }),
      let count = Int(text.dropLast())
    else { return nil }
    return unit.length * count
  }
}
