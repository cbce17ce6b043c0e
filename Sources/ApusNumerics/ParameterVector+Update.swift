// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

// The paper's formulas, as closures over corresponding elements. They are inlined into the caller and
// vectorized there; `Float.squareRoot()` is the one thing that prevents it.

extension ParameterVector {
  /// Replaces every element x by `body(x)`.
  @inlinable
  public mutating func update(_ body: (Float) -> Float) {
    makeUnique()
    let x = storage.base
    for i in 0..<count { x[i] = body(x[i]) }
  }

  /// Replaces every element x by `body(x, a)`.
  ///
  /// - Precondition: the vectors have the same length.
  @inlinable
  public mutating func update(with a: ParameterVector, _ body: (Float, Float) -> Float) {
    precondition(a.count == count, "Vectors of different lengths.")
    makeUnique()
    let (x, a) = (storage.base, a.storage.base)
    for i in 0..<count { x[i] = body(x[i], a[i]) }
  }

  /// Replaces every element x by `body(x, a, b)`.
  ///
  /// - Precondition: the vectors have the same length.
  @inlinable
  public mutating func update(
    with a: ParameterVector, _ b: ParameterVector, _ body: (Float, Float, Float) -> Float
  ) {
    precondition(a.count == count && b.count == count, "Vectors of different lengths.")
    makeUnique()
    let (x, a, b) = (storage.base, a.storage.base, b.storage.base)
    for i in 0..<count { x[i] = body(x[i], a[i], b[i]) }
  }

  /// Replaces every element x by `body(x, a, b, c)`.
  ///
  /// - Precondition: the vectors have the same length.
  @inlinable
  public mutating func update(
    with a: ParameterVector, _ b: ParameterVector, _ c: ParameterVector,
    _ body: (Float, Float, Float, Float) -> Float
  ) {
    precondition(
      a.count == count && b.count == count && c.count == count, "Vectors of different lengths.")
    makeUnique()
    let (x, a, b, c) = (storage.base, a.storage.base, b.storage.base, c.storage.base)
    for i in 0..<count { x[i] = body(x[i], a[i], b[i], c[i]) }
  }
}
