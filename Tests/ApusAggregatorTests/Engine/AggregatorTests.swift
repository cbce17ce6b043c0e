// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import Testing

@testable import ApusAggregator

@Suite struct AggregatorTests {
  @Test(
    "A new aggregator prints an invitation, serves its operator over TLS, and goes down when told to"
  )
  func wholeLife() async throws {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "apus-aggregator-\(UUID())").path()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var configuration = AggregatorConfiguration(directory: directory)
    configuration.host = "127.0.0.1"
    configuration.port = 0
    configuration.logFile = directory + ".log"
    defer { try? FileManager.default.removeItem(atPath: directory + ".log") }
    let aggregator = Aggregator(configuration)
    let port = try await aggregator.start()
    #expect(aggregator.firstInvitation?.contains("apus://127.0.0.1:\(port)/") == true)

    let person = try Identity.load(from: HubDirectory(path: directory).operatorDirectory)
    let channel = try GRPCChannel(
      host: "127.0.0.1", port: port, trust: .authorities(person.authorities.map(\.der)),
      identity: person.tlsMaterial())
    let health = try await channel.call(
      HealthMethods.check, Proto.HealthCheckRequest(), timeout: .seconds(60))
    #expect(health.status == .serving)
    let status = try await channel.call(
      CoordinatorMethods.getServerStatus, Proto.GetServerStatusRequest(), timeout: .seconds(60))
    #expect(status.state == "SERVING" && status.serverEpoch == 1)
    let task = try await channel.call(
      CoordinatorMethods.createTask,
      Proto.CreateTaskRequest { $0.spec = try SmallTask.spec() }, timeout: .seconds(60))
    #expect(task.state == .created)
    let chain = try await channel.call(
      CoordinatorMethods.verifyAuditChain, Proto.VerifyAuditChainRequest(), timeout: .seconds(60))
    #expect(chain.intact && chain.entries >= 3)
    async let end: Void = aggregator.run()
    _ = try await channel.call(
      CoordinatorMethods.drain, Proto.DrainRequest(), timeout: .seconds(60))
    try await end
    await channel.close()
    let log = try String(contentsOfFile: directory + ".log", encoding: .utf8)
    #expect(log.contains("\"message\":\"The aggregator serves.\""))
    for line in log.split(separator: "\n") {
      #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil)
    }
  }

  @Test("Metrics are in Prometheus' text format, each with its help and its type")
  func metrics() {
    let metrics = Metrics()
    metrics.add(.updatesAccepted, 3)
    metrics.set(.leases, 7)
    let text = metrics.text(with: [("apus_blob_bytes", "Bytes.", 12)])
    #expect(
      text.contains("# TYPE apus_updates_accepted_total counter\napus_updates_accepted_total 3\n"))
    #expect(text.contains("# TYPE apus_leases gauge\napus_leases 7\n"))
    #expect(text.contains("apus_blob_bytes 12"))
    #expect(text.hasSuffix("\n"))
  }

  @Test("Whatever a field holds, a line of the log is one JSON object")
  func quoting() throws {
    let json = EventLog.json(["a\"b": "c\\d\n\u{1}e", "z": "ü"])
    let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
    #expect(object == ["a\"b": "c\\d\n\u{1}e", "z": "ü"])
  }
}
