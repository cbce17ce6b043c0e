// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where text goes: standard output or standard error, and what can be shown there.
package final class Terminal: Sendable {
  /// Whether a person reads it as it comes.
  package let isInteractive: Bool
  package let usesColor: Bool
  /// Columns that a line may take.
  package let width: Int
  private let write: @Sendable (String) -> Int32
  /// The errno of the first text that could not be written; what follows it is not tried.
  private let failure = Atomic<Int32>(0)

  package init(
    isInteractive: Bool, usesColor: Bool, width: Int,
    writingWith write: @escaping @Sendable (String) -> Int32
  ) {
    self.isInteractive = isInteractive
    self.usesColor = usesColor
    self.width = width
    self.write = write
  }

  /// A file descriptor of the process.
  package convenience init(descriptor: Int32, environment: [String: String]) {
    let isInteractive = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
    var size = winsize()
    let hasSize = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    self.init(
      isInteractive: isInteractive,
      usesColor: isInteractive && (environment["NO_COLOR"] ?? "").isEmpty,
      width: hasSize ? Int(size.ws_col) : 80,
      writingWith: { Self.write($0, to: descriptor) })
  }

  /// Writes text as it is, unless writing has failed before.
  package func print(_ text: String) {
    guard failure.load(ordering: .relaxed) == 0 else { return }
    let code = write(text)
    if code != 0 { failure.store(code, ordering: .relaxed) }
  }

  /// Why something could not be written; nil where all was, or its reader left before the end.
  package var problem: String? {
    let code = failure.load(ordering: .relaxed)
    return code == 0 || code == EPIPE ? nil : String(cString: strerror(code))
  }

  /// Text in a style, where styles are shown.
  package func styled(_ text: String, _ style: Style) -> String {
    usesColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  package enum Style: Int {
    case bold = 1
    case faint = 2
    case red = 31
    case green = 32
  }

  /// - Returns: 0 or an errno.
  private static func write(_ text: String, to descriptor: Int32) -> Int32 {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { rawWrite(descriptor, $0) }
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      bytes = bytes.dropFirst(count)
    }
    return 0
  }

  private static func rawWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }
}
