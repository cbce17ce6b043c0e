// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusCatalog
internal import ApusData
internal import ApusModels
internal import ApusNumerics

extension Recipe {
  /// A value that makes no sense.
  struct Problem: Error {
    /// Keys with dots between them.
    var path: String
    var what: String
    var expected: String
  }

  /// Looks whether every value makes sense, alone and with the others.
  ///
  /// A recipe that was read from a file has been looked at; one made by a program has not.
  /// - Throws: `invalid-recipe`.
  public func validate() throws(SimulationError) {
    do { try check() } catch {
      throw SimulationError(
        .invalidRecipe,
        "recipe \(name): \(error.path): \(error.what), expected \(error.expected)")
    }
  }

  static let longestName = 80

  static let nameExpectation =
    "at most \(longestName) letters a-z, digits, '-', '_' or '.', for directories carry it"

  static func isName(_ name: String) -> Bool {
    name.unicodeScalars.allSatisfy(isNameScalar) && !name.isEmpty && !name.hasPrefix(".")
      && !name.hasPrefix("-") && name.count <= longestName
  }

  static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z") ~= scalar || ("A"..."Z") ~= scalar || ("0"..."9") ~= scalar
      || scalar == "-" || scalar == "_" || scalar == "."
  }

  func check() throws(Problem) {
    try require(Self.isName(name), "name", "\"\(name.prefix(40))\"", Self.nameExpectation)
    try checkModel()
    try checkData()
    switch algorithm {
    case .fedAvg(let fedAvg):
      let path = "algorithm.fedavg"
      try checkEpochs(fedAvg.localEpochs, batchSize: fedAvg.batchSize, at: path)
      try check(rate: fedAvg.learningRate, schedule: fedAvg.schedule, at: path)
      try check(fedAvg.optimizer, at: path + ".optimizer")
    case .fedProx(let fedProx):
      let path = "algorithm.fedprox"
      try checkEpochs(fedProx.localEpochs, batchSize: fedProx.batchSize, at: path)
      try check(rate: fedProx.learningRate, schedule: fedProx.schedule, at: path)
      try check(fedProx.optimizer, at: path + ".optimizer")
      try require(
        fedProx.proximalStrength, in: 0..., "\(path).proximalStrength", "a finite number, 0 or more"
      )
    case .fedSGD(let fedSGD):
      try check(rate: fedSGD.learningRate, schedule: fedSGD.schedule, at: "algorithm.fedsgd")
    }
    try checkRounds()
    try require(system.dropOutRate, in: 0..<1, "system.dropOutRate", "0 or more and below 1")
    try require(system.stragglerFraction, in: 0...1, "system.stragglerFraction", "0 to 1")
    try require(system.overSelection, in: 1...100, "system.overSelection", "1 to 100")
    try require(system.quorum, in: 0...1, "system.quorum", "0 to 1")
    try checkServing()
  }

  private func checkModel() throws(Problem) {
    switch model {
    case .named(let name):
      let known = ModelCatalog.names
      try require(
        known.contains(name), "model", "\"\(name.prefix(40))\"",
        RecipeField.list(known, "or") + ", or { graph: \"file\" }"
          + RecipeField.suggestion(for: name, in: known))
    case .graph(let file):
      try require(!file.isEmpty, "model.graph", "no file", "the path of a graph")
    }
  }

  /// Whether a set is made from the seed and not read from files.
  static func isComputed(_ set: String) -> Bool {
    KnownSet.all.contains { $0.name == set && $0.variants.isEmpty }
  }

  private func checkData() throws(Problem) {
    let names = KnownSet.all.map(\.name)
    guard let set = KnownSet.all.first(where: { $0.name == data.set }) else {
      throw Problem(
        path: "data.set", what: "\"\(data.set.prefix(40))\"",
        expected: RecipeField.list(names, "or") + RecipeField.suggestion(for: data.set, in: names))
    }
    let isSynthetic = Self.isComputed(data.set)
    if let clients = data.clients {
      try require(
        clients, in: 1...Self.mostClients, "data.clients",
        "a whole number, 1 to \(Self.mostClients)")
    }
    switch data.split {
    case .by(let key):
      try require(
        set.keys.contains(key), "data.split.by", "\"\(key.prefix(40))\"",
        set.keys.isEmpty
          ? "another split, for \(set.name) has no natural owners"
          : RecipeField.list(set.keys, "or") + RecipeField.suggestion(for: key, in: set.keys))
      try require(
        isSynthetic || data.clients == nil, "data.clients", "a number of clients",
        "none, for the split by \(key) tells how many there are")
    case .shards(let perClient):
      try require(
        perClient, in: 1...Self.mostClients, "data.split.shards.perClient",
        "a whole number, 1 or more")
      try require(
        perClient.multipliedReportingOverflow(by: data.clients ?? 1).partialValue
          <= Self.mostClients, "data.split.shards.perClient", "\(perClient)",
        "shards that the data set has rows for")
    case .dirichlet(let alpha, let minimum):
      try require(alpha, above: 0, "data.split.dirichlet.alpha")
      try require(
        minimum, in: 0...Self.mostClients, "data.split.dirichlet.minimum", "0 or more examples")
    case .quantity(let alpha): try require(alpha, above: 0, "data.split.quantity.alpha")
    case .iid: break
    }
    var isCounted = isSynthetic
    if case .by = data.split { isCounted = true }
    try require(
      isCounted || data.clients != nil, "data.clients", "missing", "how many clients there are")
    try require(data.holdBack, in: 0..<1, "data.holdBack", "0 or more and below 1")
    for (key, value) in [("alpha", data.alpha), ("beta", data.beta)] {
      guard let value else { continue }
      try require(isSynthetic, "data.\(key)", "\(value)", "it with a synthetic set alone")
      try require(value, in: 0..., "data.\(key)", "a finite number, 0 or more")
    }
  }

  private func checkRounds() throws(Problem) {
    try require(rounds, in: 1...Self.mostClients, "rounds", "a whole number, 1 or more")
    switch cohort {
    case .fraction(let fraction): try require(fraction, in: 0...1, "cohort.fraction", "0 to 1")
    case .size(let size):
      try require(size, in: 1...Self.mostClients, "cohort.size", "a whole number, 1 or more")
      if let clients = data.clients {
        try require(
          size <= clients, "cohort.size", "\(size)",
          "at most the \(clients) clients of data.clients")
      }
    }
    if let accuracy = stop.accuracy {
      try require(
        accuracy > 0 && accuracy <= 1, "stop.accuracy", "\(accuracy)", "above 0, at most 1")
    }
    if let patience = stop.patience {
      try require(patience, in: 1...Self.mostClients, "stop.patience", "a whole number, 1 or more")
    }
    try require(evaluate.every, in: 1...Self.mostClients, "evaluate.every", "1 or more rounds")
    try require(
      evaluate.clients, in: 0...(data.clients ?? Self.mostClients), "evaluate.clients",
      data.clients.map { "0 to the \($0) clients of data.clients" } ?? "0 or more")
    if evaluate.clients > 0, data.holdBack == 0, !Self.isComputed(data.set) {
      throw Problem(
        path: "evaluate.clients", what: "\(evaluate.clients)",
        expected: "data.holdBack above 0 with it, for the clients hold back nothing to measure on")
    }
  }

  private func checkEpochs(_ epochs: Int, batchSize: Int?, at path: String) throws(Problem) {
    try require(epochs, in: 1...1_000_000, "\(path).localEpochs", "a whole number, 1 or more")
    if let batchSize {
      try require(
        batchSize, in: 1...Self.mostClients, "\(path).batchSize",
        "a whole number, 1 or more, or \"all\"")
    }
  }

  private func check(rate: Float, schedule: LearningRateSchedule, at path: String) throws(Problem) {
    try require(rate, above: 0, "\(path).learningRate")
    try check(schedule, at: path + ".schedule")
  }

  private func check(_ schedule: LearningRateSchedule, at path: String) throws(Problem) {
    let part = "above 0, at most 1"
    switch schedule {
    case .constant: break
    case .exponential(let decay):
      try require(decay > 0 && decay <= 1, "\(path).exponential.decay", "\(decay)", part)
    case .step(let every, let factor):
      try require(every, in: 1...Self.mostClients, "\(path).step.every", "1 or more rounds")
      try require(factor > 0 && factor <= 1, "\(path).step.factor", "\(factor)", part)
    case .cosine(let rounds, let minimum):
      try require(rounds, in: 1...Self.mostClients, "\(path).cosine.rounds", "1 or more")
      try require(minimum, in: 0...1, "\(path).cosine.minimum", "0 to 1, a part of the rate")
    case .warmup(let rounds, let then):
      try require(rounds, in: 1...Self.mostClients, "\(path).warmup.rounds", "1 or more")
      if case .warmup = then {
        throw Problem(
          path: "\(path).warmup.then", what: "a warm-up", expected: "another kind of schedule")
      }
      try check(then, at: path + ".warmup.then")
    }
  }

  private func check(_ optimizer: OptimizerChoice, at path: String) throws(Problem) {
    switch optimizer {
    case .sgd(let momentum, let nesterov, let decay):
      try require(momentum, in: 0..<1, "\(path).sgd.momentum", "0 or more and below 1")
      try require(
        !nesterov || momentum > 0, "\(path).sgd.nesterov", "true", "a momentum above 0 with it")
      try require(decay, in: 0..., "\(path).sgd.weightDecay", "a finite number, 0 or more")
    case .adam(let beta1, let beta2, let epsilon, let decay):
      try checkAdam([beta1, beta2, epsilon, decay], at: "\(path).adam")
    case .adamW(let beta1, let beta2, let epsilon, let decay):
      try checkAdam([beta1, beta2, epsilon, decay], at: "\(path).adamw")
    }
  }

  private func checkAdam(_ values: [Float], at path: String) throws(Problem) {
    try require(values[0], in: 0..<1, "\(path).beta1", "0 or more and below 1")
    try require(values[1], in: 0..<1, "\(path).beta2", "0 or more and below 1")
    try require(values[2], in: 0..., "\(path).epsilon", "a finite number, 0 or more")
    try require(values[3], in: 0..., "\(path).weightDecay", "a finite number, 0 or more")
  }

  /// Clients, rounds and rows are counted below this, so that they fit 32 bits everywhere.
  static var mostClients: Int { Int(Int32.max) }

  func require(
    _ holds: Bool, _ path: String, _ what: @autoclosure () -> String,
    _ expected: @autoclosure () -> String
  ) throws(Problem) {
    guard holds else { throw Problem(path: path, what: what(), expected: expected()) }
  }

  /// A range with no upper end takes finite numbers alone.
  func require<Number: Numeric & Comparable>(
    _ value: Number, in range: some RangeExpression<Number>, _ path: String, _ expected: String
  ) throws(Problem) {
    let isFinite = (value as? any BinaryFloatingPoint)?.isFinite ?? true
    try require(range.contains(value) && isFinite, path, "\(value)", expected)
  }

  func require<Number: BinaryFloatingPoint>(
    _ value: Number, above bound: Number, _ path: String
  ) throws(Problem) {
    try require(
      value > bound && value.isFinite, path, "\(value)", "a finite number above \(Int(bound))")
  }
}
