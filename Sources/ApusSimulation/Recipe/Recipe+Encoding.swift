// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusCatalog
internal import ApusData
internal import ApusNumerics

extension Recipe {
  /// The recipe as JSON5, every value said and always in the same order.
  ///
  /// - Parameter lines: comments to put on top, for example the version and the digests of the data.
  /// - Returns: what ``init(parsing:file:setting:)`` reads as the same recipe.
  public func encoded(under lines: [String] = []) -> String {
    let comments = lines.map {
      "// \($0.split(whereSeparator: \.isNewline).joined(separator: " "))\n"
    }
    return comments.joined() + tree.text(indentation: "") + "\n"
  }

  /// SHA-256 of the canonical text, in hexadecimal digits: equal for equal recipes.
  public var digest: String {
    Array(encoded().utf8).withUnsafeBytes { SHA256.hexDigest(of: $0) }
  }

  private var tree: RecipeText {
    .object([
      ("name", .text(name)),
      ("model", modelTree),
      ("data", dataTree),
      ("algorithm", algorithmTree),
      ("aggregation", .text(aggregation.rawValue)),
      ("cohort", cohortTree),
      ("rounds", .number(rounds)),
      (
        "stop",
        .object([("accuracy", .number(stop.accuracy)), ("patience", .number(stop.patience))])
      ),
      (
        "system",
        .object([
          ("dropOutRate", .number(system.dropOutRate)),
          ("stragglerFraction", .number(system.stragglerFraction)),
          ("overSelection", .number(system.overSelection)),
          ("quorum", .number(system.quorum)),
        ])
      ),
      ("privacy", .text("none")),
      (
        "evaluate",
        .object([("every", .number(evaluate.every)), ("clients", .number(evaluate.clients))])
      ),
      ("serve", serveTree),
      // Left out where the recipe leaves it to the machine.
      ("instructionSet", instructionSet.map { .text($0.rawValue) } ?? .nothing),
      ("seed", .number(seed)),
    ])
  }

  private var serveTree: RecipeText {
    guard let serve else { return .nothing }
    return .object([
      ("overSelection", .number(serve.overSelection)),
      ("minimumCohort", .number(serve.minimumCohort)),
      ("reportTimeout", .number(serve.reportTimeout)),
      ("participationLimit", .number(serve.participationLimit)),
      ("restRounds", .number(serve.restRounds)),
      ("abandonmentLimit", .number(serve.abandonmentLimit)),
      ("late", .text(serve.late.rawValue)),
      ("labels", .texts(serve.labels)),
      ("normBound", .number(serve.normBound)),
      ("updateFormat", .text(serve.updateFormat.rawValue)),
      ("packed", .number(serve.packed)),
    ])
  }

  private var modelTree: RecipeText {
    switch model {
    case .named(let name): .text(name)
    case .graph(let file): .object([("graph", .text(file))])
    }
  }

  private var dataTree: RecipeText {
    let split: RecipeText =
      switch data.split {
      case .iid: .text("iid")
      case .shards(let perClient): .kind("shards", [("perClient", .number(perClient))])
      case .dirichlet(let alpha, let minimum):
        .kind("dirichlet", [("alpha", .number(alpha)), ("minimum", .number(minimum))])
      case .quantity(let alpha): .kind("quantity", [("alpha", .number(alpha))])
      case .by(let key): .object([("by", .text(key))])
      }
    return .object([
      ("set", .text(data.set)), ("split", split), ("clients", .number(data.clients)),
      ("holdBack", .number(data.holdBack)), ("alpha", .number(data.alpha)),
      ("beta", .number(data.beta)),
    ])
  }

  private var cohortTree: RecipeText {
    switch cohort {
    case .fraction(let fraction): .object([("fraction", .number(fraction))])
    case .size(let size): .object([("size", .number(size))])
    }
  }

  private var algorithmTree: RecipeText {
    switch algorithm {
    case .fedAvg(let fedAvg):
      .kind(
        "fedavg",
        [
          ("localEpochs", .number(fedAvg.localEpochs)),
          ("batchSize", fedAvg.batchSize.map { .number($0) } ?? .text("all")),
          ("learningRate", .number(fedAvg.learningRate)),
          ("optimizer", tree(of: fedAvg.optimizer)), ("schedule", tree(of: fedAvg.schedule)),
        ])
    case .fedProx(let fedProx):
      .kind(
        "fedprox",
        [
          ("localEpochs", .number(fedProx.localEpochs)),
          ("batchSize", fedProx.batchSize.map { .number($0) } ?? .text("all")),
          ("learningRate", .number(fedProx.learningRate)),
          ("proximalStrength", .number(fedProx.proximalStrength)),
          ("optimizer", tree(of: fedProx.optimizer)), ("schedule", tree(of: fedProx.schedule)),
        ])
    case .fedSGD(let fedSGD):
      .kind(
        "fedsgd",
        [
          ("learningRate", .number(fedSGD.learningRate)), ("schedule", tree(of: fedSGD.schedule)),
        ])
    }
  }

  private func tree(of optimizer: OptimizerChoice) -> RecipeText {
    switch optimizer {
    case .sgd(let momentum, let nesterov, let decay):
      .kind(
        "sgd",
        [
          ("momentum", .number(momentum)), ("nesterov", .number(nesterov)),
          ("weightDecay", .number(decay)),
        ])
    case .adam(let beta1, let beta2, let epsilon, let decay):
      .kind(
        "adam",
        [
          ("beta1", .number(beta1)), ("beta2", .number(beta2)), ("epsilon", .number(epsilon)),
          ("weightDecay", .number(decay)),
        ])
    case .adamW(let beta1, let beta2, let epsilon, let decay):
      .kind(
        "adamw",
        [
          ("beta1", .number(beta1)), ("beta2", .number(beta2)), ("epsilon", .number(epsilon)),
          ("weightDecay", .number(decay)),
        ])
    }
  }

  private func tree(of schedule: LearningRateSchedule) -> RecipeText {
    switch schedule {
    case .constant: .text("constant")
    case .exponential(let decay): .kind("exponential", [("decay", .number(decay))])
    case .step(let every, let factor):
      .kind("step", [("every", .number(every)), ("factor", .number(factor))])
    case .cosine(let rounds, let minimum):
      .kind("cosine", [("rounds", .number(rounds)), ("minimum", .number(minimum))])
    case .warmup(let rounds, let then):
      .kind("warmup", [("rounds", .number(rounds)), ("then", tree(of: then))])
    }
  }
}

/// A recipe's value on its way to text.
private indirect enum RecipeText {
  /// In quotes.
  case text(String)
  /// As it stands.
  case literal(String)
  case object([(key: String, value: RecipeText)])
  /// Under keys of any kind, in their order.
  case texts([String: String])
  /// Not there at all.
  case nothing

  static func number(_ value: some CustomStringConvertible) -> RecipeText {
    let text = value.description
    return .literal(text == "inf" ? "Infinity" : text == "-inf" ? "-Infinity" : text)
  }

  static func number(_ value: (some CustomStringConvertible)?) -> RecipeText {
    value.map { number($0) } ?? .nothing
  }

  static func kind(_ name: String, _ settings: [(key: String, value: RecipeText)]) -> RecipeText {
    .object([(name, .object(settings))])
  }

  func text(indentation: String) -> String {
    switch self {
    case .literal(let text): return text
    case .text(let text): return Self.quoted(text)
    case .nothing: return "null"
    case .object(let all):
      let members = all.filter { if case .nothing = $0.value { false } else { true } }
      let inner = indentation + "  "
      return Self.braced(
        members.map { "\($0.key): \($0.value.text(indentation: inner))" }, indentation)
    case .texts(let texts):
      let members = texts.sorted { $0.key < $1.key }
      return Self.braced(
        members.map { "\(Self.quoted($0.key)): \(Self.quoted($0.value))" }, indentation)
    }
  }

  private static func braced(_ members: [String], _ indentation: String) -> String {
    let line = "{ \(members.joined(separator: ", ")) }"
    if members.isEmpty { return "{}" }
    if !indentation.isEmpty, line.utf8.count <= 76, !line.contains("\n") { return line }
    return "{\n" + members.map { "\(indentation)  \($0),\n" }.joined() + indentation + "}"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\u{2028}", "\u{2029}": quoted += "\\u\(String(scalar.value, radix: 16))"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
