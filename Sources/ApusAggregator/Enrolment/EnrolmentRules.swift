// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// What names and labels may be.
enum EnrolmentRules {
  static let nameLimit = 100
  static let labelLimit = 16

  /// - Throws: `invalidArgument`.
  static func check(name: String) throws(RPCError) {
    guard name.utf8.count <= nameLimit else {
      throw RPCError(
        .invalidArgument, "A device's name has at most \(nameLimit) bytes.", reason: "bad-name")
    }
    guard isPrintable(name) else {
      throw RPCError(
        .invalidArgument, "A device's name has no control characters.", reason: "bad-name")
    }
  }

  /// - Throws: `invalidArgument`.
  static func check(labels: [String: String]) throws(RPCError) {
    guard labels.count <= labelLimit else {
      throw RPCError(
        .invalidArgument, "There are at most \(labelLimit) labels.", reason: "bad-labels")
    }
    for (name, value) in labels {
      guard !name.isEmpty, name.utf8.count <= nameLimit, value.utf8.count <= nameLimit,
        isPrintable(name), isPrintable(value), !name.contains("=")
      else {
        throw RPCError(
          .invalidArgument,
          "A label is NAME=VALUE of at most \(nameLimit) bytes each, without control characters.",
          reason: "bad-labels")
      }
    }
  }

  private static func isPrintable(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      // Also what would turn the direction of a line of a table round.
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
      default: true
      }
    }
  }
}
