// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

// Shapes of the operands are broadcast as in NumPy.

extension Symbol {
  public static func + (a: Symbol, b: Symbol) -> Symbol { a.applying(.binary(.add), b) }
  public static func - (a: Symbol, b: Symbol) -> Symbol { a.applying(.binary(.subtract), b) }
  public static func * (a: Symbol, b: Symbol) -> Symbol { a.applying(.binary(.multiply), b) }
  public static func / (a: Symbol, b: Symbol) -> Symbol { a.applying(.binary(.divide), b) }

  public static func + (a: Symbol, b: Float) -> Symbol { a + a.constant(b) }
  public static func - (a: Symbol, b: Float) -> Symbol { a - a.constant(b) }
  public static func * (a: Symbol, b: Float) -> Symbol { a * a.constant(b) }
  public static func / (a: Symbol, b: Float) -> Symbol { a / a.constant(b) }
  public static func + (a: Float, b: Symbol) -> Symbol { b.constant(a) + b }
  public static func - (a: Float, b: Symbol) -> Symbol { b.constant(a) - b }
  public static func * (a: Float, b: Symbol) -> Symbol { b.constant(a) * b }
  public static func / (a: Float, b: Symbol) -> Symbol { b.constant(a) / b }

  public static prefix func - (a: Symbol) -> Symbol { a.applying(.unary(.negate)) }

  /// A number of the same graph.
  public func constant(_ value: Float) -> Symbol { tracer.emit(.constant(value), []) }

  public func exponential() -> Symbol { applying(.unary(.exp)) }
  public func logarithm() -> Symbol { applying(.unary(.log)) }
  public func squareRoot() -> Symbol { applying(.unary(.sqrt)) }
  /// Each element to this power.
  public func power(_ exponent: Float) -> Symbol { applying(.unary(.power(exponent))) }

  /// The matrix product over the last two axes; a vector on the left is a row.
  ///
  /// - Parameters:
  ///   - other: the right side.
  ///   - transposingLeft: whether the last two axes of the left side are exchanged first.
  ///   - transposingRight: whether the last two axes of the right side are exchanged first.
  /// - Returns: … × rows of the left × columns of the right.
  public func product(
    with other: Symbol, transposingLeft: Bool = false, transposingRight: Bool = false
  ) -> Symbol {
    applying(
      .product(transposingLeft: transposingLeft, transposingRight: transposingRight), other)
  }

  /// The sum over the axes; nil for all.
  public func sum(over axes: [Int]? = nil, keepingAxes: Bool = false) -> Symbol {
    reduced(.sum, axes, keepingAxes)
  }

  /// The mean over the axes; nil for all.
  public func mean(over axes: [Int]? = nil, keepingAxes: Bool = false) -> Symbol {
    reduced(.mean, axes, keepingAxes)
  }

  /// The largest element over the axes; nil for all.
  ///
  /// Where it is there more than once, the first has
  /// the gradient.
  public func max(over axes: [Int]? = nil, keepingAxes: Bool = false) -> Symbol {
    reduced(.max, axes, keepingAxes)
  }

  private func reduced(_ reduction: Reduction, _ axes: [Int]?, _ keepsAxes: Bool) -> Symbol {
    let axes = (axes.map { $0.map(resolved) } ?? Array(0..<shape.rank)).sorted()
    // A node reduces neighbouring axes; others are reduced one run after the other, the last first.
    var reduced = self
    var rest = axes[...]
    repeat {
      var run = rest.suffix(1)
      rest = rest.dropLast()
      while let axis = rest.last, axis + 1 == run.first {
        run = [axis] + run
        rest = rest.dropLast()
      }
      reduced = reduced.applying(.reduction(reduction, axes: Array(run)))
    } while !rest.isEmpty
    if keepsAxes { return reduced }
    let remaining = shape.dimensions.indices.filter { !axes.contains($0) }
    return reduced.applying(.reshape(Shape(remaining.map { shape[$0] })))
  }
}
