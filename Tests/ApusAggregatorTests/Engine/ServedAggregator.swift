// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusEdge
import ApusTransport
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

/// An aggregator on a port of this machine, in a directory of one test, and those who have joined it.
final class ServedAggregator: Sendable {
  let place: StoreWorkplace
  let port: Int
  let aggregator: Aggregator

  var directory: String { place.path("hub") }

  /// Serves, or is told to by ``start()``.
  init(
    in place: StoreWorkplace, port: Int = 0, clock: EngineClock = .system, starting: Bool = true
  ) async throws {
    self.place = place
    var configuration = AggregatorConfiguration(directory: place.path("hub"))
    configuration.host = "127.0.0.1"
    configuration.port = port
    configuration.logFile = place.path("log")
    var settings = EngineSettings()
    settings.gathering = .milliseconds(50)
    aggregator = Aggregator(configuration, settings: settings, clock: clock)
    self.port = starting ? try await aggregator.start() : port
  }

  /// The next one in the same directory, on the same port.
  func next(
    clock: EngineClock = .system, starting: Bool = true
  ) async throws -> ServedAggregator {
    try await ServedAggregator(in: place, port: port, clock: clock, starting: starting)
  }

  /// Joins as a device.
  ///
  /// - Returns: its state directory.
  func join(_ name: String) async throws -> String {
    let state = place.path("device-\(name)")
    _ = try await EdgeMember.join(
      try #require(aggregator.firstInvitation), name: name, state: state)
    return state
  }

  /// A connection with the certificate of a directory; nil for none.
  func channel(of directory: String?) throws -> GRPCChannel {
    let hub = try Identity.load(from: HubDirectory(path: self.directory).operatorDirectory)
    return try GRPCChannel(
      host: "127.0.0.1", port: port, trust: .authorities(hub.authorities.map(\.der)),
      identity: try directory.map { try Identity.load(from: $0).tlsMaterial() })
  }

  func coordinator() throws -> GRPCChannel {
    try channel(of: HubDirectory(path: directory).operatorDirectory)
  }

  /// Changes the database while nobody serves it.
  func withStore<Value: Sendable>(
    _ body: @escaping @Sendable (Transaction) throws -> Value
  ) async throws -> Value {
    let store = try Store.open(directory)
    let value = try await store.write(body)
    await store.close()
    return value
  }
}

extension Channel {
  func create(_ spec: Proto.TaskSpec) async throws -> Proto.TaskInfo {
    try await call(
      CoordinatorMethods.createTask,
      Proto.CreateTaskRequest {
        $0.spec = spec
        $0.start = true
      }, timeout: .seconds(60))
  }

  func rounds(_ task: String) async throws -> [Proto.RoundInfo] {
    try await call(
      CoordinatorMethods.listRounds, Proto.ListRoundsRequest { $0.task = task },
      timeout: .seconds(60)
    ).rounds
  }
}
