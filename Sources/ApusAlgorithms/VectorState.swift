// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// What an algorithm keeps between rounds, as vectors: so it can be written to a checkpoint and read back.
///
/// A single number is a vector of one.
public protocol VectorState: Sendable {
  /// The vectors it consists of, always in the same order and of the same lengths.
  var vectors: [ParameterVector] { get }

  /// The state that consists of these vectors; the inverse of ``vectors``.
  ///
  /// - Precondition: as many and as long as those of a fresh state. Whoever reads a file compares them
  ///   first (`Checkpoint` does).
  init(vectors: [ParameterVector])
}

/// The state of what keeps none.
public struct NoState: VectorState, Hashable {
  public init() {}

  public var vectors: [ParameterVector] { [] }

  public init(vectors: [ParameterVector]) {
    precondition(vectors.isEmpty, "No state is no vectors, not \(vectors.count).")
  }
}

extension ParameterVector {
  /// Vectors one after the other.
  ///
  /// - Allocates: as many numbers as they have together.
  package init(joining vectors: [ParameterVector]) {
    self.init(count: vectors.reduce(0) { $0 + $1.count })
    withUnsafeMutableBufferPointer { all in
      var end = 0
      for vector in vectors {
        vector.withUnsafeBufferPointer { _ = all[end...].update(fromContentsOf: $0) }
        end += vector.count
      }
    }
  }
}
