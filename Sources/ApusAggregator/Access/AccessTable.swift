// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// Who may call what: every call there is, and nothing else.
///
/// A call that is missing here cannot be made, whatever is registered for it. A test holds the table against the
/// methods of `protocols/`.
package enum AccessTable {
  /// Who may make one call.
  package struct Rule: Hashable, Sendable {
    /// Roles of certificates that may.
    package let roles: Set<Role>
    /// Whether somebody without a certificate may.
    package let allowsAnonymous: Bool
    /// Whether a device that is disabled may.
    package let allowsDisabled: Bool
    /// Whether it is answered before the aggregator has recovered, for those without a certificate.
    package let isAnsweredAlways: Bool
  }

  package static func rule(for path: String) -> Rule? { rules[path] }

  package static let rules: [String: Rule] = {
    var rules: [String: Rule] = [:]
    func allow(
      _ path: String, _ roles: Set<Role>, anonymous: Bool = false, disabled: Bool = false,
      always: Bool = false
    ) {
      precondition(rules[path] == nil, "\(path) is in the table twice.")
      rules[path] = Rule(
        roles: roles, allowsAnonymous: anonymous, allowsDisabled: disabled,
        isAnsweredAlways: always)
    }
    let device: Set<Role> = [.device]
    let operators: Set<Role> = [.operator]
    let readers: Set<Role> = [.operator, .auditor]
    let everyone: Set<Role> = [.device, .operator, .auditor]

    allow(HealthMethods.check.path, everyone, anonymous: true, disabled: true, always: true)
    allow(HealthMethods.watch.path, everyone, anonymous: true, disabled: true, always: true)

    allow(EdgeMethods.hello.path, everyone, anonymous: true, disabled: true)
    // Who has a certificate has joined, and renews it.
    allow(EdgeMethods.enroll.path, [], anonymous: true)
    allow(EdgeMethods.renewCertificate.path, everyone, disabled: true)
    allow(EdgeMethods.checkIn.path, device)
    allow(EdgeMethods.waitAssignment.path, device)
    allow(EdgeMethods.keepAlive.path, device)
    allow(EdgeMethods.submitUpdate.path, device)
    allow(EdgeMethods.abandon.path, device, disabled: true)

    // Which blobs, the engine says per object.
    allow(BlobsMethods.readBlob.path, everyone)
    allow(BlobsMethods.beginUpload.path, [.device, .operator])
    allow(BlobsMethods.queryUpload.path, [.device, .operator])
    allow(BlobsMethods.writeBlob.path, [.device, .operator])

    allow(CoordinatorMethods.createTask.path, operators)
    allow(CoordinatorMethods.listTasks.path, readers)
    allow(CoordinatorMethods.getTask.path, readers)
    allow(CoordinatorMethods.resumeTask.path, operators)
    allow(CoordinatorMethods.pauseTask.path, operators)
    allow(CoordinatorMethods.cancelTask.path, operators)
    allow(CoordinatorMethods.watchTask.path, readers)
    allow(CoordinatorMethods.launchRound.path, operators)
    allow(CoordinatorMethods.listRounds.path, readers)
    allow(CoordinatorMethods.getRound.path, readers)
    allow(CoordinatorMethods.listModels.path, readers)
    allow(CoordinatorMethods.getModel.path, readers)
    allow(CoordinatorMethods.rollbackModel.path, operators)
    allow(CoordinatorMethods.createInvitation.path, operators)
    allow(CoordinatorMethods.listDevices.path, readers)
    allow(CoordinatorMethods.getDevice.path, readers)
    allow(CoordinatorMethods.setDeviceEnabled.path, operators)
    allow(CoordinatorMethods.revokeDevice.path, operators)
    allow(CoordinatorMethods.getAuditLog.path, readers)
    allow(CoordinatorMethods.verifyAuditChain.path, readers)
    allow(CoordinatorMethods.drain.path, operators)
    allow(CoordinatorMethods.getServerStatus.path, readers)
    return rules
  }()
}
