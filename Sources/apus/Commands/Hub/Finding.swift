// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands

/// One thing that the doctor looked at.
struct Finding: Encodable {
  enum Standing: String, Encodable {
    case good
    /// Worth knowing; nothing is broken.
    case remark
    case bad
  }

  /// What was looked at: version, data, disk, clock, hub, identity, certificate, audit and so on.
  let check: String
  let standing: Standing
  /// What there is.
  let message: String
  /// What to do about it.
  let mend: String?

  init(_ check: String, _ standing: Standing, _ message: String, mend: String? = nil) {
    self.check = check
    self.standing = standing
    self.message = message
    self.mend = mend
  }

  static func good(_ check: String, _ message: String) -> Finding { Finding(check, .good, message) }
}
