// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Which optimizer takes a client's local steps, with PyTorch's parameters and defaults.
public enum OptimizerChoice: Hashable, Sendable {
  /// Stochastic gradient descent: momentum in 0..<1, Nesterov's variant only with momentum.
  case sgd(momentum: Float = 0, nesterov: Bool = false, weightDecay: Float = 0)
  /// Adam; the weight decay is added to the gradient.
  ///
  /// > D. P. Kingma, J. Ba. "Adam: A method for stochastic optimization." ICLR 2015. Algorithm 1.
  case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0)
  /// Adam with weight decay apart from the gradient.
  ///
  /// > I. Loshchilov, F. Hutter. "Decoupled weight decay regularization." ICLR 2019. Algorithm 2.
  case adamW(
    beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Float = 0.01)

  /// Whether a step is x ← x − rate · g and nothing else, which models can fuse into their products.
  public var isPlain: Bool {
    guard case .sgd(momentum: 0, nesterov: _, weightDecay: 0) = self else { return false }
    return true
  }

  /// This choice, if its numbers are in their ranges.
  ///
  /// - Throws: ``NumericsError`` (`invalid-value`) that names the key.
  public func validated() throws(NumericsError) -> OptimizerChoice {
    switch self {
    case .sgd(let momentum, let nesterov, let weightDecay):
      try Self.check(momentum: momentum, "momentum")
      try NumericsError.check(
        !nesterov || momentum > 0, "nesterov", is: "false where momentum is 0", not: nesterov)
      try Self.check(weightDecay: weightDecay)
    case .adam(let beta1, let beta2, let epsilon, let weightDecay),
      .adamW(let beta1, let beta2, let epsilon, let weightDecay):
      try Self.check(momentum: beta1, "beta1")
      try Self.check(momentum: beta2, "beta2")
      try NumericsError.check(
        epsilon >= 0 && epsilon.isFinite, "epsilon", is: "at least 0 and finite", not: epsilon)
      try Self.check(weightDecay: weightDecay)
    }
    return self
  }

  private static func check(momentum: Float, _ key: String) throws(NumericsError) {
    try NumericsError.check(momentum >= 0 && momentum < 1, key, is: "in 0..<1", not: momentum)
  }

  private static func check(weightDecay: Float) throws(NumericsError) {
    try NumericsError.check(
      weightDecay >= 0 && weightDecay.isFinite, "weightDecay", is: "at least 0 and finite",
      not: weightDecay)
  }
}

/// In recipes: `"sgd"`, `{ sgd: { momentum: 0.9 } }`, `{ adam: { beta1: 0.9 } }`, `"adamw"`; what is left
/// out has its default.
extension OptimizerChoice: Codable {
  public init(from decoder: any Decoder) throws {
    let choice = try WrittenChoice(from: decoder, known: ["sgd", "adam", "adamw"])
    if choice.name == "sgd" {
      let object = try choice.parameters(known: ["momentum", "nesterov", "weightDecay"])
      self = .sgd(
        momentum: try object.value("momentum", default: 0),
        nesterov: try object.value("nesterov", default: false),
        weightDecay: try object.value("weightDecay", default: 0))
    } else {
      let object = try choice.parameters(known: ["beta1", "beta2", "epsilon", "weightDecay"])
      let beta1: Float = try object.value("beta1", default: 0.9)
      let beta2: Float = try object.value("beta2", default: 0.999)
      let epsilon: Float = try object.value("epsilon", default: 1e-8)
      let decay: Float = try object.value(
        "weightDecay", default: choice.name == "adam" ? 0 : 0.01)
      self =
        choice.name == "adam"
        ? .adam(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decay)
        : .adamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decay)
    }
    self = try decoder.validating { () throws(NumericsError) in try self.validated() }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .sgd(momentum: 0, nesterov: false, weightDecay: 0):
      try encoder.encodeChoice("sgd")
    case .sgd(let momentum, let nesterov, let weightDecay):
      try encoder.encodeChoice("sgd") { object in
        try object.encode(momentum, as: "momentum")
        try object.encode(nesterov, as: "nesterov")
        try object.encode(weightDecay, as: "weightDecay")
      }
    case .adam(let beta1, let beta2, let epsilon, let weightDecay):
      try encoder.encodeChoice("adam") { object in
        try object.encode(beta1, as: "beta1")
        try object.encode(beta2, as: "beta2")
        try object.encode(epsilon, as: "epsilon")
        try object.encode(weightDecay, as: "weightDecay")
      }
    case .adamW(let beta1, let beta2, let epsilon, let weightDecay):
      try encoder.encodeChoice("adamw") { object in
        try object.encode(beta1, as: "beta1")
        try object.encode(beta2, as: "beta2")
        try object.encode(epsilon, as: "epsilon")
        try object.encode(weightDecay, as: "weightDecay")
      }
    }
  }
}
