// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusRounds
import Testing

@testable import ApusAggregator

@Suite struct LeaseBookTests {
  private let round = RoundKey(task: "t", round: 0, attempt: 1)

  private func id(_ number: UInt64) -> LeaseID { LeaseID(high: 7, low: number) }

  @Test("An id is the sixteen bytes that travel, and nothing else is one")
  func bytes() {
    let id = LeaseID(high: 0x0102_0304_0506_0708, low: 0xF0F1_F2F3_F4F5_F6F7)
    #expect(id.bytes.first == 1 && id.bytes.last == 0xF7)
    #expect(LeaseID(id.bytes) == id)
    #expect(LeaseID(Array(repeating: 1, count: 15)) == nil)
    #expect(LeaseID.random() != LeaseID.random())
  }

  @Test("A lease ends when its time is over, and not while it is prolonged")
  func expiry() {
    var book = LeaseBook(epoch: 3)
    _ = book.grant(id(1), to: 1, for: round, until: .seconds(10))
    _ = book.grant(id(2), to: 2, for: round, until: .seconds(10))
    book.renew(id(1), until: .seconds(25), progress: 4)
    #expect(book[id(1)]?.progress == 4)
    #expect(book.expire(at: .seconds(9)).isEmpty)
    #expect(book.expire(at: .seconds(10)).map(\.device) == [2])
    #expect(book.expire(at: .seconds(24)).isEmpty)
    book.renew(id(1), until: .seconds(11))
    #expect(book.expire(at: .seconds(24)).isEmpty, "To prolong never shortens.")
    #expect(book.expire(at: .seconds(25)).map(\.device) == [1])
    #expect(book.count == 0 && book.nextExpiry == nil)
  }

  @Test("A lease can be made to end earlier")
  func shortening() {
    var book = LeaseBook(epoch: 3)
    _ = book.grant(id(1), to: 1, for: round, until: .seconds(60))
    book.shorten(id(1), to: .seconds(5))
    #expect(book.nextExpiry == .seconds(5))
    #expect(book.expire(at: .seconds(5)).map(\.id) == [id(1)])
    #expect(book.expire(at: .seconds(60)).isEmpty)
  }

  @Test("Claims of another epoch are stale, whatever they name, and those of no lease unknown")
  func fencing() {
    var book = LeaseBook(epoch: 3)
    let lease = book.grant(id(1), to: 1, for: round, until: .seconds(1))
    _ = book.grant(id(2), to: 2, for: round, epoch: 2, until: .seconds(1))
    #expect(book.claim(id(1), epoch: 3) == .valid(lease))
    #expect(book.claim(id(1), epoch: 2) == .stale)
    #expect(book.claim(id(1), epoch: 4) == .stale)
    #expect(book.claim(id(2), epoch: 2) == .stale)
    #expect(book.claim(id(2), epoch: 3) == .stale, "An old lease is void, whatever is claimed.")
    #expect(book.claim(id(9), epoch: 3) == .unknown)
  }

  @Test("A device has one lease: the newest")
  func oneEach() {
    var book = LeaseBook(epoch: 1)
    _ = book.grant(id(1), to: 5, for: round, until: .seconds(1))
    _ = book.grant(id(2), to: 5, for: round, until: .seconds(2))
    #expect(book.count == 1)
    #expect(book.lease(of: 5)?.id == id(2))
    #expect(book.expire(at: .seconds(1)).isEmpty)
    book.end(id(2))
    #expect(book.lease(of: 5) == nil)
  }

  @Test("Ten thousand leases expire in the order of their times")
  func many() {
    var book = LeaseBook(epoch: 1)
    var random = RandomStream(seed: 5)
    var expected: [(Int, UInt64)] = []
    for device in 0..<UInt64(10_000) {
      let end = random.below(1000)
      expected.append((end, device))
      _ = book.grant(id(device), to: ClientID(device), for: round, until: .seconds(end))
    }
    var expired: [Lease] = []
    for second in 0..<1000 { expired += book.expire(at: .seconds(second)) }
    expected.sort { $0 < $1 }
    #expect(expired.map(\.device.rawValue) == expected.map(\.1))
  }
}
