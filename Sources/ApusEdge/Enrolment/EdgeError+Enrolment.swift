// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusTransport
internal import ApusWire

extension EdgeError {
  /// What went wrong on the device itself.
  init(_ error: TransportError) {
    let code: Code =
      switch error.code {
      case .untrusted, .namelessCertificate, .wrongUsage: .refused
      case .mismatch: .inUse
      default: .fileSystem
      }
    self.init(code, error.message, cause: error)
  }

  /// Why joining failed, and what to do.
  init(joining error: RPCError, at server: String) {
    switch error.code {
    case .permissionDenied:
      self.init(
        .refused,
        "\(server) did not accept the invitation. \(error.message) Ask an operator for a new one: "
          + "apus invite.", cause: error)
    case .unauthenticated:
      self.init(
        .refused,
        "The server at \(server) is not the one that the invitation is from: \(error.message) Nothing "
          + "was sent to it. Ask for a new invitation, if the federation was set up anew; and see "
          + "that this device's clock is right.", cause: error)
    case .failedPrecondition:
      self.init(.refused, "\(server) cannot take this device: \(error.message)", cause: error)
    case .invalidArgument:
      self.init(.refused, "\(server) does not accept this: \(error.message)", cause: error)
    default: self.init(calling: error, at: server)
    }
  }

  /// Why a call of a device that has joined failed, and what to do.
  init(calling error: RPCError, at server: String) {
    switch (error.code, error.reason) {
    case (_, "revoked"):
      self.init(
        .refused,
        "An operator of \(server) has revoked this device. To take part again it needs a new "
          + "invitation, and a new directory.", cause: error)
    case (_, "certificate-over"):
      self.init(
        .refused,
        "This device's certificate is over: it was away for too long, or its clock is wrong. Remove "
          + "its directory, and join with a new invitation.", cause: error)
    case (.unauthenticated, _), (.permissionDenied, _), (.failedPrecondition, _),
      (.invalidArgument, _):
      self.init(.refused, "\(server) does not let this device in: \(error.message)", cause: error)
    default:
      self.init(
        .unreachable,
        "\(server) cannot be reached: \(error.message) Is apus serve running there, and does the "
          + "network let this port through?", cause: error)
    }
  }
}
