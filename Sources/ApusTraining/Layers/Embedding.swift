// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// A row of numbers for each index of a vocabulary.
///
/// `weight` is vocabulary × width.
public final class Embedding: Layer {
  let vocabulary: Int
  let width: Int
  let initialization: Initialization

  /// - Parameters:
  ///   - vocabulary: how many indices there are.
  ///   - width: numbers in a row.
  ///   - initialization: what the first rows are drawn from; PyTorch's default is a standard normal.
  public init(
    _ vocabulary: Int, width: Int,
    initialization: Initialization = .normal(standardDeviation: 1)
  ) {
    self.vocabulary = vocabulary
    self.width = width
    self.initialization = initialization
  }

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) {
      let table = input.parameter(
        "weight", [vocabulary, width], initialization.weights(fanIn: vocabulary, fanOut: width),
        of: self)
      return table.gathered(at: input)
    }
  }
}
