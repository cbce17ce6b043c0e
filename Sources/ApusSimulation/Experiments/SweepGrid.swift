// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A value for each of some recipe keys.
public struct SweepSettings: Hashable, Sendable {
  /// `key.path` and value, as `--set` takes them, in the order of the grid.
  public var values: [SweepValue]

  /// `algorithm.fedavg.learningRate=0.1`, for each key.
  public var overrides: [String] { values.map { "\($0.key)=\($0.value)" } }

  /// `learningRate=0.1`, for people and for the names of directories.
  public var title: String {
    values.map { value in
      "\(value.key.split(separator: ".").last ?? "")=\(value.value)"
    }.joined(separator: " ")
  }
}

/// A key of a recipe and what it is set to.
public struct SweepValue: Hashable, Sendable {
  public var key: String
  public var value: String

  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// The keys and values that a sweep tries, every combination of them.
public struct SweepGrid: Hashable, Sendable {
  public var axes: [Axis]

  public struct Axis: Hashable, Sendable {
    public var key: String
    public var values: [String]

    public init(key: String, values: [String]) {
      self.key = key
      self.values = values
    }
  }

  public init(_ axes: [Axis]) { self.axes = axes }

  /// Every combination, the last axis changing fastest; one empty combination where there are no axes.
  public var points: [SweepSettings] {
    axes.reduce([SweepSettings(values: [])]) { points, axis in
      points.flatMap { point in
        axis.values.map {
          SweepSettings(values: point.values + [SweepValue(key: axis.key, value: $0)])
        }
      }
    }
  }
}
