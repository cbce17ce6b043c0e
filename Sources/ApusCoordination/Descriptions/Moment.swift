// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Moments as the wire has them, and as programs read them.
package enum Moment {
  /// `2026-11-21T12:04:13.007Z`.
  ///
  /// - Parameter milliseconds: since 1970 (UTC); 0 for no moment.
  /// - Returns: nil for no moment.
  package static func text(_ milliseconds: UInt64) -> String? {
    guard let date = date(milliseconds) else { return nil }
    return date.formatted(
      Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt))
  }

  static func date(_ milliseconds: UInt64) -> Date? {
    // Beyond the year 9999 no formatter is of help.
    guard milliseconds > 0, milliseconds < 253_402_300_800_000 else { return nil }
    return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
  }
}

/// Bytes as people and programs write digests.
func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
