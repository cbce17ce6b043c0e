// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusTransport
import Foundation
import Testing

@testable import ApusCoordination

@Suite struct HubProfileTests {
  @Test(
    "A host and a port are read, and what is neither is not",
    arguments: [
      ("127.0.0.1:8443", "127.0.0.1", 8443), ("hub.example:1", "hub.example", 1),
      ("[2001:db8::1]:443", "2001:db8::1", 443), ("0.0.0.0:0", "0.0.0.0", 0),
    ])
  func reads(text: String, host: String, port: Int) throws {
    let place = try #require(HubProfile.hostAndPort(text))
    #expect(place.host == host && place.port == port)
  }

  @Test(
    "What is no host and port is refused",
    arguments: ["", "hub", ":1", "hub:", "hub:x", "hub:70000", "a b:1"])
  func refuses(text: String) { #expect(HubProfile.hostAndPort(text) == nil) }

  @Test("With several hubs joined and none named, the error names them")
  func isAmbiguous() throws {
    let home = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: home) }
    for name in ["a.example_1", "b.example_2"] {
      try FileManager.default.createDirectory(
        atPath: "\(home)/.config/apus/hubs/\(name)", withIntermediateDirectories: true)
    }
    let problem = #expect(throws: CoordinationError.self) {
      try HubProfile.find(nil, environment: ["HOME": home], workingDirectory: home)
    }
    #expect(problem?.code == .noHub)
    #expect(problem?.message.contains("a.example_1, b.example_2") == true)
    let none = #expect(throws: CoordinationError.self) {
      try HubProfile.find(nil, environment: ["HOME": home + "/nobody"], workingDirectory: home)
    }
    #expect(none?.message.contains("--hub") == true)
  }
}
