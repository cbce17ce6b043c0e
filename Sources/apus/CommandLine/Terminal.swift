// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Synchronization

/// Where text goes: standard output or standard error, and what can be shown there.
final class Terminal: Sendable {
  /// Whether a person reads it as it comes.
  let isInteractive: Bool
  let usesColor: Bool
  /// Columns that a line may take.
  let width: Int
  private let write: @Sendable (String) -> Bool
  /// Nobody reads any more, or the disk is full: what follows is not written.
  private let isClosed = Atomic(false)

  init(
    isInteractive: Bool, usesColor: Bool, width: Int, writingWith write: @escaping @Sendable (String) -> Bool
  ) {
    self.isInteractive = isInteractive
    self.usesColor = usesColor
    self.width = width
    self.write = write
  }

  /// A file descriptor of the process.
  convenience init(descriptor: Int32, environment: [String: String]) {
    let isInteractive = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
    var size = winsize()
    let hasSize = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    self.init(
      isInteractive: isInteractive,
      usesColor: isInteractive && (environment["NO_COLOR"] ?? "").isEmpty,
      width: hasSize ? Int(size.ws_col) : 80,
      writingWith: { Self.write($0, to: descriptor) })
  }

  /// Writes text as it is; false, now and from then on, where it could not be written.
  @discardableResult
  func print(_ text: String) -> Bool {
    if isClosed.load(ordering: .relaxed) { return false }
    let isWritten = write(text)
    if !isWritten { isClosed.store(true, ordering: .relaxed) }
    return isWritten
  }

  /// Whether something could not be written.
  var isBroken: Bool { isClosed.load(ordering: .relaxed) }

  /// Text in a style, where styles are shown.
  func styled(_ text: String, _ style: Style) -> String {
    usesColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  enum Style: Int {
    case bold = 1
    case faint = 2
    case red = 31
    case green = 32
  }

  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        return false
      }
      bytes = bytes.dropFirst(count)
    }
    return true
  }
}
