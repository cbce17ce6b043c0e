// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is known of each client of a cohort, by its place among them.
///
/// A round of a million clients is no rare thing in a simulation, so a client that was selected takes 9 bytes
/// here, of which 8 are shared with whoever chose the cohort in rising order; 8 more where uploads have
/// receipts. Clients that join one by one, in whatever order, are found by a dictionary.
struct Standings: Sendable {
  typealias Standing = RoundStateMachine.Standing

  /// Each once; those that were selected in rising order, then those that joined.
  private(set) var clients: [ClientID] = []
  private var codes: [UInt8] = []
  /// Empty as long as all of them are 0.
  private var receipts: [UInt64] = []
  /// How many of the clients, from the first, are in rising order.
  private var risingCount = 0
  /// The places of the others.
  private var joinedPlaces: [ClientID: Int] = [:]
  /// Where the last client was found: most often the next one comes next.
  private var lastPlace = 0

  init() {}

  /// A cohort that is waited for; nil where a client is in it twice.
  ///
  /// - Complexity: O(n) for clients in rising order, else O(n log n).
  init?(inviting clients: [ClientID]) {
    self.clients = Self.areRising(clients) ? clients : clients.sorted()
    guard Self.areRising(self.clients) else { return nil }
    codes = Array(repeating: Standing.invited.code, count: clients.count)
    risingCount = clients.count
  }

  static func areRising(_ clients: [ClientID]) -> Bool {
    clients.indices.dropFirst().allSatisfy { clients[$0 - 1] < clients[$0] }
  }

  var count: Int { clients.count }

  /// Adds a client that is waited for and is not here yet.
  mutating func join(_ client: ClientID) {
    if joinedPlaces.isEmpty, clients.last.map({ $0 < client }) ?? true {
      risingCount += 1
    } else {
      joinedPlaces[client] = count
    }
    clients.append(client)
    codes.append(Standing.invited.code)
    if !receipts.isEmpty { receipts.append(0) }
  }

  /// The place of a client; nil where it was not invited.
  ///
  /// - Complexity: O(1) where clients come in rising order, else O(log n).
  mutating func place(of client: ClientID) -> Int? {
    for place in lastPlace..<Swift.min(lastPlace + 2, count) where clients[place] == client {
      lastPlace = place
      return place
    }
    guard let place = search(for: client) else { return nil }
    lastPlace = place
    return place
  }

  private func search(for client: ClientID) -> Int? {
    if let place = joinedPlaces[client] { return place }
    var (low, high) = (0, risingCount)
    while low < high {
      let middle = (low + high) / 2
      if clients[middle] < client { low = middle + 1 } else { high = middle }
    }
    return low < risingCount && clients[low] == client ? low : nil
  }

  /// Nil for a client that was not invited.
  subscript(client: ClientID) -> Standing? { search(for: client).map { self[$0] } }

  /// The places of all clients, in the rising order of these.
  var risingPlaces: [Int] {
    joinedPlaces.isEmpty
      ? Array(clients.indices) : clients.indices.sorted { clients[$0] < clients[$1] }
  }

  func receipt(at place: Int) -> UInt64 { receipts.isEmpty ? 0 : receipts[place] }

  subscript(place: Int) -> Standing {
    get {
      guard let standing = Standing(code: Int(codes[place]), receipt: receipt(at: place)) else {
        preconditionFailure("There are no other standings than those that were put in.")
      }
      return standing
    }
    set {
      codes[place] = newValue.code
      let receipt = newValue.receipt
      if receipt != 0 && receipts.isEmpty { receipts = Array(repeating: 0, count: count) }
      if !receipts.isEmpty { receipts[place] = receipt }
    }
  }

  /// The clients whose updates are here but not yet said to be in the sum, in rising order.
  var folding: [ClientID] {
    let code = Standing.folding(receipt: 0).code
    return clients.indices.filter { codes[$0] == code }.map { clients[$0] }.sorted()
  }
}

extension RoundStateMachine.Standing {
  /// As it is written.
  var code: UInt8 {
    switch self {
    case .invited: 0
    case .droppedOut: 1
    case .folding: 2
    case .folded: 3
    case .rejected: 4
    case .surplus: 5
    }
  }

  /// Of the upload; 0 where there is none.
  var receipt: UInt64 {
    switch self {
    case .folding(let receipt), .folded(let receipt): receipt
    case .invited, .droppedOut, .rejected, .surplus: 0
    }
  }

  init?(code: Int, receipt: UInt64) {
    switch code {
    case 0: self = .invited
    case 1: self = .droppedOut
    case 2: self = .folding(receipt: receipt)
    case 3: self = .folded(receipt: receipt)
    case 4: self = .rejected
    case 5: self = .surplus
    default: return nil
    }
  }
}
