// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What can be added and scaled, hence averaged, noised, compressed and masked: one or more vectors.
///
/// An algorithm that sends two vectors (SCAFFOLD) declares a struct of both and lists them here; sums,
/// codecs and masks treat them one after the other.
public protocol VectorSpace: Sendable {
  /// The vectors it consists of, always in the same order and of the same lengths.
  var vectors: [ParameterVector] { get }

  /// The value that consists of these vectors; the inverse of ``vectors``.
  init(vectors: [ParameterVector])
}

extension ParameterVector: VectorSpace {
  public var vectors: [ParameterVector] { [self] }

  public init(vectors: [ParameterVector]) {
    precondition(vectors.count == 1, "A parameter vector is one vector, not \(vectors.count).")
    self = vectors[0]
  }
}
