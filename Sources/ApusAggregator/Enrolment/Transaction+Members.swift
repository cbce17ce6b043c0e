// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

extension Transaction {
  private static let memberColumns = """
    id, role, number, name, enabled, revoked, enrolled_ms, last_seen_ms, certificate_expires_ms, build
    """

  /// All devices, in the order of their numbers.
  package func devices() throws(AggregatorError) -> [DeviceRecord] {
    try members("WHERE role = 'device' ORDER BY number")
  }

  /// Everybody: devices, operators, auditors, each in the order of their numbers.
  package func members() throws(AggregatorError) -> [DeviceRecord] {
    try members("ORDER BY CASE role WHEN 'device' THEN 0 ELSE 1 END, role, number")
  }

  /// The member with an id; nil where there is none.
  package func member(id: String) throws(AggregatorError) -> DeviceRecord? {
    try members("WHERE id = ?", id).first
  }

  /// The device with a number; nil where there is none.
  package func device(number: UInt64) throws(AggregatorError) -> DeviceRecord? {
    try members("WHERE role = 'device' AND number = ?", number).first
  }

  /// The member that somebody means.
  ///
  /// - Parameter reference: an id, a device's number, or a name where nobody else has it.
  /// - Returns: the member that is meant.
  /// - Throws: `not-found`; `wrong-state` where several have the name.
  package func member(_ reference: String) throws(AggregatorError) -> DeviceRecord {
    if let member = try member(id: reference) { return member }
    if let number = UInt64(reference), let device = try device(number: number) { return device }
    let named = try members("WHERE name = ? ORDER BY enrolled_ms, id LIMIT 2", reference)
    guard let member = named.first else {
      throw AggregatorError(
        .notFound,
        "There is no device '\(reference.prefix(100))': an id, a number or a name is expected. "
          + "apus device list shows them.")
    }
    guard named.count == 1 else {
      throw AggregatorError(
        .wrongState, "Several have the name '\(reference.prefix(100))': say the id or the number.")
    }
    return member
  }

  /// Adds a member.
  ///
  /// - Parameter record: its number is not looked at: it gets the next one of its role.
  /// - Returns: the member, with its number.
  /// - Throws: `constraint` where the id is there already.
  package func add(member record: DeviceRecord) throws(AggregatorError) -> DeviceRecord {
    var record = record
    let count: UInt64? = try value(
      "SELECT coalesce(max(number) + 1, 0) FROM members WHERE role = ?", record.role.rawValue)
    record.number = count ?? 0
    try run(
      "INSERT INTO members VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", record.id, record.role.rawValue,
      record.number, record.name, record.isEnabled, record.isRevoked, record.enrolled,
      record.lastSeen, record.certificateExpires, record.build)
    for (name, value) in record.labels {
      try run("INSERT INTO member_labels VALUES (?, ?, ?)", record.id, name, value)
    }
    return record
  }

  /// Writes what can change of a member: whether it is enabled or revoked, its certificate, when it was seen.
  package func update(member record: DeviceRecord) throws(AggregatorError) {
    try run(
      """
      UPDATE members SET enabled = ?, revoked = ?, last_seen_ms = ?, certificate_expires_ms = ?, build = ?
      WHERE id = ?
      """, record.isEnabled, record.isRevoked, record.lastSeen, record.certificateExpires,
      record.build, record.id)
  }

  private func members(
    _ condition: String, _ bindings: any SQLConvertible...
  ) throws(AggregatorError) -> [DeviceRecord] {
    var members = try database.rows(
      "SELECT \(Self.memberColumns) FROM members \(condition)", bindings
    ) { row throws(AggregatorError) -> DeviceRecord in
      let role: String = try row[1]
      guard let role = Role(rawValue: role) else {
        throw AggregatorError(.damagedStore, "A member has a role that does not exist.")
      }
      return DeviceRecord(
        id: try row[0], role: role, number: try row[2], name: try row[3], labels: [:],
        isEnabled: try row[4], isRevoked: try row[5], enrolled: try row[6], lastSeen: try row[7],
        certificateExpires: try row[8], build: try row[9])
    }
    for index in members.indices {
      let labels = try rows(
        "SELECT name, value FROM member_labels WHERE member = ?", members[index].id
      ) { row throws(AggregatorError) -> (String, String) in (try row[0], try row[1]) }
      members[index].labels = Dictionary(labels) { first, _ in first }
    }
    return members
  }
}
