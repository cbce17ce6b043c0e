// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusRounds

/// A client whose update is wanted.
struct ClientJob: Sendable {
  var client: Int
  /// A straggler's; nil for all epochs.
  var epochLimit: Int?
}

/// The clients of a round whose updates are wanted, in the cohort's order.
///
/// Made when they are asked for: besides the cohort itself, which the round's machine shares, a client
/// takes no memory where everybody is wanted and manages everything, and at most 8 bytes else.
struct RoundJobs: RandomAccessCollection, Sendable {
  private let cohort: [ClientID]
  private let fates: Fates
  /// Places in the cohort; nil for all of them.
  private let places: [Int32]?

  init() { self.init(of: [], fates: Fates(), isWanted: []) }

  /// - Parameters:
  ///   - cohort: who was invited.
  ///   - fates: what becomes of them, by place.
  ///   - isWanted: by place.
  init(of cohort: [ClientID], fates: Fates, isWanted: [Bool]) {
    self.cohort = cohort
    self.fates = fates
    places =
      isWanted.allSatisfy { $0 }
      ? nil : isWanted.indices.lazy.filter { isWanted[$0] }.map { Int32($0) }
  }

  var startIndex: Int { 0 }
  var endIndex: Int { places?.count ?? cohort.count }

  subscript(index: Int) -> ClientJob {
    let place = places.map { Int($0[index]) } ?? index
    var job = ClientJob(client: Int(cohort[place].rawValue))
    if case .manages(let epochs) = fates[place] { job.epochLimit = epochs }
    return job
  }
}
