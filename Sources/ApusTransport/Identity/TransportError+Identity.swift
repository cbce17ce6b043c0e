// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

extension TransportError.Code {
  /// The operating system refused to read or write.
  public static let fileSystem = Self(rawValue: "file-system")
  /// No identity where one was expected.
  public static let missingIdentity = Self(rawValue: "missing-identity")
  /// A key, a certificate or a request that is not what its format asks for.
  public static let malformed = Self(rawValue: "malformed")
  /// A key that others than its owner can read.
  public static let exposedKey = Self(rawValue: "exposed-key")
  /// A key of a kind that is not accepted.
  public static let unsupportedKey = Self(rawValue: "unsupported-key")
  /// A signing request whose sender does not have the key.
  public static let notProven = Self(rawValue: "not-proven")
  /// A certificate that does not say who holds it, or says it in a wrong way.
  public static let namelessCertificate = Self(rawValue: "nameless-certificate")
  /// A certificate that is used for what it is not for.
  public static let wrongUsage = Self(rawValue: "wrong-usage")
  /// A certificate of another authority, or one that is over or not yet begun.
  public static let untrusted = Self(rawValue: "untrusted")
  /// A certificate and a key, or a certificate and its authority, that do not belong together.
  public static let mismatch = Self(rawValue: "mismatch")
  /// An invitation that cannot be read.
  public static let badInvitation = Self(rawValue: "bad-invitation")
  /// libcrypto failed.
  public static let cryptography = Self(rawValue: "cryptography")
}

extension TransportError {
  /// What libcrypto says of its last failure; its queue of errors is empty afterwards.
  static func cryptography(_ what: String) -> TransportError {
    TransportError(.cryptography, "\(what): \(lastReason()).")
  }

  static func malformed(_ what: String) -> TransportError {
    let reason = lastReason()
    return TransportError(.malformed, "\(what) (\(reason)).")
  }

  /// In libcrypto's words, which name no secrets.
  static func lastReason() -> String {
    let number = ERR_peek_last_error()
    ERR_clear_error()
    guard number != 0, let reason = ERR_reason_error_string(number) else {
      return "no reason given"
    }
    return String(cString: reason)
  }
}
