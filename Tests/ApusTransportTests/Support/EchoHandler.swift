// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import Synchronization

/// Answers the calls of the tests, messages being bytes without meaning.
struct EchoHandler: CallHandler {
  /// What handlers have come across, for tests to look at.
  final class Journal: Sendable {
    private let entries = Mutex<[String]>([])

    func note(_ entry: String) { entries.withLock { $0.append(entry) } }

    func contains(_ entry: String) -> Bool { entries.withLock { $0.contains(entry) } }
  }

  let journal = Journal()

  static let names = ["Unary", "Both", "Count", "Repeat", "Fail", "Who", "Wait", "Hold"]

  func handle(_ call: any ServerCall) async throws(RPCError) {
    switch call.head.path {
    case "/test.Echo/Unary":
      guard let message = try await call.receive() else {
        throw RPCError(.invalidArgument, "A message was expected.")
      }
      try await call.send(message)
    case "/test.Echo/Both":
      while let message = try await call.receive() { try await call.send(message) }
    case "/test.Echo/Count":
      var count = 0
      while let message = try await call.receive() { count += message.count }
      try await call.send(Array(String(count).utf8))
    case "/test.Echo/Repeat":
      // The first byte says how often, the rest is repeated.
      guard let message = try await call.receive(), let times = message.first else { return }
      for _ in 0..<times { try await call.send(Array(message.dropFirst())) }
    case "/test.Echo/Fail":
      throw RPCError(
        .notFound, "nothing here: 100 % \u{2713}", reason: "test-reason",
        retryAfter: .milliseconds(1500))
    case "/test.Echo/Who":
      try await call.send(Array((call.head.peer.identity?.id ?? "nobody").utf8))
    case "/test.Echo/Wait":
      journal.note("waiting")
      do throws(RPCError) {
        while try await call.receive() != nil {}
        // The caller sends no more; wait until it goes.
        try await call.send([])
        do { try await Task.sleep(for: .seconds(120)) } catch {
          throw RPCError(.cancelled, "The task was cancelled.")
        }
      } catch {
        journal.note("ended \(error.code.rawValue)")
        throw error
      }
    case "/test.Echo/Hold":
      // Receives nothing, so that the caller runs out of window.
      do { try await Task.sleep(for: .seconds(120)) } catch {
        journal.note("let go")
        throw RPCError(.cancelled, "The task was cancelled.")
      }
    default:
      throw RPCError(.unimplemented, "There is no \(call.head.path).")
    }
  }
}

/// A server of the tests' on loopback.
struct TestServer {
  let server: GRPCServer
  let port: Int
  let authority: TestAuthority
  let handler = EchoHandler()
  let health = HealthService()

  init(_ change: (inout ServerConfiguration) -> Void = { _ in }) async throws {
    authority = try TestAuthority.shared.get()
    var configuration = ServerConfiguration(
      host: "127.0.0.1", port: 0, material: try authority.server(),
      clientAuthorities: [authority.certificate])
    change(&configuration)
    var router = CallRouter()
    for name in EchoHandler.names {
      router.register(raw: "/test.Echo/\(name)") { [handler] (call) async throws(RPCError) in
        try await handler.handle(call)
      }
    }
    health.register(on: &router)
    health.set(serving: true)
    server = try GRPCServer(configuration, handler: router) { certificate in
      try Self.identity(of: certificate)
    }
    port = try await server.start()
  }

  /// The identity in the tests' certificates; finds the URI without a parser of certificates.
  static func identity(of certificate: [UInt8]) throws -> PeerIdentity {
    let text = String(decoding: certificate, as: UTF8.self)
    guard let range = text.range(of: "apus://test/device/") else {
      throw RPCError(.unauthenticated, "no name")
    }
    let id = String(text[range.upperBound...].prefix(32))
    return PeerIdentity(federation: "test", role: .device, id: id, fingerprint: "", expires: 0)
  }

  func channel(
    identity: TLSMaterial? = nil, trust: PeerTrust? = nil,
    _ change: (inout ChannelLimits) -> Void = { _ in }
  ) throws -> GRPCChannel {
    var limits = ChannelLimits()
    change(&limits)
    return try GRPCChannel(
      host: "127.0.0.1", port: port, trust: trust ?? .authorities([authority.certificate]),
      identity: identity, limits: limits)
  }
}

extension Channel {
  /// A call with one message each way.
  func unary(
    _ path: String, _ message: [UInt8], timeout: Duration? = .seconds(30)
  ) async throws(RPCError) -> [UInt8] {
    let call = try await open(path, metadata: [], timeout: timeout)
    try await call.send(message)
    try await call.finishSending()
    let reply = try await call.receive() ?? []
    let end = try await call.receive()
    precondition(end == nil, "A unary call has one answer.")
    return reply
  }
}

/// Waits until something is so, at most ten seconds.
func eventually(_ condition: () async -> Bool) async -> Bool {
  for _ in 0..<1000 {
    if await condition() { return true }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return await condition()
}
