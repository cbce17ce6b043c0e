// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import Testing

@Suite("Calls from Swift to Swift over TLS")
struct CallTests {
  @Test("A message goes there and comes back, small or large")
  func unary() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    #expect(try await channel.unary("/test.Echo/Unary", [1, 2, 3]) == [1, 2, 3])
    #expect(try await channel.unary("/test.Echo/Unary", []) == [])
    let large = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    #expect(try await channel.unary("/test.Echo/Unary", large) == large)
    await channel.close()
    await server.server.stop()
  }

  @Test("Messages stream to the server, from it, and both ways")
  func streams() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    let upload = try await channel.open("/test.Echo/Count", metadata: [], timeout: .seconds(30))
    for size in [0, 1, 70_000, 1 << 20, 5] {
      try await upload.send([UInt8](repeating: 7, count: size))
    }
    try await upload.finishSending()
    #expect(try await upload.receive() == Array("1118582".utf8))
    #expect(try await upload.receive() == nil)

    let download = try await channel.open("/test.Echo/Repeat", metadata: [], timeout: .seconds(30))
    let part = [UInt8](repeating: 9, count: 100_000)
    try await download.send([40] + part)
    try await download.finishSending()
    var count = 0
    while let message = try await download.receive() {
      #expect(message == part)
      count += 1
    }
    #expect(count == 40)

    let both = try await channel.open("/test.Echo/Both", metadata: [], timeout: .seconds(30))
    for turn in 0..<20 {
      let message = [UInt8](repeating: UInt8(turn), count: turn * 5_000)
      try await both.send(message)
      #expect(try await both.receive() == message)
    }
    try await both.finishSending()
    #expect(try await both.receive() == nil)
    await channel.close()
    await server.server.stop()
  }

  @Test("A status comes with its message, reason and delay")
  func status() async throws {
    let server = try await TestServer()
    let channel = try server.channel()
    let expected = RPCError(
      .notFound, "nothing here: 100 % \u{2713}", reason: "test-reason",
      retryAfter: .milliseconds(1500))
    await #expect(throws: expected) { try await channel.unary("/test.Echo/Fail", [1]) }
    let error = await #expect(throws: RPCError.self) {
      try await channel.unary("/test.None/Such", [1])
    }
    #expect(error?.code == .unimplemented)
    await channel.close()
    await server.server.stop()
  }
}
