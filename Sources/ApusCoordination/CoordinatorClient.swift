// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusWire

/// What coordinators and operators ask of an aggregator, over any channel to it.
///
/// A call that the aggregator puts off (it recovers from a restart, it sheds load) is made again as it asks, for
/// as long as ``patience`` says; the aggregator has then done nothing yet.
package struct CoordinatorClient: Sendable {
  package let channel: any Channel
  /// Whom messages name.
  package let address: String
  /// How long an answer may take.
  package var timeout: Duration = .seconds(30)
  /// How long an aggregator that puts calls off is waited for.
  package var patience: Duration = .seconds(15)

  package init(channel: any Channel, address: String) {
    self.channel = channel
    self.address = address
  }

  package func close() async { await channel.close() }

  // MARK: Tasks

  /// A new task, or the one that was created before with the same token.
  package func createTask(
    _ spec: Proto.TaskSpec, submitToken: String, start: Bool
  ) async throws(CoordinationError) -> Proto.TaskInfo {
    try await call(
      CoordinatorMethods.createTask,
      Proto.CreateTaskRequest {
        $0.spec = spec
        $0.submitToken = submitToken
        $0.start = start
      })
  }

  package func tasks(
    in states: [Proto.TaskState] = []
  ) async throws(CoordinationError) -> [Proto.TaskInfo] {
    try await call(CoordinatorMethods.listTasks, Proto.ListTasksRequest { $0.states = states })
      .tasks
  }

  /// One task, by its id, or by its name where no other task has it.
  package func task(_ task: String) async throws(CoordinationError) -> Proto.TaskInfo {
    try await call(CoordinatorMethods.getTask, Proto.TaskRef { $0.task = task })
  }

  package func resumeTask(_ task: String) async throws(CoordinationError) -> Proto.TaskInfo {
    try await call(CoordinatorMethods.resumeTask, Proto.TaskRef { $0.task = task })
  }

  package func pauseTask(_ task: String) async throws(CoordinationError) -> Proto.TaskInfo {
    try await call(CoordinatorMethods.pauseTask, Proto.TaskRef { $0.task = task })
  }

  package func cancelTask(_ task: String) async throws(CoordinationError) -> Proto.TaskInfo {
    try await call(CoordinatorMethods.cancelTask, Proto.TaskRef { $0.task = task })
  }

  // MARK: Rounds

  package func launchRound(of task: String) async throws(CoordinationError) -> Proto.RoundInfo {
    try await call(CoordinatorMethods.launchRound, Proto.TaskRef { $0.task = task })
  }

  package func rounds(of task: String) async throws(CoordinationError) -> [Proto.RoundInfo] {
    try await call(CoordinatorMethods.listRounds, Proto.ListRoundsRequest { $0.task = task })
      .rounds
  }

  /// The newest attempt at a round, counted from 0.
  package func round(
    _ round: UInt64, of task: String
  ) async throws(CoordinationError) -> Proto.RoundInfo {
    try await call(
      CoordinatorMethods.getRound,
      Proto.RoundRef {
        $0.task = task
        $0.round = round
      })
  }

  // MARK: Models

  package func models(of task: String) async throws(CoordinationError) -> [Proto.ModelInfo] {
    try await call(CoordinatorMethods.listModels, Proto.ListModelsRequest { $0.task = task })
      .models
  }

  /// One version; 0 is the newest.
  package func model(
    _ version: UInt64 = 0, of task: String
  ) async throws(CoordinationError) -> Proto.ModelInfo {
    try await call(
      CoordinatorMethods.getModel,
      Proto.ModelRef {
        $0.task = task
        $0.version = version
      })
  }

  package func rollBack(
    _ task: String, to version: UInt64
  ) async throws(CoordinationError) -> Proto.ModelInfo {
    try await call(
      CoordinatorMethods.rollbackModel,
      Proto.ModelRef {
        $0.task = task
        $0.version = version
      })
  }

  // MARK: Devices

  package func invite(
    _ request: Proto.CreateInvitationRequest
  ) async throws(CoordinationError) -> Proto.Invitation {
    try await call(CoordinatorMethods.createInvitation, request)
  }

  package func devices() async throws(CoordinationError) -> [Proto.DeviceInfo] {
    try await call(CoordinatorMethods.listDevices, Proto.ListDevicesRequest()).devices
  }

  /// One device, by its id, its number, or its name where no other device has it.
  package func device(_ device: String) async throws(CoordinationError) -> Proto.DeviceInfo {
    try await call(CoordinatorMethods.getDevice, Proto.DeviceRef { $0.device = device })
  }

  package func setDevice(
    _ device: String, enabled: Bool
  ) async throws(CoordinationError) -> Proto.DeviceInfo {
    try await call(
      CoordinatorMethods.setDeviceEnabled,
      Proto.SetDeviceEnabledRequest {
        $0.device = device
        $0.enabled = enabled
      })
  }

  package func revokeDevice(_ device: String) async throws(CoordinationError) -> Proto.DeviceInfo {
    try await call(CoordinatorMethods.revokeDevice, Proto.DeviceRef { $0.device = device })
  }

  // MARK: The aggregator

  package func status() async throws(CoordinationError) -> Proto.ServerStatus {
    try await call(CoordinatorMethods.getServerStatus, Proto.GetServerStatusRequest())
  }

  package func drain(grace: Duration) async throws(CoordinationError) -> Proto.DrainReply {
    try await call(
      CoordinatorMethods.drain,
      Proto.DrainRequest { $0.graceMs = UInt64(max(0, grace / .milliseconds(1))) })
  }

  package func verifyAuditChain() async throws(CoordinationError) -> Proto.VerifyAuditChainReply {
    try await call(CoordinatorMethods.verifyAuditChain, Proto.VerifyAuditChainRequest())
  }

  // MARK: Calls

  func call<Request, Reply>(
    _ method: Method<Request, Reply>, _ request: Request
  ) async throws(CoordinationError) -> Reply {
    let deadline = ContinuousClock.now + patience
    while true {
      do throws(RPCError) {
        return try await channel.call(method, request, timeout: timeout)
      } catch {
        guard let delay = error.delayBeforeRetry, ContinuousClock.now + delay < deadline,
          (try? await Task.sleep(for: delay)) != nil
        else { throw CoordinationError(error, from: address) }
      }
    }
  }
}

extension RPCError {
  /// How long to wait before the same call is made again, where its answer says that this makes sense.
  var delayBeforeRetry: Duration? {
    guard [.unavailable, .resourceExhausted, .aborted].contains(code), let retryAfter else {
      return nil
    }
    return min(max(retryAfter, .milliseconds(20)), .seconds(5))
  }
}
