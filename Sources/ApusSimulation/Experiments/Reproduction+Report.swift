// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

extension Reproduction {
  /// What came out, in a form that scripts can read.
  public struct Report: Encodable, Sendable {
    public var experiment: String
    public var isReproduced: Bool
    public var claims: [Claim]
    public var runs: [RunLine]
  }

  /// A claim and whether it holds.
  public struct Claim: Encodable, Sendable {
    public var name: String
    public var expected: String
    public var published: Double?
    public var measured: Double?
    public var isAccuracy: Bool
    public var holds: Bool
  }

  /// A run beside its committed result.
  public struct RunLine: Encodable, Sendable {
    public enum Verdict: String, Encodable, Sendable {
      /// The model has the same bytes.
      case identical
      /// The figures are as near as another processor's rounding explains.
      case near
      case differs
      case new = "not committed"
    }

    public var name: String
    public var roundsToTarget: Double?
    public var committedRoundsToTarget: Double?
    public var bestAccuracy: Double?
    public var committedBestAccuracy: Double?
    public var verdict: Verdict
  }

  public var report: Report {
    Report(
      experiment: experiment.title, isReproduced: isReproduced,
      claims: verdicts.map { verdict in
        let claim = verdict.claim
        let bounds = [
          claim.atMost.map { "at most \(Self.short($0))" },
          claim.atLeast.map { "at least \(Self.short($0))" },
        ].compactMap { $0 }
        return Claim(
          name: "\(claim.cell): \(claim.metric.rawValue)" + (claim.over.map { " / \($0)" } ?? ""),
          expected: bounds.joined(separator: ", "), published: claim.published,
          measured: verdict.measured,
          isAccuracy: claim.metric.isAccuracy && claim.over == nil,
          holds: verdict.holds)
      },
      runs: comparisons.map { comparison in
        let (run, committed) = (comparison.run, comparison.committed)
        return RunLine(
          name: ([run.cell] + Self.shortened(run.settings) + ["seed=\(run.seed)"])
            .joined(separator: " "),
          roundsToTarget: run.roundsToTarget,
          committedRoundsToTarget: committed?.roundsToTarget,
          bestAccuracy: run.bestAccuracy, committedBestAccuracy: committed?.bestAccuracy,
          verdict: committed == nil
            ? .new : comparison.isIdentical ? .identical : comparison.agrees ? .near : .differs)
      })
  }

  /// `learningRate=0.1` for `algorithm.fedavg.learningRate=0.1`.
  private static func shortened(_ settings: [String]) -> [String] {
    settings.map { setting in
      let parts = setting.split(separator: "=", maxSplits: 1)
      return "\(parts[0].split(separator: ".").last ?? "")=\(parts.last ?? "")"
    }
  }

  private static func short(_ number: Double) -> String {
    number == number.rounded() ? "\(Int(number))" : "\(number)"
  }
}
