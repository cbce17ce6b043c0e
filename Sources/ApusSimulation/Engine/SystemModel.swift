// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusRounds

/// What goes wrong in the field: who of a cohort never reports, and who only does part of the work.
struct SystemModel: Sendable {
  let choice: Recipe.SystemChoice
  let streams: RunStreams

  /// What becomes of one invited client.
  enum Fate: Equatable, Sendable {
    case reports
    /// Reports after so many local epochs, fewer than or as many as asked.
    case manages(epochs: Int)
    case dropsOut
  }

  /// The fate of every member of a cohort, in the cohort's order.
  ///
  /// A given share of the places are stragglers, as in FedProx (Li et al., MLSys 2020, §5.2): each
  /// manages a number of epochs drawn uniformly from 1 to all.
  ///
  /// - Parameters:
  ///   - cohort: the clients invited.
  ///   - round: counted from 0.
  ///   - localEpochs: what is asked of each.
  /// - Returns: one fate for each member.
  /// - Complexity: O(cohort).
  func fates(of cohort: [Int], inRound round: Int, localEpochs: Int) -> [Fate] {
    var fates = [Fate](repeating: .reports, count: cohort.count)
    if choice.stragglerFraction > 0 {
      var stream = streams.stragglers(inRound: round)
      let count = Int((Double(cohort.count) * choice.stragglerFraction).rounded())
      for place in stream.sample(count, outOf: cohort.count) {
        fates[place] = .manages(epochs: 1 + stream.below(localEpochs))
      }
    }
    if choice.dropOutRate > 0 {
      for (place, client) in cohort.enumerated() {
        var stream = streams.dropOut(of: client, inRound: round)
        if stream.uniform() < choice.dropOutRate { fates[place] = .dropsOut }
      }
    }
    return fates
  }
}
