// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusData
import ApusModels
import ApusNumerics
import ApusTraining
import Foundation
import Testing

@testable import ApusWire

@Suite("Training plans")
struct TrainingPlanTests {
  /// Foundation has one too.
  private typealias Operation = ApusTraining.Operation

  private static let sgd = OptimizerChoice.sgd(momentum: 0.9, nesterov: true, weightDecay: 1e-4)

  private static let algorithms: [AlgorithmChoice] = [
    .fedAvg(FedAvg(localEpochs: 1, batchSize: nil, learningRate: 0.1)),
    .fedAvg(
      FedAvg(
        localEpochs: 5, batchSize: 10, learningRate: 0.215, optimizer: sgd,
        schedule: .exponential(decay: 0.99))),
    .fedAvg(
      FedAvg(
        localEpochs: 5, batchSize: 10, learningRate: 0.1, optimizer: .adam(),
        schedule: .warmup(rounds: 3, then: .cosine(rounds: 9, minimum: 0.1)))),
    .fedProx(
      FedProx(
        localEpochs: 20, batchSize: 1, learningRate: 0.01, proximalStrength: 1,
        optimizer: .adamW(), schedule: .step(every: 10, factor: 0.5))),
    .fedSGD(FedSGD(learningRate: 0.3, schedule: .constant)),
  ]

  private func plan(
    _ algorithm: AlgorithmChoice = algorithms[0], format: NumberFormat = .float32
  ) throws -> TrainingPlan {
    TrainingPlan(
      graph: try Graph(tracing: McMahan2NN(classes: 10), input: [784]), loss: .softmaxCrossEntropy,
      algorithm: algorithm, dataSchema: DataSchema(input: [784], targets: .classes(10)),
      updateFormat: format, isPacked: format == .bfloat16)
  }

  @Test("A plan comes back equal, whatever its algorithm", arguments: algorithms)
  func roundTrip(_ algorithm: AlgorithmChoice) throws {
    for format in NumberFormat.allCases {
      let plan = try plan(algorithm, format: format)
      #expect(try TrainingPlan(decoding: plan.encoded()) == plan)
    }
  }

  @Test("A plan that Python wrote is read, and written as the same bytes")
  func fromPython() throws {
    let url = try #require(
      Bundle.module.url(forResource: "plan", withExtension: "bin", subdirectory: "Goldens"))
    let bytes = [UInt8](try Data(contentsOf: url))
    let plan = try TrainingPlan(decoding: bytes)
    #expect(plan.encoded() == bytes)
    #expect(plan.graph.layout.count == 15)
    #expect(plan.dataSchema == DataSchema(input: [4], targets: .classes(3)))
    let fedAvg = FedAvg(
      localEpochs: 2, batchSize: 10, learningRate: 0.125, optimizer: .sgd(momentum: 0.5),
      schedule: .exponential(decay: 0.75))
    #expect(plan.algorithm == .fedAvg(fedAvg))
    #expect(plan.updateFormat == .bfloat16 && !plan.isPacked && plan.loss == .softmaxCrossEntropy)
  }

  @Test("Graphs with convolutions, and their frozen parameters, come back equal")
  func convolutions() throws {
    let graph = try Graph(tracing: McMahanCNN(classes: 10), input: [28, 28, 1]) {
      $0.contains("bias")
    }
    let proto = try Proto.Graph(decoding: Proto.Graph(graph).encoded())
    #expect(try Graph(proto) == graph)
  }

  private static let window = Window(
    size: Window.Extent(3, 5), stride: Window.Extent(2, 1), paddingBefore: Window.Extent(1, 2),
    paddingAfter: Window.Extent(0, 4))

  private static let operations: [Operation] =
    [
      .input, .parameter(7), .constant(-0.5),
      .product(transposingLeft: true, transposingRight: false),
      .product(transposingLeft: false, transposingRight: true), .softmax, .logSoftmax,
      .reduction(.sum, axes: [0]), .reduction(.mean, axes: [1, 2]), .reduction(.max, axes: []),
      .reshape([]), .reshape([2, 3, 1 << 20]), .transpose([2, 0, 1]),
      .slice(lower: [0, 5], upper: [1, 9]), .concatenation(axis: 2),
      .padding(before: [0, 1], after: [2, 0]), .gather, .convolution(window, groups: 4),
      .maxPool(window), .averagePool(window), .layerNormalization(axes: 2, epsilon: 1e-5),
      .groupNormalization(groups: 8, epsilon: 1e-3), .dropout(rate: 0.25, ordinal: 3),
    ]
    + [
      .negate, .exp, .log, .sqrt, .power(-1.5), .relu, .leakyRelu(slope: 0.01), .sigmoid, .tanh,
      .gelu, .geluTanh, .silu,
    ].map { .unary($0) } + [.add, .subtract, .multiply, .divide].map { .binary($0) }

  @Test("Every operation comes back equal", arguments: operations)
  func operation(_ operation: ApusTraining.Operation) throws {
    let bytes = Proto.Operation(operation).encoded()
    #expect(try Operation(Proto.Operation(decoding: bytes)) == operation)
  }

  /// Expects a plan to be refused after a change of its message.
  private func expectRefused(
    _ code: WireError.Code, _ change: (inout Proto.Plan) throws -> Void,
    at location: SourceLocation = #_sourceLocation
  ) throws {
    var proto = Proto.Plan(try plan())
    try change(&proto)
    let error = #expect(throws: WireError.self, sourceLocation: location) {
      try TrainingPlan(decoding: proto.encoded())
    }
    #expect(error?.code == code, "\(error?.message ?? "")", sourceLocation: location)
  }

  private func local(_ change: (inout Proto.LocalTraining) -> Void) throws -> Proto.Algorithm {
    var local = Proto.LocalTraining {
      $0.localEpochs = 1
      $0.learningRate = 0.1
      $0.optimizer = Proto.Optimizer { $0.kind = .sgd(Proto.SGD()) }
      $0.schedule = Proto.Schedule { $0.kind = .constant(Proto.Empty()) }
    }
    change(&local)
    return Proto.Algorithm { $0.kind = .fedavg(local) }
  }

  @Test("What is missing or unknown is refused")
  func missing() throws {
    try expectRefused(.unsupported) { $0.version = 2 }
    try expectRefused(.malformed) { $0.graph = nil }
    try expectRefused(.malformed) { $0.data = nil }
    try expectRefused(.malformed) { $0.algorithm = nil }
    try expectRefused(.unsupported) { $0.loss = .unspecified }
    try expectRefused(.unsupported) { $0.updateType = .uint8 }
    try expectRefused(.unsupported) { $0.updateEncoding = .init(rawValue: 7) }
    try expectRefused(.unsupported) { $0.algorithm?.kind = nil }
    try expectRefused(.unsupported) { $0.algorithm = try local { $0.optimizer = nil } }
    try expectRefused(.unsupported) { $0.algorithm = try local { $0.schedule?.kind = nil } }
    try expectRefused(.unsupported) { $0.graph?.nodes[1].operation?.kind = nil }
    try expectRefused(.malformed) { $0.graph?.nodes[1].shape = nil }
    try expectRefused(.malformed) { $0.graph?.parameters[0].initializer = nil }
    try expectRefused(.malformed) { $0.data?.targets = nil }
  }

  @Test("Numbers out of their ranges are refused")
  func ranges() throws {
    try expectRefused(.invalidValue) { $0.algorithm = try local { $0.learningRate = .nan } }
    try expectRefused(.invalidValue) { $0.algorithm = try local { $0.learningRate = 0 } }
    try expectRefused(.invalidValue) { $0.algorithm = try local { $0.localEpochs = 0 } }
    try expectRefused(.invalidValue) { $0.algorithm = try local { $0.localEpochs = .max } }
    try expectRefused(.invalidValue) { $0.algorithm = try local { $0.proximalStrength = 1 } }
    try expectRefused(.invalidValue) {
      $0.algorithm = try local { $0.optimizer?.kind = .sgd(Proto.SGD { $0.momentum = 1 }) }
    }
    try expectRefused(.invalidValue) { $0.data?.targets = .classes(0) }
    try expectRefused(.invalidValue) { $0.data?.input?.shape?.extents = [783] }
    try expectRefused(.invalidValue) { $0.graph?.output = 1_000 }
    try expectRefused(.invalidValue) { $0.graph?.nodes[0].inputs = [.max] }
    try expectRefused(.invalidValue) { $0.graph?.nodes[1].shape?.extents = [.max] }
    try expectRefused(.invalidValue) {
      $0.graph?.parameters[0].shape?.extents = [1 << 31, 1 << 31]
    }
    try expectRefused(.invalidValue) {
      $0.graph?.parameters[0].initializer?.kind = .uniformBound(.infinity)
    }
    try expectRefused(.invalidValue) {
      let name = $0.graph?.parameters[0].name ?? ""
      $0.graph?.parameters[1].name = name
    }
    try expectRefused(.invalidValue) {
      $0.graph?.input?.shape?.extents = Array(repeating: 1, count: 1_000)
    }
  }

  @Test("Schedules within schedules are refused, however deep")
  func deepSchedules() throws {
    func warmup(_ depth: Int) -> Proto.Schedule {
      guard depth > 0 else { return Proto.Schedule { $0.kind = .constant(Proto.Empty()) } }
      let then = warmup(depth - 1)
      return Proto.Schedule {
        $0.kind = .warmup(
          Proto.WarmupSchedule {
            $0.rounds = 1
            $0.then = then
          })
      }
    }
    try expectRefused(.invalidValue) { $0.algorithm = try local { $0.schedule = warmup(2) } }
    try expectRefused(.beyondLimit) { $0.algorithm = try local { $0.schedule = warmup(9) } }
    try expectRefused(.beyondLimit) { $0.algorithm = try local { $0.schedule = warmup(60) } }
  }

  @Test("Examples are told from those that a plan does not expect")
  func schema() throws {
    func table(_ targets: ExampleTable.Targets, _ inputs: ExampleTable.Inputs, _ shape: Shape)
      -> ExampleTable
    { ExampleTable(count: 2, inputShape: shape, inputs: inputs, targets: targets) }
    let classes = table(.classes([0, 2], classCount: 3), .numbers([1, 2, 3, 4]), [2])
    #expect(DataSchema(of: classes) == DataSchema(input: [2], targets: .classes(3)))
    #expect(DataSchema(input: [2], targets: .classes(3)).matches(classes))
    #expect(DataSchema(input: [2], targets: .classes(10)).matches(classes))
    #expect(!DataSchema(input: [2], targets: .classes(2)).matches(classes))
    #expect(!DataSchema(input: [2, 1], targets: .classes(3)).matches(classes))
    #expect(!DataSchema(input: .tokens(2), targets: .classes(3)).matches(classes))
    #expect(!DataSchema(input: [2], targets: .values([1])).matches(classes))
    let words = table(
      .sequences([0, 1, 1, 0], length: 2, classCount: 2), .tokens([1, 2, 3, 4]), [2])
    #expect(
      DataSchema(input: .tokens(2), targets: .sequences(length: 2, classes: 2)).matches(words))
    #expect(
      !DataSchema(input: .tokens(2), targets: .sequences(length: 1, classes: 2)).matches(words))
    let values = table(.values([1, 2], shape: [1]), .numbers([1, 2]), [1])
    for each in [classes, words, values] {
      let schema = DataSchema(of: each)
      let proto = try Proto.DataSchema(decoding: Proto.DataSchema(schema).encoded())
      #expect(try DataSchema(proto) == schema)
    }
  }
}
