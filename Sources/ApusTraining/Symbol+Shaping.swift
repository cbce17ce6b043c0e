// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

extension Symbol {
  /// The same elements, in the same order, with another shape.
  public func reshaped(to shape: Shape) -> Symbol { applying(.reshape(shape)) }

  /// All elements of an example in one axis.
  public func flattened() -> Symbol {
    shape.rank == 1 ? self : applying(.reshape([shape.count]))
  }

  /// Axis i of the result is axis `permutation[i]` of this one.
  public func transposed(_ permutation: [Int]) -> Symbol {
    applying(.transpose(permutation.map(resolved)))
  }

  /// A range of one axis.
  public func slice(_ range: Range<Int>, alongAxis axis: Int) -> Symbol {
    let axis = resolved(axis)
    guard shape.dimensions.indices ~= axis else {
      return failing("slice of \(shape) along axis \(axis): there is no such axis")
    }
    var (lower, upper) = ([Int](repeating: 0, count: shape.rank), shape.dimensions)
    (lower[axis], upper[axis]) = (range.lowerBound, range.upperBound)
    return applying(.slice(lower: lower, upper: upper))
  }

  /// The symbols one behind the other along an axis.
  ///
  /// - Precondition: there is at least one.
  public static func concatenated(_ symbols: [Symbol], alongAxis axis: Int) -> Symbol {
    precondition(!symbols.isEmpty, "Nothing to concatenate.")
    return symbols[0].tracer.emit(.concatenation(axis: symbols[0].resolved(axis)), symbols)
  }

  /// Zeros before and after what is there, on each axis.
  public func padded(before: [Int], after: [Int]) -> Symbol {
    applying(.padding(before: before, after: after))
  }

  /// Rows of this table at the indices.
  public func gathered(at indices: Symbol) -> Symbol { applying(.gather, indices) }
}
