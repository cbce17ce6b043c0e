// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import Testing

@Suite("How calls and connections end")
struct EndingTests {
  @Test("A deadline ends a call on both sides")
  func deadline() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    let error = await #expect(throws: RPCError.self) {
      try await channel.unary("/test.Echo/Wait", [1], timeout: .milliseconds(200))
    }
    #expect(error?.code == .deadlineExceeded)
    #expect(await eventually { server.server.statistics.calls == 0 })
    #expect(server.handler.journal.contains("waiting"))
    #expect(try await channel.unary("/test.Echo/Unary", [1]) == [1])
    await channel.close()
    await server.server.stop()
  }

  @Test("What the caller cancels or drops is cancelled at the server")
  func cancellation() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    let call = try await channel.open("/test.Echo/Hold", metadata: [], timeout: nil)
    #expect(await eventually { server.server.statistics.calls == 1 })
    call.cancel()
    let error = await #expect(throws: RPCError.self) { try await call.receive() }
    #expect(error?.code == .cancelled)
    #expect(await eventually { server.handler.journal.contains("let go") })
    #expect(await eventually { server.server.statistics.calls == 0 })

    do {
      let dropped = try await channel.open("/test.Echo/Hold", metadata: [], timeout: nil)
      #expect(await eventually { server.server.statistics.calls == 1 })
      _ = dropped
    }
    #expect(await eventually { server.server.statistics.calls == 0 })

    let task = Task { try await channel.unary("/test.Echo/Hold", [], timeout: nil) }
    #expect(await eventually { server.server.statistics.calls == 1 })
    task.cancel()
    await #expect(throws: RPCError.self) { try await task.value }
    #expect(await eventually { server.server.statistics.calls == 0 })
    await channel.close()
    await server.server.stop()
  }

  @Test("A message beyond the limit is refused by the side that would have to take it")
  func sizes() async throws {
    let server = try await TestServer { $0.limits.messageSize = 100_000 }
    let channel = try server.channel { $0.messageSize = 50_000 }
    #expect(
      try await channel.unary("/test.Echo/Unary", [UInt8](repeating: 1, count: 50_000)).count
        == 50_000)
    for size in [60_000, 100_001, 3_000_000] {
      let error = await #expect(throws: RPCError.self) {
        try await channel.unary("/test.Echo/Unary", [UInt8](repeating: 1, count: size))
      }
      #expect(error?.code == .resourceExhausted, "\(size)")
    }
    #expect(try await channel.unary("/test.Echo/Unary", [1]) == [1])
    await channel.close()
    await server.server.stop()
  }

  @Test(
    "A sender whose messages are not received is held back, and others on the connection are not")
  func backPressure() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    let call = try await channel.open("/test.Echo/Hold", metadata: [], timeout: nil)
    let sender = Task {
      var count = 0
      while count < 1_000, (try? await call.send([UInt8](repeating: 1, count: 20_000))) != nil {
        count += 1
      }
      return count
    }
    #expect(await eventually { server.server.statistics.calls == 1 })
    for size in [1, 300_000, 2_000_000] {
      #expect(
        try await channel.unary("/test.Echo/Unary", [UInt8](repeating: 2, count: size)).count
          == size)
    }
    #expect(server.server.statistics.heldBytes <= 65_535)
    call.cancel()
    // A window's worth and what may wait at the sender: far from the 20 MB that it had.
    #expect(await sender.value < 40)
    await channel.close()
    await server.server.stop()
  }

  @Test("A call tells how many bytes of it have moved, and not what waits to")
  func movement() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    let call = try await channel.open("/test.Echo/Hold", metadata: [], timeout: nil)
    let sender = Task {
      for _ in 0..<100 { try await call.send([UInt8](repeating: 1, count: 100_000)) }
    }
    #expect(await eventually { call.movedByteCount > 10_000 })
    // The server takes nothing: of 10 MB no more goes than its window has room for.
    #expect(call.movedByteCount < 2_000_000)
    call.cancel()
    _ = await sender.result
    let other = try await channel.open("/test.Echo/Unary", metadata: [], timeout: nil)
    try await other.send([UInt8](repeating: 1, count: 20_000))
    try await other.finishSending()
    #expect(try await other.receive()?.count == 20_000)
    #expect(other.movedByteCount >= 40_000)
    await channel.close()
    await server.server.stop()
  }

  @Test("A caller that sends a little now and then is waited for, one that sends nothing is not")
  func patience() async throws {
    let server = try await TestServer { $0.limits.progressTimeout = .seconds(3) }
    let channel = try server.channel()
    // A caller on a machine that stood still for seconds was silent for as long, and tells nothing.
    for attempt in 1... {
      let slow = try await channel.open("/test.Echo/Count", metadata: [], timeout: nil)
      var longestPause = Duration.zero
      do {
        for _ in 0..<12 {
          let begin = ContinuousClock.now
          try await slow.send([1, 2, 3])
          try await Task.sleep(for: .milliseconds(300))
          longestPause = max(longestPause, ContinuousClock.now - begin)
        }
        try await slow.finishSending()
        #expect(try await slow.receive() == Array("36".utf8))
        break
      } catch let error as RPCError where longestPause > .seconds(2) && attempt < 5 {
        #expect(error.reason == "no-progress")
      }
    }
    let silent = try await channel.open("/test.Echo/Count", metadata: [], timeout: nil)
    try await silent.send([1])
    let error = await #expect(throws: RPCError.self) { try await silent.receive() }
    #expect(error?.code == .unavailable && error?.reason == "no-progress")
    await channel.close()
    await server.server.stop()
  }

  @Test("Several tasks may send on one call, and wait for room at once")
  func senders() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    let call = try await channel.open("/test.Echo/Count", metadata: [], timeout: .seconds(30))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<4 { try await call.send([UInt8](repeating: 1, count: 300_000)) }
        }
      }
      try await group.waitForAll()
    }
    try await call.finishSending()
    #expect(try await call.receive() == Array("9600000".utf8))
    await channel.close()
    await server.server.stop()
  }

  @Test("More large messages at once than the byte budget has room for take their turns")
  func budget() async throws {
    let server = try await TestServer { $0.limits.byteBudget = 5 << 20 }
    let channel = try server.channel { $0.byteBudget = 5 << 20 }
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<12 {
        group.addTask {
          try await channel.unary("/test.Echo/Unary", [UInt8](repeating: 3, count: 2 << 20)).count
        }
      }
      for try await count in group { #expect(count == 2 << 20) }
    }
    #expect(await eventually { server.server.statistics.calls == 0 })
    await channel.close()
    await server.server.stop()
  }

  @Test("A draining server lets calls end, takes no new connections and then has none")
  func drain() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    let call = try await channel.open("/test.Echo/Both", metadata: [], timeout: nil)
    try await call.send([1])
    #expect(try await call.receive() == [1])
    let drained = Task { await server.server.drain(within: .seconds(30)) }
    let error = await #expect(throws: RPCError.self) {
      // The connection takes no more calls as soon as the GOAWAY is there, and there is no new one.
      while true { _ = try await channel.unary("/test.Echo/Unary", [2]) }
    }
    #expect(error?.code == .unavailable)
    try await call.send([3])
    #expect(try await call.receive() == [3])
    try await call.finishSending()
    #expect(try await call.receive() == nil)
    await drained.value
    #expect(server.server.statistics.connections == 0)
    await channel.close()
    await server.server.stop()
  }

  @Test("A drain that takes too long closes what is left")
  func drainLimit() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    let call = try await channel.open("/test.Echo/Hold", metadata: [], timeout: nil)
    #expect(await eventually { server.server.statistics.calls == 1 })
    await server.server.drain(within: .milliseconds(200))
    let error = await #expect(throws: RPCError.self) { try await call.receive() }
    #expect(error?.code == .unavailable)
    await channel.close()
    await server.server.stop()
  }

  @Test("A channel finds a server that was restarted")
  func reconnect() async throws {
    let first = try await TestServer()
    let channel = try first.channel { $0.firstBackoff = .milliseconds(20) }
    #expect(try await channel.unary("/test.Echo/Unary", [1]) == [1])
    await first.server.stop()
    let error = await #expect(throws: RPCError.self) {
      try await channel.unary("/test.Echo/Unary", [2])
    }
    #expect(error?.code == .unavailable)
    let second = try await TestServer { $0.port = first.port }
    #expect(
      await eventually { (try? await channel.unary("/test.Echo/Unary", [3])) == [3] })
    await channel.close()
    await second.server.stop()
  }

  @Test("Old connections are asked to go, calls go on over new ones, and none fails")
  func age() async throws {
    let server = try await TestServer {
      $0.limits.connectionAge = .milliseconds(100)
      $0.limits.connectionGrace = .seconds(5)
    }
    let channel = try server.channel()
    let start = ContinuousClock.now
    while server.server.statistics.acceptedConnections < 4,
      ContinuousClock.now - start < .seconds(20)
    {
      #expect(try await channel.unary("/test.Echo/Unary", [1]) == [1])
    }
    #expect(server.server.statistics.acceptedConnections > 3)
    await channel.close()
    await server.server.stop()
  }

  @Test("A client that pings too often is told to calm down, and its calls are unavailable")
  func tooManyPings() async throws {
    let server = try await TestServer()
    let channel = try server.channel { $0.keepaliveInterval = .milliseconds(20) }
    let call = try await channel.open("/test.Echo/Hold", metadata: [], timeout: .seconds(20))
    let error = await #expect(throws: RPCError.self) { try await call.receive() }
    #expect(error?.code == .unavailable)
    #expect(server.server.statistics.abusiveConnections == 1)
    await channel.close()
    await server.server.stop()
  }

  @Test("An idle connection closes, and the next call opens another")
  func idle() async throws {
    let server = try await TestServer()
    let channel = try server.channel { $0.idleTimeout = .milliseconds(50) }
    #expect(try await channel.unary("/test.Echo/Unary", [1]) == [1])
    #expect(await eventually { server.server.statistics.connections == 0 })
    #expect(try await channel.unary("/test.Echo/Unary", [2]) == [2])
    #expect(server.server.statistics.acceptedConnections == 2)
    await channel.close()
    await server.server.stop()
  }

  @Test("Connections beyond the limit are closed as they come")
  func connectionLimit() async throws {
    let server = try await TestServer { $0.limits.connections = 1 }
    let channel = try server.channel()
    #expect(try await channel.unary("/test.Echo/Unary", [1]) == [1])
    let other = try server.channel()
    let error = await #expect(throws: RPCError.self) {
      try await other.unary("/test.Echo/Unary", [2])
    }
    #expect(error?.code == .unavailable)
    await channel.close()
    #expect(await eventually { (try? await other.unary("/test.Echo/Unary", [3])) == [3] })
    await other.close()
    await server.server.stop()
  }

  @Test("A closed channel and a stopped server refuse, and do so at once")
  func closed() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    await channel.close()
    await #expect(throws: RPCError(.unavailable, "The channel was closed.")) {
      try await channel.unary("/test.Echo/Unary", [1])
    }
    await server.server.stop()
    await server.server.stop()
    await #expect(throws: TransportError.self) { try await server.server.start() }
  }
}
