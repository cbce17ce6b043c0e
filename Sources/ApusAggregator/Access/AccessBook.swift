// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire
internal import Synchronization

/// Who is in the federation now, in memory: what every call is checked against.
///
/// It mirrors the table of members. Whoever changes the table tells the book after the commit and before the answer,
/// so that a revocation that was acknowledged holds for the next call.
package final class AccessBook: Sendable {
  /// What a call needs to know of a member.
  package struct Entry: Hashable, Sendable {
    package var role: Role
    /// Of a device: its number in the federation.
    package var number: UInt64
    package var isEnabled: Bool
    package var isRevoked: Bool
    /// Milliseconds since 1970 (UTC) of its last call; 0 for none since the start.
    package var lastSeen: Int64 = 0
    /// What it says it runs.
    package var build = ""
  }

  private struct State {
    var isLoaded = false
    var entries: [String: Entry] = [:]
  }

  private let state = Mutex(State())

  /// An empty book: until ``load(_:)`` nobody is let in.
  package init() {}

  /// Fills the book with everybody there is.
  package func load(_ members: [DeviceRecord]) {
    state.withLock { state in
      state.entries = Dictionary(
        members.map { ($0.id, Entry($0)) }, uniquingKeysWith: { first, _ in first })
      state.isLoaded = true
    }
  }

  /// Notes a change that is durable.
  package func note(_ member: DeviceRecord) {
    state.withLock { state in
      var entry = Entry(member)
      if let known = state.entries[member.id] {
        entry.lastSeen = max(known.lastSeen, entry.lastSeen)
        if entry.build.isEmpty { entry.build = known.build }
      }
      state.entries[member.id] = entry
    }
  }

  /// Notes what a member says it runs; at most 200 bytes are kept.
  package func note(build: String, of id: String) {
    state.withLock {
      $0.entries[id]?.build = String(decoding: build.utf8.prefix(200), as: UTF8.self)
    }
  }

  package var isLoaded: Bool { state.withLock(\.isLoaded) }

  package subscript(id: String) -> Entry? { state.withLock { $0.entries[id] } }

  /// Looks a member up, and notes that it was there.
  ///
  /// - Parameters:
  ///   - id: as its certificate says it.
  ///   - now: milliseconds since 1970 (UTC).
  /// - Returns: nil where it is nobody's.
  func lookUp(_ id: String, seen now: Int64) -> Entry? {
    state.withLock { state in
      state.entries[id]?.lastSeen = now
      return state.entries[id]
    }
  }
}

extension AccessBook.Entry {
  init(_ member: DeviceRecord) {
    self.init(
      role: member.role, number: member.number, isEnabled: member.isEnabled,
      isRevoked: member.isRevoked, lastSeen: member.lastSeen, build: member.build)
  }
}
