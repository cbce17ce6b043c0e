// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

/// How the learning rate changes from round to round: what it is multiplied by.
public enum LearningRateSchedule: Hashable, Sendable {
  /// 1 in every round.
  case constant
  /// decay^round; decay in 0...1, without 0.
  case exponential(decay: Float)
  /// factor^⌊round / every⌋; factor in 0...1, without 0.
  case step(every: Int, factor: Float)
  /// From 1 down to the minimum, in 0...1, along half a cosine; the minimum after that many rounds.
  ///
  /// > I. Loshchilov, F. Hutter. "SGDR: Stochastic gradient descent with warm restarts." ICLR 2017.
  /// > Equation 5, without restarts.
  case cosine(rounds: Int, minimum: Float = 0)
  /// (round + 1) / rounds, so 1 in the last of these rounds; then another schedule from its beginning.
  ///
  /// > P. Goyal et al. "Accurate, large minibatch SGD: Training ImageNet in 1 hour." 2017. Section 2.2.
  indirect case warmup(rounds: Int, then: LearningRateSchedule)

  /// What to multiply the learning rate by.
  ///
  /// - Parameter round: counted from 0.
  /// - Returns: a number in 0...1.
  public func factor(atRound round: Int) -> Float {
    switch self {
    case .constant: return 1
    case .exponential(let decay): return Self.power(decay, round)
    case .step(let every, let factor): return Self.power(factor, round / every)
    case .cosine(let rounds, let minimum):
      guard round < rounds else { return minimum }
      var (sine, cosine) = (0.0, 0.0)
      apus_elementary_sincos(Double.pi * Double(round) / Double(rounds), &sine, &cosine)
      let height = (1 + cosine) / 2
      return Float(Double(minimum) + (1 - Double(minimum)) * height)
    case .warmup(let rounds, let then):
      return round < rounds
        ? Float(round + 1) / Float(rounds) : then.factor(atRound: round - rounds)
    }
  }

  /// By repeated squares, because `pow` differs from one C library to the next.
  private static func power(_ base: Float, _ exponent: Int) -> Float {
    var (result, square, rest) = (1.0, Double(base), exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return Float(result)
  }

  /// This schedule, if its numbers are in their ranges.
  ///
  /// - Throws: ``NumericsError`` (`invalid-value`) that names the key.
  public func validated() throws(NumericsError) -> LearningRateSchedule {
    switch self {
    case .constant: break
    case .exponential(let decay): try Self.check(factor: decay, "decay")
    case .step(let every, let factor):
      try NumericsError.check(every >= 1, "every", is: "at least 1", not: every)
      try Self.check(factor: factor, "factor")
    case .cosine(let rounds, let minimum):
      try NumericsError.check(rounds >= 1, "rounds", is: "at least 1", not: rounds)
      try NumericsError.check(
        minimum >= 0 && minimum <= 1, "minimum", is: "in 0...1, a part of the rate", not: minimum)
    case .warmup(let rounds, let then):
      try NumericsError.check(rounds >= 1, "rounds", is: "at least 1", not: rounds)
      if case .warmup = then {
        throw NumericsError(.invalidValue, "then must be a schedule other than warmup.")
      }
      _ = try then.validated()
    }
    return self
  }

  private static func check(factor: Float, _ key: String) throws(NumericsError) {
    try NumericsError.check(
      factor > 0 && factor <= 1, key, is: "above 0 and at most 1", not: factor)
  }
}

/// In recipes: `"constant"`, `{ exponential: { decay: 0.99 } }`, `{ step: { every: 10, factor: 0.5 } }`,
/// `{ cosine: { rounds: 100, minimum: 0 } }`, `{ warmup: { rounds: 5, then: "constant" } }`.
extension LearningRateSchedule: Codable {
  public init(from decoder: any Decoder) throws {
    let choice = try WrittenChoice(
      from: decoder, known: ["constant", "exponential", "step", "cosine", "warmup"])
    switch choice.name {
    case "exponential":
      self = .exponential(decay: try choice.parameters(known: ["decay"]).value("decay"))
    case "step":
      let object = try choice.parameters(known: ["every", "factor"])
      self = .step(every: try object.value("every"), factor: try object.value("factor"))
    case "cosine":
      let object = try choice.parameters(known: ["rounds", "minimum"])
      self = .cosine(
        rounds: try object.value("rounds"), minimum: try object.value("minimum", default: 0))
    case "warmup":
      let object = try choice.parameters(known: ["rounds", "then"])
      self = .warmup(
        rounds: try object.value("rounds"), then: try object.value("then", default: .constant))
    default:
      _ = try choice.parameters()
      self = .constant
    }
    self = try decoder.validating { () throws(NumericsError) in try self.validated() }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .constant: try encoder.encodeChoice("constant")
    case .exponential(let decay):
      try encoder.encodeChoice("exponential") { try $0.encode(decay, as: "decay") }
    case .step(let every, let factor):
      try encoder.encodeChoice("step") {
        try $0.encode(every, as: "every")
        try $0.encode(factor, as: "factor")
      }
    case .cosine(let rounds, let minimum):
      try encoder.encodeChoice("cosine") {
        try $0.encode(rounds, as: "rounds")
        try $0.encode(minimum, as: "minimum")
      }
    case .warmup(let rounds, let then):
      try encoder.encodeChoice("warmup") {
        try $0.encode(rounds, as: "rounds")
        try $0.encode(then, as: "then")
      }
    }
  }
}
