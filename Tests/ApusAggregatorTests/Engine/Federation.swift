// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusData
import ApusModels
import ApusNumerics
import ApusRounds
import ApusTraining
import ApusWire
import Foundation
import Synchronization
import Testing

@testable import ApusAggregator

/// An engine in a directory of its own, with its services behind in-process channels and enrolled devices.
final class Federation: Sendable {
  let directory: String
  let deviceCount: Int
  let store: Store
  let blobs: BlobStore
  let engine: Engine
  let handler: CallRouter
  let facts: @Sendable (Int) -> Eligibility.Device
  let time: ManualTime?

  /// Opens a directory, of an earlier federation or a new one; devices are numbered from 0.
  init(
    devices deviceCount: Int, in directory: String? = nil, settings: EngineSettings? = nil,
    time: ManualTime? = nil,
    facts: @escaping @Sendable (Int) -> Eligibility.Device = {
      Eligibility.Device(number: ClientID(UInt64($0)))
    }
  ) async throws {
    let directory =
      directory
      ?? FileManager.default.temporaryDirectory.appending(path: "apus-engine-\(UUID())").path()
    self.directory = directory
    self.deviceCount = deviceCount
    self.facts = facts
    self.time = time
    store = try Store.open(directory, onFatal: { Issue.record("The store failed: \($0)") })
    try FileManager.default.createDirectory(
      atPath: directory + "/folds", withIntermediateDirectories: true)
    blobs = try await BlobStore.open(in: store)
    engine = Engine(
      store: store, blobs: blobs, clock: time?.clock ?? .system,
      settings: settings ?? Self.settings,
      foldDirectory: directory + "/folds", log: .none, metrics: Metrics())
    var router = CallRouter()
    EdgeService(
      engine: engine, noteBuild: { _, _ in }, messageLimit: 4 << 20, blobLimit: 1 << 30
    ).register(on: &router)
    CoordinatorService(
      engine: engine, store: store, drain: { _ in Proto.DrainReply() },
      status: { [engine] in await engine.status() }
    ).register(on: &router)
    handler = router
  }

  /// Also where a test fails before its end.
  deinit { try? FileManager.default.removeItem(atPath: directory) }

  static var settings: EngineSettings {
    var settings = EngineSettings()
    settings.gathering = .milliseconds(30)
    settings.pollHold = .milliseconds(200)
    settings.recoveryExpectation = .milliseconds(300)
    settings.expectation = .milliseconds(200)
    settings.coolDown = .milliseconds(100)
    settings.evaluationThreads = 1
    return settings
  }

  /// Recovers, as `Aggregator.start()` does.
  func start() async throws {
    try await engine.recover(
      devices: (0..<deviceCount).map { (UInt64($0), Self.id($0), facts($0)) })
  }

  /// Starts one with devices at once.
  static func started(
    devices: Int, settings: EngineSettings? = nil, time: ManualTime? = nil,
    facts: @escaping @Sendable (Int) -> Eligibility.Device = {
      Eligibility.Device(number: ClientID(UInt64($0)))
    }
  ) async throws -> Federation {
    let federation = try await Federation(
      devices: devices, settings: settings, time: time, facts: facts)
    try await federation.start()
    return federation
  }

  /// The next incarnation, in a copy of the directory; this one has gone without a word.
  func restarted(settings: EngineSettings? = nil) async throws -> Federation {
    await store.close()
    let copy = directory + "-next"
    try FileManager.default.copyItem(atPath: directory, toPath: copy)
    try? FileManager.default.removeItem(atPath: directory)
    let next = try await Federation(
      devices: deviceCount, in: copy, settings: settings, time: time, facts: facts)
    try await next.start()
    return next
  }

  /// Lets time pass, where it does not by itself.
  func pass(_ duration: Duration) async {
    time?.pass(duration)
    await engine.timePassed()
  }

  func end() async {
    await store.close()
    try? FileManager.default.removeItem(atPath: directory)
  }

  static func id(_ device: Int) -> String {
    let digits = String(device, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }

  func channel(_ device: Int) -> InProcessTransport { channel(.device, Self.id(device)) }

  var coordinator: InProcessTransport {
    channel(.operator, String(repeating: "f", count: 32))
  }

  private func channel(_ role: Role, _ id: String) -> InProcessTransport {
    InProcessTransport(
      handler: handler,
      peer: Peer(
        identity: PeerIdentity(
          federation: "test", role: role, id: id, fingerprint: "", expires: .max),
        address: "local"))
  }
}

/// Time that passes when a test says so.
final class ManualTime: Sendable {
  private let elapsed = Mutex(Duration.seconds(1000))

  var clock: EngineClock {
    EngineClock(
      now: { [self] in elapsed.withLock { $0 } }, wall: { Store.systemTime() }, runs: false)
  }

  func pass(_ duration: Duration) { elapsed.withLock { $0 += duration } }
}

/// A task that trains a small model on numbers, and what its devices make of it.
struct SmallTask {
  static let examples = 12

  /// Three classes of four numbers.
  static func table(seed: Int) -> ExampleTable {
    var random = RandomStream(seed: 77).split(seed)
    var (inputs, classes): ([Float], [Int32]) = ([], [])
    for _ in 0..<examples {
      let label = random.below(3)
      classes.append(Int32(label))
      for feature in 0..<4 {
        inputs.append(Float(random.normal()) * 0.3 + (feature == label ? 1 : 0))
      }
    }
    return ExampleTable(
      count: examples, inputShape: [4], inputs: .numbers(inputs),
      targets: .classes(classes, classCount: 3))
  }

  static let algorithm = FedAvg(localEpochs: 2, batchSize: 4, learningRate: 0.1)

  static func program() throws -> Program {
    try Program(
      tracing: Logistic(classes: 3), input: InputSignature([4]), loss: .softmaxCrossEntropy,
      batchSize: 4)
  }

  static func spec(
    _ name: String = "small", rounds: Int = 2, cohort: Int = 3, seed: UInt64 = 5,
    _ change: (inout Proto.TaskSpec) -> Void = { _ in }
  ) throws -> Proto.TaskSpec {
    let program = try program()
    let plan = TrainingPlan(
      graph: program.graph, loss: .softmaxCrossEntropy, algorithm: .fedAvg(algorithm),
      dataSchema: DataSchema(of: table(seed: 0)))
    var spec = Proto.TaskSpec {
      $0.name = name
      $0.plan = Proto.Plan(plan)
      $0.aggregation = .weightedMean
      $0.cohort = Proto.Cohort {
        $0.size = UInt64(cohort)
        $0.overSelection = 1
        $0.reportMs = 20_000
        $0.minimum = UInt64(cohort)
      }
      $0.rounds = UInt64(rounds)
      $0.seed = seed
      $0.coordinateBound = 64
      $0.weightBound = 100
    }
    change(&spec)
    return spec
  }

  /// What a device learns from a model, as `apus join` does it.
  static func update(
    _ assignment: Proto.Assignment, from model: ParameterVector, device: Int
  ) throws -> (numbers: ParameterVector, weight: Int) {
    let data = ClientDataset(all: table(seed: device))
    var client = Client(
      state: NoState(), objective: try program(), examples: data, round: Int(assignment.round),
      random: RandomStream(key: assignment.randomKey, nonce: assignment.randomNonce))
    let update = algorithm.clientUpdate(&client, from: model)
    return (update.value, update.weight)
  }
}
