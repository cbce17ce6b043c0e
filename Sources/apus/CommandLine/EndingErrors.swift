// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusSimulation

extension SimulationError: EndingError {
  var exitCode: ExitCode {
    let recipeCodes: [Code] = [.invalidRecipe, .unreadableRecipe, .modelMismatch]
    return recipeCodes.contains(code) ? .wrongUsage : .failed
  }
}

extension CoordinationError: EndingError {
  var exitCode: ExitCode {
    isUnreachable ? .unreachable : code == .invalidRequest ? .wrongUsage : .failed
  }
}
