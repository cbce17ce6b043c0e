// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import Testing

@Suite("What no honest client sends")
struct AbuseTests {
  @Test(
    "Each attack is bounded and answered, and the server goes on",
    .enabled(if: Python.has("hyperframe", "hpack"), "Python has no hyperframe: pip install h2"),
    .timeLimit(.minutes(10)))
  func attacks() async throws {
    let isAll = ProcessInfo.processInfo.environment["APUS_ABUSE"] == "all"
    let patience = isAll ? 4 : 1
    let server = try await TestServer { configuration in
      configuration.limits.handshakeTimeout = .seconds(patience)
      configuration.limits.settingsTimeout = .seconds(patience)
      configuration.limits.headersTimeout = .seconds(patience)
      configuration.limits.progressTimeout = .seconds(patience)
    }
    let channel = try server.channel()
    let output = try await Python.run(
      "Abuse/abuse.py",
      [
        String(server.port), server.authority.directory.appending(path: "ca.pem").path(),
        isAll ? "all" : "quick", String(patience),
      ])
    #expect(output.status == 0, "\(output.text)")
    if isAll { print(output.text) }
    // On a busy machine a call may rest longer than this server's patience.
    #expect(await eventually { (try? await channel.unary("/test.Echo/Unary", [4])) == [4] })
    // Everything that the attacks held is given back.
    #expect(
      await eventually {
        let now = server.server.statistics
        return now.connections == 1 && now.calls == 0
      }, "\(server.server.statistics)")
    #expect(await eventually { (try? await channel.unary("/test.Echo/Unary", [5])) == [5] })
    #expect(await eventually { server.server.statistics.heldBytes == 0 })
    #expect(server.server.statistics.reservedBytes == 0)
    await channel.close()
    await server.server.stop()
  }
}
