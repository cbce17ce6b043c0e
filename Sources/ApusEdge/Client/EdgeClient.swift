// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusData
internal import ApusNumerics
internal import ApusTransport
internal import ApusWire
internal import Synchronization

/// A device of a federation: it waits for rounds, trains on its own examples when its owner's policy allows, and
/// hands in what it learned.
///
/// ```swift
/// let client = EdgeClient(examples: try LocalData.load("my-digits"), state: "state")
/// Task { for await event in client.events { print(event) } }
/// try await client.run()
/// ```
///
/// The device must have joined: `apus join`, or `EdgeClient.join`. What it was asked to do and what it has
/// learned is kept in the state directory: a process that was killed at any moment goes on in the next.
public final class EdgeClient: Sendable {
  /// What the device does, as it happens.
  ///
  /// For one reader, who may begin before ``run()``; of what nobody reads, the last thousand are kept.
  public let events: AsyncStream<EdgeEvent>

  private let examples: ExampleTable
  private let directory: String
  private let policy: EdgePolicy
  private let connect: @Sendable () async throws(EdgeError) -> any EdgeConnection
  private let reports: AsyncStream<EdgeEvent>.Continuation
  private let stopping = Mutex((isAsked: false, worker: EdgeWorker?.none))

  /// - Parameters:
  ///   - examples: the device's own; they never leave it.
  ///   - directory: where the device's identity and its unfinished work are.
  ///   - policy: what its owner allows.
  public convenience init(
    examples: ExampleTable, state directory: String, policy: EdgePolicy = EdgePolicy()
  ) {
    self.init(examples: examples, state: directory, policy: policy) { () throws(EdgeError) in
      try FederationConnection(directory: directory)
    }
  }

  /// A device that reaches its federation some other way.
  init(
    examples: ExampleTable, state directory: String, policy: EdgePolicy,
    connect: @escaping @Sendable () async throws(EdgeError) -> any EdgeConnection
  ) {
    self.examples = examples
    self.directory = directory
    self.policy = policy
    self.connect = connect
    (events, reports) = AsyncStream.makeStream(
      of: EdgeEvent.self, bufferingPolicy: .bufferingNewest(1000))
  }

  /// Takes part in rounds until it is stopped, the policy's rounds are done, or the federation refuses.
  ///
  /// While the federation cannot be reached it keeps trying, less and less often.
  /// - Throws: ``EdgeError``: `refused`, `not-joined`, `in-use`, `file-system`.
  public func run() async throws(EdgeError) {
    defer { reports.finish() }
    let state = try StateDirectory(directory)
    let connection = try await connect()
    let worker = EdgeWorker(
      examples: examples, state: state, policy: policy, connection: connection, reports: reports)
    let isStopped = stopping.withLock { stopping in
      stopping.worker = worker
      return stopping.isAsked
    }
    if isStopped { worker.stop() }
    let error = await worker.run()
    stopping.withLock { $0.worker = nil }
    await connection.close()
    state.release()
    guard let error else { return }
    throw EdgeError(
      .refused, "The federation does not let this device in: \(error.message)", cause: error)
  }

  /// Asks ``run()`` to return soon: what is trained is kept for the next time, what is not is given back.
  public func stop() {
    stopping.withLock { stopping in
      stopping.isAsked = true
      return stopping.worker
    }?.stop()
  }
}

/// A device's way to its federation.
protocol EdgeConnection: Sendable {
  /// Over which calls go now.
  var channel: any Channel { get }

  /// Called before contact is made, and when ``nextRefresh`` is over: renews what ends soon.
  func refresh() async

  /// How long until there is something to renew; nil where there never is.
  var nextRefresh: Duration? { get }

  func close() async
}

extension EdgeConnection {
  var nextRefresh: Duration? { nil }
}
