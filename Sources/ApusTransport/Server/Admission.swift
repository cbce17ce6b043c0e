// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Decides which connections are taken, before any memory is.
struct Admission {
  enum Verdict: Equatable { case accepted, tooMany, tooManyOfAddress, tooManyHandshakes }

  private let limits: ServerLimits
  private var ofAddress: [String: Int] = [:]
  private(set) var connections = 0
  private(set) var handshakes = 0

  init(limits: ServerLimits) { self.limits = limits }

  /// A connection came; where it is accepted it counts from now on.
  mutating func connect(from address: String) -> Verdict {
    guard connections < limits.connections else { return .tooMany }
    guard handshakes < limits.handshakes else { return .tooManyHandshakes }
    guard ofAddress[address, default: 0] < limits.connectionsPerAddress else {
      return .tooManyOfAddress
    }
    ofAddress[address, default: 0] += 1
    connections += 1
    handshakes += 1
    return .accepted
  }

  mutating func finishHandshake() { handshakes -= 1 }

  mutating func disconnect(from address: String, duringHandshake: Bool) {
    connections -= 1
    if duringHandshake { handshakes -= 1 }
    if let count = ofAddress[address], count > 1 {
      ofAddress[address] = count - 1
    } else {
      ofAddress[address] = nil
    }
  }
}
