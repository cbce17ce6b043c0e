// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A figure of a finished run.
public enum RunMetric: String, CaseIterable, Sendable {
  case roundsToTarget, bestAccuracy, finalAccuracy, lateLoss, lateLossDeviation

  public func value(of summary: RunSummary) -> Double? {
    if summary.outcome == .diverged { return nil }
    return switch self {
    case .roundsToTarget: summary.roundsToTarget
    case .bestAccuracy: summary.bestAccuracy
    case .finalAccuracy: summary.finalAccuracy
    case .lateLoss: summary.lateLoss
    case .lateLossDeviation: summary.lateLossDeviation
    }
  }

  /// Whether a smaller figure is the better one.
  public var isBetterWhenSmaller: Bool {
    switch self {
    case .roundsToTarget, .lateLoss, .lateLossDeviation: true
    case .bestAccuracy, .finalAccuracy: false
    }
  }

  /// Whether it is a share in 0...1.
  public var isAccuracy: Bool { self == .bestAccuracy || self == .finalAccuracy }
}

/// Mean and sample standard deviation.
public struct Statistic: Hashable, Sendable, Encodable {
  public let mean: Double
  /// 0 for a single value.
  public let standardDeviation: Double

  /// - Parameter values: nil comes of none.
  public init?(of values: [Double]) {
    guard !values.isEmpty else { return nil }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    standardDeviation = values.count < 2 ? 0 : (squares / Double(values.count - 1)).squareRoot()
  }
}
