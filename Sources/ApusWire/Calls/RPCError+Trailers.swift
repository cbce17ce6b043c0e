// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// How a call's end is written into headers: github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md.

extension RPCError {
  /// Longer messages are cut, in bytes, so that trailers keep within every peer's limit of headers.
  private static let messageLimit = 2_000
  private static let types = "type.googleapis.com/google.rpc."
  private static let domain = "apus"

  /// `grpc-status` and, where there is more to say, `grpc-message` and `grpc-status-details-bin`.
  ///
  /// Of nil: the trailers of a call that ended with OK.
  package static func trailers(of error: RPCError?) -> Metadata {
    guard let error else { return [("grpc-status", "0")] }
    var trailers = [("grpc-status", String(error.code.rawValue))]
    if !error.message.isEmpty {
      trailers.append(("grpc-message", percentEncoded(cut(error.message))))
    }
    if let details = error.details() {
      trailers.append(("grpc-status-details-bin", Base64.encode(details)))
    }
    return trailers
  }

  /// What trailers say: nil where the call ended with OK.
  ///
  /// Trailers without a status are an error too, `unknown`. Details that cannot be read, or are of another
  /// status, are left out.
  package static func of(trailers: Metadata) -> RPCError? {
    func value(_ name: String) -> String? { trailers.last { $0.name == name }?.value }
    guard let text = value("grpc-status"), let number = Int(text), 0...1_000 ~= number else {
      return RPCError(.unknown, "the peer ended the call without a status")
    }
    guard number != 0 else { return nil }
    let details = value("grpc-status-details-bin").flatMap { Base64.decode($0) }
      .flatMap { try? Proto.Status(decoding: $0) }
    let message = value("grpc-message").map { percentDecoded($0) } ?? ""
    guard let details, details.code == number else {
      return RPCError(StatusCode(rawValue: number), message)
    }
    return RPCError(
      StatusCode(rawValue: number), message, reason: details.reason ?? "",
      retryAfter: details.retryDelay)
  }

  private static func cut(_ message: String) -> String {
    guard message.utf8.count > messageLimit else { return message }
    var end = message.utf8.index(message.startIndex, offsetBy: messageLimit)
    while end.samePosition(in: message.unicodeScalars) == nil {
      end = message.utf8.index(before: end)
    }
    return String(message[..<end])
  }

  private func details() -> [UInt8]? {
    guard !reason.isEmpty || retryAfter != nil else { return nil }
    var status = Proto.Status {
      $0.code = Int32(clamping: code.rawValue)
      $0.message = Self.cut(message)
    }
    if !reason.isEmpty {
      status.details.append(
        Proto.Detail {
          $0.typeUrl = Self.types + "ErrorInfo"
          $0.value =
            Proto.ErrorInfo {
              $0.reason = reason
              $0.domain = Self.domain
            }.encoded()
        })
    }
    if let retryAfter {
      let (seconds, attoseconds) = max(retryAfter, .zero).components
      let delay = Proto.Delay {
        $0.seconds = seconds
        $0.nanos = Int32(attoseconds / 1_000_000_000)
      }
      status.details.append(
        Proto.Detail {
          $0.typeUrl = Self.types + "RetryInfo"
          $0.value = Proto.RetryInfo { $0.retryDelay = delay }.encoded()
        })
    }
    return status.encoded()
  }

  /// Bytes other than printable ASCII as %XX.
  static func percentEncoded(_ text: String) -> String {
    let digits = [UInt8]("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    for byte in text.utf8 {
      if 0x20...0x7e ~= byte, byte != UInt8(ascii: "%") {
        encoded.append(byte)
      } else {
        encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  /// The opposite; what is no escape stays as it is, and what is no UTF-8 is replaced.
  static func percentDecoded(_ text: String) -> String {
    let bytes = [UInt8](text.utf8)
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = Character(Unicode.Scalar(bytes[index + 1])).hexDigitValue,
        let low = Character(Unicode.Scalar(bytes[index + 2])).hexDigitValue
      {
        decoded.append(UInt8(high << 4 | low))
        index += 3
      } else {
        decoded.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }
}

extension Proto.Status {
  fileprivate var reason: String? {
    detail("ErrorInfo").flatMap { try? Proto.ErrorInfo(decoding: $0) }?.reason
  }

  /// Nil as well for delays that cannot be meant.
  fileprivate var retryDelay: Duration? {
    guard let info = detail("RetryInfo").flatMap({ try? Proto.RetryInfo(decoding: $0) }),
      let delay = info.retryDelay, 0...31_536_000 ~= delay.seconds,
      0..<1_000_000_000 ~= delay.nanos
    else { return nil }
    return .seconds(delay.seconds) + .nanoseconds(Int64(delay.nanos))
  }

  private func detail(_ name: String) -> [UInt8]? {
    details.first { $0.typeUrl.hasSuffix("/google.rpc." + name) }?.value
  }
}
