// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// In training, zeroes elements at a rate and scales the others by 1/(1 − rate).
///
/// > N. Srivastava et al. "Dropout: a simple way to prevent neural networks from overfitting." JMLR 2014.
public final class Dropout: Layer {
  let rate: Float

  /// - Parameter rate: in 0..<1.
  public init(_ rate: Float) { self.rate = rate }

  public func callAsFunction(_ input: Symbol) -> Symbol {
    input.within(self) { input.droppedOut(rate: rate) }
  }
}
