// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

extension RoundStateMachine {
  /// What a host tells the machine.
  public enum Event: Hashable, Sendable {
    /// Begin; so many clients could be invited.
    case start(population: Int)
    /// Answers ``Action/select(count:)``; fewer than asked for where there are not more.
    case selected([ClientID])
    /// Answers ``Action/select(count:)`` too: these are there now, and the places that are left stay open
    /// for clients that come later.
    case opened([ClientID])
    /// A client came that takes an open place, or one is back that was known to be gone.
    case joined(ClientID)
    /// Nobody is expected for the open places any more.
    case placesClosed
    /// A client's update is here, and durable where that is promised.
    ///
    /// The receipt names the upload: the same when the same one is sent again.
    case arrived(ClientID, receipt: UInt64)
    /// Answers ``Action/fold(_:)``: the update is in the sum, with this weight.
    case folded(ClientID, weight: Int)
    /// Answers ``Action/fold(_:)``: the update cannot be counted; the sum is what it was before.
    case rejected(ClientID, reason: String)
    /// A client is known to be gone. Should it be back before the round closes, its update is welcome, and
    /// after ``joined(_:)`` it is waited for again.
    case droppedOut(ClientID)
    /// The time for updates is over.
    case deadlinePassed
    /// Answers ``Action/combine``.
    case combined
    /// Answers ``Action/combine``: the aggregation rule cannot make anything of these updates.
    case notCombinable
    /// Answers ``Action/commit``: the new model is durable.
    case committed
    /// Whoever owns the round ends it.
    case cancelled
  }

  /// What the machine asks of its host.
  public enum Action: Hashable, Sendable {
    /// Choose so many different clients, then say ``Event/selected(_:)``.
    case select(count: Int)
    /// Send these clients the model.
    case broadcast(to: [ClientID])
    /// Say ``Event/deadlinePassed`` when the time for updates is over.
    case startDeadline
    /// Add this client's update to the sum, then say ``Event/folded(_:weight:)`` or
    /// ``Event/rejected(_:reason:)``.
    case fold(ClientID)
    /// Tell the client again that its update was taken.
    case confirm(ClientID)
    /// Tell the client that its update was not taken, and why.
    case refuse(ClientID, Refusal)
    /// Combine what was folded, then say ``Event/combined``.
    case combine
    /// Make the new model durable, then say ``Event/committed``.
    case commit
    /// The round is over, and there is a new model.
    case finish(RoundReport)
    /// The round is over, and the model is the old one.
    case abandon(RoundReport)
  }

  /// Why a client's update is not taken.
  public enum Refusal: String, Hashable, Sendable, Codable {
    /// The client is not of this round's cohort.
    case uninvited
    /// Another update of this client was taken.
    case duplicate
    /// This client's update was rejected before.
    case rejected
    /// The deadline has passed.
    case late
    /// Enough others were faster, or the round is over.
    case roundClosed = "round-closed"
  }
}
