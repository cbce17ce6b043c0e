// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is known of each client of a cohort, by its place among them.
///
/// A round of a million clients is no rare thing in a simulation, so a client takes 9 bytes here, of which
/// 8 are shared with whoever chose the cohort in rising order; 8 more where uploads have receipts.
struct Standings: Sendable {
  typealias Standing = RoundStateMachine.Standing

  /// In rising order, each once.
  private(set) var clients: [ClientID] = []
  private(set) var codes: [UInt8] = []
  /// Empty as long as all of them are 0.
  private var receipts: [UInt64] = []
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
  }

  static func areRising(_ clients: [ClientID]) -> Bool {
    clients.indices.dropFirst().allSatisfy { clients[$0 - 1] < clients[$0] }
  }

  var count: Int { clients.count }

  /// The place of a client; nil where it was not invited.
  ///
  /// - Complexity: O(1) where clients come in rising order, else O(log n).
  mutating func place(of client: ClientID) -> Int? {
    for place in lastPlace..<Swift.min(lastPlace + 2, count) where clients[place] == client {
      lastPlace = place
      return place
    }
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if clients[middle] < client { low = middle + 1 } else { high = middle }
    }
    guard low < count, clients[low] == client else { return nil }
    lastPlace = low
    return low
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
    return clients.indices.filter { codes[$0] == code }.map { clients[$0] }
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
