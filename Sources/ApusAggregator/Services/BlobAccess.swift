// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusRounds
internal import ApusWire

// Which blobs somebody may have, and upload.
extension Engine {
  /// - Throws: `notFound` for a blob that is not the caller's business: nobody learns whether it is there.
  func mayRead(_ digest: BlobDigest, _ peer: PeerIdentity) throws(RPCError) {
    try requireServing(orDraining: true)
    guard peer.role == .device else { return }
    if let number = numbers[peer.id], let lease = leases.lease(of: ClientID(number)),
      let (task, _) = round(of: lease.round),
      digest == task.planManifest.digest || digest == task.modelManifest.digest
    {
      return
    }
    throw RPCError(.notFound, "There is no such blob for this caller.", reason: "unknown-blob")
  }

  /// Whether somebody may upload a blob.
  ///
  /// - Throws: `failedPrecondition` where the lease is over; `invalidArgument` for a blob that no update of its
  ///   round can be.
  func mayUpload(
    _ manifest: BlobManifest, lease: [UInt8], epoch: UInt64, _ peer: PeerIdentity
  ) throws(RPCError) {
    try requireServing(orDraining: true)
    guard peer.role == .device else { return }
    guard let number = numbers[peer.id] else {
      throw RPCError(
        .permissionDenied, "This device is not enrolled here.", reason: "unknown-device")
    }
    let lease = try claim(lease, epoch, by: number)
    guard let (_, round) = round(of: lease.round), round.machine.isWaiting(for: lease.device) else {
      throw RPCError(
        .failedPrecondition, "The round is over; check in again.", reason: "lease-over")
    }
    let size = UInt64(round.check.parameterCount) * UInt64(round.check.format.byteCount)
    guard manifest.size == size else {
      throw RPCError(
        .invalidArgument, "An update of this round has \(size) bytes, not \(manifest.size).",
        reason: "wrong-length")
    }
  }
}
