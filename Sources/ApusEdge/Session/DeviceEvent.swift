// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// Counts the assignments that a device took on: what comes late for an earlier one is told apart by it.
typealias Ticket = Int

/// What happens to a device.
enum DeviceEvent: Sendable {
  /// The process has begun; with the work that an earlier one left.
  case started(SavedWork?)
  /// The moment that ``DeviceSession/nextWake`` named has come.
  case ticked
  /// What keeps the device from training, as codes; empty where nothing does.
  case gatesRead([GateReason])
  case checkedIn(Proto.CheckInReply)
  /// Something came on the open stream.
  case heard(Proto.AssignmentEvent)
  /// The check-in failed or the stream broke; nil where the stream ended in peace.
  case contactLost(RPCError?)
  /// Plan and model are here, and fit the device and its data.
  case prepared(Ticket)
  /// What the assignment asks for is not done here.
  case refused(Ticket, reason: String)
  /// The update is computed and written down.
  case trained(Ticket, TrainedUpdate)
  case uploaded(Ticket)
  /// A download, an upload or a submission failed.
  case transferFailed(Ticket, RPCError)
  case submitted(Ticket, Proto.SubmitUpdateReply)
  case keptAlive(Ticket, Proto.KeepAliveReply)
  case keepAliveFailed(Ticket, RPCError)
  case stopRequested
}

/// What a device is to do.
enum DeviceAction: Hashable, Sendable {
  case checkIn
  case openStream
  case closeStream
  /// Writes down that the assignment was taken on.
  case save(Ticket, Proto.Assignment)
  case prepare(Ticket, Proto.Assignment)
  case train(Ticket, Proto.Assignment)
  case upload(Ticket, LeaseName, TrainedUpdate)
  case submit(Ticket, LeaseName, TrainedUpdate)
  case keepAlive(Ticket, LeaseName)
  /// Gives the lease back; whether that arrives is of no account.
  case abandon(LeaseName, reason: String)
  /// Ends whatever is under way for the ticket.
  case cancel(Ticket)
  /// Removes what was written down.
  case forget
  case report(EdgeEvent)
  /// The device is done; nil where it was asked to be.
  case finish(RPCError?)
}

/// What a call names a lease by.
struct LeaseName: Hashable, Sendable {
  var id: [UInt8]
  var epoch: UInt64
}

/// An update that is written down and not yet answered.
struct TrainedUpdate: Hashable, Sendable {
  /// 16 bytes, drawn once.
  var idempotencyKey: [UInt8]
  /// What is sent; its digest names the blob.
  var update: Proto.Update
  /// Bytes of the blob.
  var size: Int
}

/// What an earlier process left.
struct SavedWork: Hashable, Sendable {
  var assignment: Proto.Assignment
  /// How long the lease still lasts; nil where nobody can tell.
  var leaseLeft: Duration?
  /// How long until the update must be in; nil where nobody can tell.
  var deadlineLeft: Duration?
  var update: TrainedUpdate?
}

/// Why a device does not train now: a code that is shown to people and sent to the federation.
public struct GateReason: RawRepresentable, Hashable, Sendable {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  public static let notIdle = GateReason(rawValue: "not-idle")
  public static let notCharging = GateReason(rawValue: "not-charging")
  public static let batteryLow = GateReason(rawValue: "battery-low")
  public static let tooHot = GateReason(rawValue: "too-hot")
  public static let metered = GateReason(rawValue: "metered")
  public static let outsideHours = GateReason(rawValue: "outside-hours")
}
