// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

/// The units of docs/systemd, as systemd reads them and as the program that they start does.
@Suite("Units for systemd", .ownThread)
struct SystemdUnitTests {
  private static let units = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/systemd")

  private static let isThere = FileManager.default.isExecutableFile(
    atPath: "/usr/bin/systemd-analyze")

  private func unit(_ name: String) throws -> String {
    try String(contentsOf: Self.units.appending(path: "\(name).service"), encoding: .utf8)
  }

  @Test(
    "systemd finds nothing wrong with the units", .enabled(if: isThere, "There is no systemd."),
    arguments: ["apus-hub": "apus", "apus-device": "apus-device"])
  func areSound(name: String, program: String) throws {
    let place = try Workplace()
    // The program is where it was built.
    let text = try unit(name)
    try #require(text.contains("ExecStart=/usr/local/bin/\(program) "))
    let path = try place.write(
      text.replacing(
        "/usr/local/bin/\(program)", with: Executable.program(program).path),
      to: "\(name).service")
    let ending = try Executable.shell(
      "systemd-analyze verify --man=no \"$1\" 2>&1 && "
        + "systemd-analyze security --offline=true --threshold=50 --no-pager \"$1\"", path)
    #expect(ending.status == 0, "\(ending.output)\(ending.messages)")
  }

  @Test(
    "The options that the units use are the program's",
    arguments: ["apus-hub": "apus", "apus-device": "apus-device"])
  func useOptions(name: String, program: String) throws {
    let line = try #require(
      unit(name).split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
    let words = line.split(separator: " ").map(String.init)
    let options = words.filter { $0.hasPrefix("--") }
    #expect(words.count > 2 && options.count >= 2)
    let help = try Executable.run(["help", words[1]], executable: Executable.program(program))
    #expect(help.status == 0)
    for option in options { #expect(help.output.contains("\(option) "), "\(option)") }
  }
}
