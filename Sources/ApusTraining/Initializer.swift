// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// The distribution that a parameter's first numbers are drawn from.
public enum Initializer: Codable, Hashable, Sendable {
  case constant(Float)
  /// Uniform in −bound ..< bound.
  case uniform(bound: Float)
  /// Normal of mean 0.
  case normal(standardDeviation: Float)

  func fill(_ numbers: UnsafeMutableBufferPointer<Float>, from stream: RandomStream) {
    var stream = stream
    switch self {
    case .constant(let value):
      for i in numbers.indices { numbers[i] = value }
    case .uniform(let bound):
      for i in numbers.indices { numbers[i] = bound > 0 ? stream.uniform(in: -bound..<bound) : 0 }
    case .normal(let deviation):
      for i in numbers.indices { numbers[i] = deviation * Float(stream.normal()) }
    }
  }
}

/// How a layer's weights are drawn, given how many numbers go into and come out of one of its units.
public enum Initialization: Hashable, Sendable {
  /// PyTorch's default for dense and convolutional layers: uniform of bound 1/√fanIn, the bias as well.
  case standard
  /// K. He et al., ICCV 2015: normal of deviation √(2/fanIn). Biases are 0.
  case heNormal
  /// K. He et al., ICCV 2015: uniform of bound √(6/fanIn). Biases are 0.
  case heUniform
  /// X. Glorot, Y. Bengio, AISTATS 2010: normal of deviation √(2/(fanIn + fanOut)). Biases are 0.
  case glorotNormal
  /// X. Glorot, Y. Bengio, AISTATS 2010: uniform of bound √(6/(fanIn + fanOut)). Biases are 0.
  case glorotUniform
  /// Normal of this deviation. Biases are 0.
  case normal(standardDeviation: Float)
  case zeros
  case ones

  /// The initializer of weights.
  public func weights(fanIn: Int, fanOut: Int) -> Initializer {
    let (fanIn, fanOut) = (Float(max(fanIn, 1)), Float(max(fanOut, 1)))
    return switch self {
    case .standard: .uniform(bound: 1 / fanIn.squareRoot())
    case .heNormal: .normal(standardDeviation: (2 / fanIn).squareRoot())
    case .heUniform: .uniform(bound: (6 / fanIn).squareRoot())
    case .glorotNormal: .normal(standardDeviation: (2 / (fanIn + fanOut)).squareRoot())
    case .glorotUniform: .uniform(bound: (6 / (fanIn + fanOut)).squareRoot())
    case .normal(let deviation): .normal(standardDeviation: deviation)
    case .zeros: .constant(0)
    case .ones: .constant(1)
    }
  }

  /// The initializer of the bias beside such weights.
  public func bias(fanIn: Int) -> Initializer {
    self == .standard ? .uniform(bound: 1 / Float(max(fanIn, 1)).squareRoot()) : .constant(0)
  }
}
