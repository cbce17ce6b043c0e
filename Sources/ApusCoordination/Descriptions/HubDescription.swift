// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// How an aggregator fares, as programs read it.
package struct HubDescription: Codable, Hashable, Sendable {
  package var address: String
  package var version: String
  /// Rises with every start.
  package var epoch: UInt64
  /// recovering, serving or draining.
  package var state: String
  package var uptimeSeconds: Double
  package var connections: UInt64
  package var waitingDevices: UInt64
  package var enrolledDevices: UInt64
  package var runningTasks: UInt64
  package var leases: UInt64
  package var blobBytes: UInt64
  /// Nil for no limit.
  package var blobQuota: UInt64?
  package var residentBytes: UInt64
  package var certificateExpires: String?
  package var time: String?

  package init(_ status: Proto.ServerStatus, at address: String) {
    self.address = address
    version = status.version
    epoch = status.serverEpoch
    state = status.state.lowercased()
    uptimeSeconds = Double(status.uptimeMs) / 1000
    connections = status.connections
    waitingDevices = status.waitingDevices
    enrolledDevices = status.enrolledDevices
    runningTasks = status.runningTasks
    leases = status.leases
    blobBytes = status.blobBytes
    blobQuota = status.blobQuota > 0 ? status.blobQuota : nil
    residentBytes = status.residentBytes
    certificateExpires = Moment.text(status.certificateExpiresMs)
    time = Moment.text(status.serverTimeMs)
  }
}

/// What becomes known of a task, one line each, as programs read it.
package struct EventDescription: Codable, Hashable, Sendable {
  /// Counted from 1 within the task, without gaps.
  package var sequence: UInt64
  package var time: String
  /// The task's state.
  package var state: String
  package var message: String
  package var round: RoundDescription?
  package var model: ModelDescription?

  package init(_ event: Proto.TaskEvent) {
    sequence = event.sequence
    time = Moment.text(event.timeMs) ?? ""
    state = event.state.word
    message = event.message
    round = event.round.map { RoundDescription($0) }
    model = event.model.map { ModelDescription($0) }
  }
}

/// An invitation as programs read it.
package struct InvitationDescription: Codable, Hashable, Sendable {
  /// `apus://HOST:PORT/?token=…&ca=sha256:…`.
  package var url: String
  package var expires: String?
  package var uses: UInt32
  package var role: String

  package init(_ invitation: Proto.Invitation) {
    url = invitation.url
    expires = Moment.text(invitation.expiresMs)
    uses = invitation.uses
    role = invitation.role
  }
}
