// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// How numbers and words are written in reports.
enum Wording {
  /// Text as it may stand in HTML and SVG, between tags and inside of quoted attributes.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t", "\r": result.unicodeScalars.append(scalar)
      // Other control characters have no place in XML.
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A decimal with a fixed number of digits behind the point.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "−∞" : "∞" }
    return String(format: "%.\(digits)f", value).replacing("-", with: "−")
  }

  /// A coordinate in SVG.
  static func coordinate(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    return String(format: "%.1f", value)
  }

  static func percent(_ value: Double, digits: Int = 2) -> String {
    "\(fixed(value * 100, digits))\u{202F}%"
  }

  /// A number with as many digits as matter: 0.0123, 1.23, 12.3, 123, 1.2e7.
  static func significant(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return fixed(value, 0) }
    let size = abs(value)
    if size >= 1e6 || size < 1e-4 { return String(format: "%.3g", value) }
    return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4)
  }

  /// A tick of an axis: the shortest form.
  static func tick(_ value: Double) -> String {
    if abs(value) < 1e-12 { return "0" }
    return String(format: "%.6g", value).replacing("-", with: "−")
  }

  /// Time as people say it; `number` writes what is under two minutes.
  static func seconds(_ value: Double, _ number: (Double) -> String = significant) -> String {
    guard value.isFinite else { return fixed(value, 0) }
    if value < 1 { return "\(number(value * 1000))\u{202F}ms" }
    if value < 120 { return "\(number(value))\u{202F}s" }
    let whole = Int(value.rounded())
    return whole < 7200
      ? "\(whole / 60)\u{202F}min \(whole % 60)\u{202F}s"
      : "\(whole / 3600)\u{202F}h \(whole % 3600 / 60)\u{202F}min"
  }

  /// Bytes in decimal units.
  static func bytes(
    _ value: Double, _ number: (Double) -> String = significant
  ) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var size = value
    var unit = 0
    while size >= 1000, unit < units.count - 1 {
      size /= 1000
      unit += 1
    }
    return "\(unit == 0 ? fixed(size, 0) : number(size))\u{202F}\(units[unit])"
  }

  /// A whole number in groups of three digits.
  static func grouped(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var result = value < 0 ? "−" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { result += "," }
      result.append(digit)
    }
    return result
  }

  /// "mean ± deviation" in the format given; the mean alone where there is no deviation.
  static func meanAndDeviation(_ values: [Double], _ format: (Double) -> String) -> String? {
    guard let mean = mean(values) else { return nil }
    guard let deviation = standardDeviation(values) else { return format(mean) }
    return "\(format(mean)) ± \(format(deviation))"
  }
}
