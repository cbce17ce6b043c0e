// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// What a node of a graph computes from its inputs, as a plain value that can be sent over a wire.
///
/// Axes and shapes are those of one example; the batch is implied and comes before them.
public enum Operation: Codable, Hashable, Sendable {
  case input
  /// One of ``Graph/parameters``.
  case parameter(Int)
  /// A single number.
  case constant(Float)
  /// A function of each element.
  case unary(UnaryFunction)
  /// A function of corresponding elements; shapes are broadcast as in NumPy.
  case binary(BinaryFunction)
  /// The matrix product over the last two axes; a vector on the left is a row.
  ///
  /// Axes before them must be equal or, on one side, absent.
  case product(transposingLeft: Bool, transposingRight: Bool)
  /// Over the last axis.
  case softmax
  /// Over the last axis.
  case logSoftmax
  /// Over neighbouring axes, in rising order; they remain, with extent 1.
  case reduction(Reduction, axes: [Int])
  case reshape(Shape)
  /// Axis i of the result is axis `permutation[i]` of the input.
  case transpose([Int])
  /// lower[i] ..< upper[i] of each axis i.
  case slice(lower: [Int], upper: [Int])
  case concatenation(axis: Int)
  /// Zeros before and after what is there, on each axis.
  case padding(before: [Int], after: [Int])
  /// Rows of the first input, a table, at the indices that the second one has.
  case gather
  /// Images of height × width × channels with filters of height × width × channels/groups × outputs.
  case convolution(Window, groups: Int)
  /// The largest number in each window, channel by channel; padding does not count.
  case maxPool(Window)
  /// The mean of each window, channel by channel, padding counted as zeros.
  case averagePool(Window)
  /// (x − mean) / √(variance + ε) over the last `axes` axes.
  case layerNormalization(axes: Int, epsilon: Float)
  /// (x − mean) / √(variance + ε) over groups of channels (the last axis) at all places.
  case groupNormalization(groups: Int, epsilon: Float)
  /// In training, zeroes elements at this rate and scales the others by 1/(1 − rate).
  ///
  /// `ordinal` tells the dropouts of a graph apart: each has random numbers of its own.
  case dropout(rate: Float, ordinal: Int)
}

/// A function of one number.
public enum UnaryFunction: Codable, Hashable, Sendable {
  case negate
  case exp
  case log
  case sqrt
  /// xᵖ; negative bases have a power only where p is a whole number.
  case power(Float)
  case relu
  /// x where x > 0, else slope · x.
  case leakyRelu(slope: Float)
  case sigmoid
  case tanh
  /// x Φ(x), with the error function.
  case gelu
  /// x Φ(x), approximated with tanh.
  case geluTanh
  /// x σ(x).
  case silu
}

/// A function of two numbers.
public enum BinaryFunction: String, Codable, Hashable, Sendable {
  case add
  case subtract
  case multiply
  case divide
}

/// How many numbers become one.
public enum Reduction: String, Codable, Hashable, Sendable {
  case sum
  case mean
  case max
}
