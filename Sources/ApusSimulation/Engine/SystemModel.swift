// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusRounds

/// What goes wrong in the field: who of a cohort never reports, and who only does part of the work.
struct SystemModel: Sendable {
  let choice: Recipe.SystemChoice
  let streams: RunStreams

  /// The fate of every member of a cohort, in the cohort's order.
  ///
  /// A given share of the places are stragglers, as in FedProx (Li et al., MLSys 2020, §5.2): each
  /// manages a number of epochs drawn uniformly from 1 to all.
  ///
  /// - Parameters:
  ///   - cohort: the clients invited.
  ///   - round: counted from 0.
  ///   - localEpochs: what is asked of each.
  /// - Returns: one fate for each member, by place.
  /// - Complexity: O(cohort).
  func fates(of cohort: [ClientID], inRound round: Int, localEpochs: Int) -> Fates {
    var fates = Fates(count: cohort.count)
    if choice.stragglerFraction > 0 {
      var stream = streams.stragglers(inRound: round)
      let count = Int((Double(cohort.count) * choice.stragglerFraction).rounded())
      for place in stream.sample(count, outOf: cohort.count) {
        fates[place] = .manages(epochs: 1 + stream.below(localEpochs))
      }
    }
    if choice.dropOutRate > 0 {
      for (place, client) in cohort.enumerated() {
        var stream = streams.dropOut(of: Int(client.rawValue), inRound: round)
        if stream.uniform() < choice.dropOutRate { fates[place] = .dropsOut }
      }
    }
    return fates
  }
}

/// What becomes of one invited client.
enum Fate: Equatable, Sendable {
  case reports
  /// Reports after so many local epochs, fewer than or as many as asked.
  case manages(epochs: Int)
  case dropsOut
}

/// What becomes of the clients of a cohort, by place: 4 bytes a client, none where all simply report.
struct Fates: Sendable {
  let count: Int
  /// 0 for who reports, -1 for who drops out, else the epochs.
  private var codes: [Int32] = []

  init(count: Int = 0) { self.count = count }

  subscript(place: Int) -> Fate {
    get {
      let code = codes.isEmpty ? 0 : codes[place]
      return code == 0 ? .reports : code < 0 ? .dropsOut : .manages(epochs: Int(code))
    }
    set {
      if codes.isEmpty { codes = Array(repeating: 0, count: count) }
      switch newValue {
      case .reports: codes[place] = 0
      case .manages(let epochs): codes[place] = Int32(clamping: epochs)
      case .dropsOut: codes[place] = -1
      }
    }
  }
}
