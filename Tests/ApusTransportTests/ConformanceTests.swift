// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import ApusWire
import Foundation
import OwnThreads
import Testing

@Suite("Other programs' clients", .ownThread)
struct ConformanceTests {
  @Test(
    "Python's grpcio: all kinds of calls, statuses, deadlines, cancellation, certificates, health",
    .enabled(if: Python.has("grpc"), "Python has no grpcio: pip install grpcio"))
  func grpcio() async throws {
    let server = try await TestServer()
    try server.authority.write(try server.authority.device(), as: "grpcio")
    let folder = server.authority.directory
    let output = try await Python.run(
      "Conformance/grpcio_client.py",
      ["localhost:\(server.port)"]
        + ["ca.pem", "grpcio.pem", "grpcio.key"].map { folder.appending(path: $0).path() })
    #expect(output.status == 0 && output.text.hasSuffix("ok\n"), "\(output.text)")
    await server.server.stop()
  }

  @Test(
    "curl gets a page over HTTP/2 with a certificate and none without",
    .enabled(if: Program.find("curl") != nil, "curl is not installed"))
  func curl() async throws {
    let server = try await TestServer { configuration in
      configuration.pages["/metrics"] = { peer in
        PlainPage(contentType: "text/plain", body: Array("for \(peer.identity?.id ?? "?")\n".utf8))
      }
    }
    try server.authority.write(try server.authority.device(), as: "curl")
    let folder = server.authority.directory
    func get(_ path: String, _ options: [String]) async throws -> String {
      try await Program(
        "curl",
        [
          "--http2", "-s", "-m", "20", "-w", "%{http_code} %{http_version}", "--cacert", "ca.pem",
          "https://localhost:\(server.port)\(path)",
        ] + options, in: folder
      ).runInBackground().text
    }
    let identity = ["--cert", "curl.pem", "--key", "curl.key"]
    #expect(
      try await get("/metrics", identity) == "for \(String(repeating: "0", count: 32))\n200 2")
    #expect(try await get("/other", identity) == "404 2")
    #expect(try await get("/metrics", []) == "403 2")
    #expect(try await get("/test.Echo/Unary", ["-X", "POST", "-d", "x"]) == "415 2")
    #expect(try await get("/test.Echo/Unary", ["-X", "PUT", "-d", "x"]) == "405 2")
    await server.server.stop()
  }

  @Test(
    "h2load: 1,000 TLS connections at once, none fails",
    .enabled(if: Program.find("h2load") != nil, "h2load is not installed (nghttp2-client)"))
  func h2load() async throws {
    let server = try await TestServer()
    let message = server.authority.directory.appending(path: "message")
    try Data([0, 0, 0, 0, 2, 7, 7]).write(to: message)
    let output = try await Program(
      "h2load",
      [
        "-n", "2000", "-c", "1000", "-m", "2", "-d", message.path(), "-H",
        "content-type: application/grpc", "-H", "te: trailers",
        "https://localhost:\(server.port)/test.Echo/Unary",
      ]
    ).runInBackground()
    #expect(
      output.text.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(output.text)")
    #expect(await eventually { server.server.statistics.connections == 0 })
    await server.server.stop()
  }

  @Test(
    "sslscan finds TLS 1.3 and nothing else",
    .enabled(if: Program.find("sslscan") != nil, "sslscan is not installed"))
  func sslscan() async throws {
    let server = try await TestServer()
    let output = try await Program(
      "sslscan", ["--no-colour", "--no-heartbleed", "127.0.0.1:\(server.port)"]
    ).runInBackground()
    let lines = output.text.split(separator: "\n").map { $0.split(separator: " ") }
    let enabled = lines.filter { $0.count == 2 && $0[1] == "enabled" }.map { $0[0] }
    #expect(enabled == ["TLSv1.3"], "\(output.text)")
    let ciphers = lines.filter { $0.first == "Preferred" || $0.first == "Accepted" }
    #expect(
      !ciphers.isEmpty && ciphers.allSatisfy { $0[1] == "TLSv1.3" && $0[4].hasPrefix("TLS_") })
    await server.server.stop()
  }

  @Test(
    "testssl.sh finds nothing but that certificates name no list of revocations, and addresses no CAA record",
    .enabled(
      if: Program.find("testssl") != nil
        && ProcessInfo.processInfo.environment["APUS_ABUSE"] == "all",
      "takes a minute; scripts/abuse runs it where testssl.sh is installed"))
  func testssl() async throws {
    let (house, nest) = (try Household(), try Nest())
    // As a hub makes it.
    let hosts = ["127.0.0.1", "localhost"].compactMap { HostName($0) }
    let material = try house.identity(.server, hosts: hosts).tlsMaterial()
    let server = try await TestServer { $0.material = material }
    let authority = try nest.write(house.authority.certificate.pem, to: "ca.pem")
    let output = try await Program(
      "testssl",
      [
        "--quiet", "--color", "0", "--warnings", "batch", "--severity", "LOW", "--add-ca",
        authority, "--jsonfile", nest.path("found.json"), "127.0.0.1:\(server.port)",
      ]
    ).runInBackground()
    #expect(output.text.contains("TLS 1.3    offered (OK): final"), "\(output.text)")
    struct Finding: Decodable {
      let id: String
      let severity: String
    }
    let found = try JSONDecoder().decode(
      [Finding].self, from: Data(contentsOf: URL(filePath: nest.path("found.json"))))
    #expect(
      Set(found.filter { $0.severity != "DEBUG" }.map(\.id)) == [
        "cert_revocation", "DNS_CAArecord",
      ],
      "\(output.text)")
    await server.server.stop()
  }
}
