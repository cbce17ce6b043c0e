// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusNumerics

/// Everything random in a run, each use from a stream of its own.
///
/// Streams are named by (seed, use, round, client), so a draw does not depend on which thread makes it,
/// on what was drawn before, or on whether the run was resumed in between.
package struct RunStreams: Sendable {
  private enum Use: Int {
    case cohort, arrival, dropOut, stragglers, training, clientEvaluation
  }

  private let root: RandomStream

  package init(seed: UInt64) { root = RandomStream(seed: seed) }

  private subscript(_ use: Use) -> RandomStream { root.split(use.rawValue) }

  /// Which clients are invited.
  package func cohort(inRound round: Int) -> RandomStream { self[.cohort].split(round) }

  /// In which order those who report do so.
  package func arrival(inRound round: Int) -> RandomStream { self[.arrival].split(round) }

  /// Whether a client never reports.
  package func dropOut(of client: Int, inRound round: Int) -> RandomStream {
    self[.dropOut].split(round).split(client)
  }

  /// Which of a cohort's places are stragglers, and how much they manage.
  package func stragglers(inRound round: Int) -> RandomStream { self[.stragglers].split(round) }

  /// A client's batches and dropout masks.
  package func training(of client: Int, inRound round: Int) -> RandomStream {
    self[.training].split(round).split(client)
  }

  /// Which clients are measured on their own examples: the same ones in every round.
  package var clientEvaluation: RandomStream { self[.clientEvaluation] }
}
