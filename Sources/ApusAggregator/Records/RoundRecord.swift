// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusRounds
internal import ApusWire

/// One attempt of a round as the database has it.
struct RoundRecord: Sendable {
  var key: RoundKey
  var policy: RoundPolicy
  /// Devices that could be invited when it began.
  var population: UInt64 = 0
  var openPlaces: UInt64 = 0
  /// Whether its deadline was put off once.
  var isExtended = false
  var info: Proto.RoundInfo

  init(key: RoundKey, policy: RoundPolicy, info: Proto.RoundInfo) {
    self.key = key
    self.policy = policy
    self.info = info
  }
}

/// One device's part in a round.
struct InvitationRecord: Sendable {
  var round: RoundKey
  var device: UInt64
  var lease: LeaseID
  var epoch: UInt64
  /// Whether the lease ended without an update.
  var isLost = false
}

/// An update that was submitted and looked at.
struct ContributionRecord: Sendable {
  var round: RoundKey
  var device: UInt64
  var idempotencyKey: [UInt8]
  /// SHA-256 of the encoded Update, without its metrics.
  var requestDigest: [UInt8]
  /// 32 bytes.
  var blob: [UInt8]
  var bytes: UInt64
  var type: Proto.DataType
  /// As the device declared it.
  var weight: UInt64
  /// Why it is not counted; empty where it is.
  var reason: String
  var lossSum: Double
  var stepCount: Double

  var isAccepted: Bool { reason.isEmpty }
}

extension RoundRecord {
  fileprivate static let columns = """
    task, round, attempt, state, goal, quorum, over_selection, population, open_places, is_extended,
    info
    """

  fileprivate init(_ row: Row) throws(AggregatorError) {
    key = RoundKey(task: try row[0], round: try row[1], attempt: try row[2])
    let overSelection: Double = try row[6]
    do {
      policy = try RoundPolicy(goal: try row[4], overSelection: overSelection)
      let bytes: [UInt8] = try row[10]
      info = try Proto.RoundInfo(decoding: bytes)
    } catch {
      throw AggregatorError(.damagedStore, "The database has a damaged round.", cause: error)
    }
    policy.quorum = try row[5]
    population = try row[7]
    openPlaces = try row[8]
    isExtended = try row[9]
  }
}

extension Transaction {
  /// Adds a round, or writes what has changed of it; a terminal state is never left.
  func save(_ round: RoundRecord) throws(AggregatorError) {
    try run(
      """
      INSERT INTO rounds (\(RoundRecord.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET state = excluded.state, goal = excluded.goal,
        quorum = excluded.quorum, population = excluded.population,
        open_places = excluded.open_places, is_extended = excluded.is_extended, info = excluded.info
      WHERE rounds.state < 6
      """, round.key.task, round.key.round, round.key.attempt, round.info.state.rawValue,
      round.policy.goal, round.policy.quorum, round.policy.overSelection, round.population,
      round.openPlaces, round.isExtended, round.info.encoded())
  }

  /// The rounds of a task, oldest first, every attempt.
  func rounds(of task: String) throws(AggregatorError) -> [RoundRecord] {
    try rows(
      "SELECT \(RoundRecord.columns) FROM rounds WHERE task = ? ORDER BY round, attempt", task
    ) { row throws(AggregatorError) in try RoundRecord(row) }
  }

  /// The newest attempt of a round; of the newest round where none is said.
  func newestRound(
    of task: String, round: UInt64? = nil
  ) throws(AggregatorError) -> RoundRecord? {
    try first(
      """
      SELECT \(RoundRecord.columns) FROM rounds WHERE task = ? AND round = coalesce(?, round)
      ORDER BY round DESC, attempt DESC LIMIT 1
      """, task, round
    ) { row throws(AggregatorError) in try RoundRecord(row) }
  }

  func save(_ invitation: InvitationRecord) throws(AggregatorError) {
    try run(
      """
      INSERT INTO invitations VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET lease = excluded.lease, epoch = excluded.epoch,
        is_lost = excluded.is_lost
      """, invitation.round.task, invitation.round.round, invitation.round.attempt,
      invitation.device, invitation.lease.bytes, invitation.epoch, invitation.isLost)
  }

  /// Those invited to a round, in rising number.
  func invitations(to round: RoundKey) throws(AggregatorError) -> [InvitationRecord] {
    try rows(
      """
      SELECT device, lease, epoch, is_lost FROM invitations
      WHERE task = ? AND round = ? AND attempt = ? ORDER BY device
      """, round.task, round.round, round.attempt
    ) { row throws(AggregatorError) in
      let lease: [UInt8] = try row[1]
      return InvitationRecord(
        round: round, device: try row[0], lease: LeaseID(lease) ?? LeaseID(high: 0, low: 0),
        epoch: try row[2], isLost: try row[3])
    }
  }

  /// The round that a lease was given for, whether it has its updates, and the device that has the lease.
  func round(
    ofLease lease: LeaseID
  ) throws(AggregatorError) -> (device: UInt64, key: RoundKey, isComplete: Bool)? {
    try first(
      """
      SELECT device, task, round, attempt, rounds.state FROM invitations JOIN rounds
      USING (task, round, attempt) WHERE lease = ?
      """, lease.bytes
    ) { row throws(AggregatorError) -> (device: UInt64, key: RoundKey, isComplete: Bool) in
      let state: Int32 = try row[4]
      return (
        try row[0], RoundKey(task: try row[1], round: try row[2], attempt: try row[3]),
        state >= Proto.RoundState.folding.rawValue
      )
    }
  }
}

extension ContributionRecord {
  fileprivate static let columns = """
    task, round, attempt, device, idempotency_key, request_digest, blob, bytes, type, weight, reason,
    loss_sum, step_count
    """

  fileprivate init(_ row: Row) throws(AggregatorError) {
    round = RoundKey(task: try row[0], round: try row[1], attempt: try row[2])
    device = try row[3]
    idempotencyKey = try row[4]
    requestDigest = try row[5]
    blob = try row[6]
    bytes = try row[7]
    let type: Int32 = try row[8]
    self.type = Proto.DataType(rawValue: type)
    weight = try row[9]
    reason = try row[10]
    lossSum = try row[11]
    stepCount = try row[12]
  }
}

extension Transaction {
  /// - Throws: `constraint` where the device has one in this round, or used the key before.
  func insert(_ contribution: ContributionRecord) throws(AggregatorError) {
    try run(
      """
      INSERT INTO contributions (\(ContributionRecord.columns))
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, contribution.round.task, contribution.round.round, contribution.round.attempt,
      contribution.device, contribution.idempotencyKey, contribution.requestDigest,
      contribution.blob, contribution.bytes, contribution.type.rawValue, contribution.weight,
      contribution.reason, contribution.lossSum, contribution.stepCount)
  }

  /// What a device submitted under a key: once, or again when its round was tried again; newest first.
  func contributions(
    of device: UInt64, key: [UInt8]
  ) throws(AggregatorError) -> [ContributionRecord] {
    try rows(
      """
      SELECT \(ContributionRecord.columns) FROM contributions
      WHERE device = ? AND idempotency_key = ? ORDER BY round DESC, attempt DESC
      """, device, key
    ) { row throws(AggregatorError) in try ContributionRecord(row) }
  }

  /// What was submitted in a round, in rising number of the device.
  func contributions(to round: RoundKey) throws(AggregatorError) -> [ContributionRecord] {
    try rows(
      """
      SELECT \(ContributionRecord.columns) FROM contributions
      WHERE task = ? AND round = ? AND attempt = ? ORDER BY device
      """, round.task, round.round, round.attempt
    ) { row throws(AggregatorError) in try ContributionRecord(row) }
  }

  /// Adds to what is counted of a device.
  func count(
    device: UInt64, roundsCounted: Int = 0, updatesRejected: Int = 0, leasesLost: Int = 0
  ) throws(AggregatorError) {
    try run(
      """
      INSERT INTO device_counts VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET rounds_counted = rounds_counted + excluded.rounds_counted,
        updates_rejected = updates_rejected + excluded.updates_rejected,
        leases_lost = leases_lost + excluded.leases_lost
      """, device, roundsCounted, updatesRejected, leasesLost)
  }

  /// Rounds counted, updates rejected and leases lost of a device.
  func counts(
    ofDevice device: UInt64
  ) throws(AggregatorError) -> (counted: UInt64, rejected: UInt64, lost: UInt64) {
    try first(
      """
      SELECT rounds_counted, updates_rejected, leases_lost FROM device_counts WHERE device = ?
      """, device
    ) { row throws(AggregatorError) -> (counted: UInt64, rejected: UInt64, lost: UInt64) in
      (try row[0], try row[1], try row[2])
    } ?? (0, 0, 0)
  }

  /// Notes that a round of a task counted a device.
  func participate(task: String, device: UInt64, round: UInt64) throws(AggregatorError) {
    try run(
      """
      INSERT INTO participations VALUES (?, ?, 1, ?)
      ON CONFLICT DO UPDATE SET counted = counted + 1, last_round = excluded.last_round
      """, task, device, round)
  }

  /// Each device's part in a task so far.
  func participations(
    in task: String
  ) throws(AggregatorError) -> [(device: UInt64, history: Eligibility.History)] {
    try rows("SELECT device, counted, last_round FROM participations WHERE task = ?", task) {
      row throws(AggregatorError) -> (device: UInt64, history: Eligibility.History) in
      (try row[0], Eligibility.History(counted: try row[1], lastRound: try row[2] as UInt64))
    }
  }
}
