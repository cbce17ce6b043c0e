// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// An aggregator and its devices as processes on loopback, in a directory of one test.
final class Federation {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let directory: URL
  let port: Int
  let clientCount: Int
  /// Where devices connect: the aggregator itself, or a proxy in front of it.
  var devicePort: Int
  private(set) var hub: ApusProcess
  /// What the aggregator's directory is called.
  private var hubName: String
  private(set) var devices: [ApusProcess?] = []
  private(set) var hubStartCount = 1

  /// - Parameters:
  ///   - clientCount: devices.
  ///   - hubName: where the aggregator's directory is, within the test's.
  ///   - prepare: given the test's directory, before anything is in it.
  /// - Throws: what went wrong on the way to an aggregator that serves.
  init(
    clientCount: Int, hub hubName: String = "hub", prepare: (URL) throws -> Void = { _ in }
  ) throws {
    self.hubName = hubName
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-torture-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try prepare(directory)
    self.clientCount = clientCount
    port = try Sockets.freePort()
    devicePort = port
    hub = try Self.startHub(in: directory, name: hubName, port: port)
    try waitUntilServing()
  }

  deinit {
    for device in devices { device?.kill() }
    hub.kill()
    if ProcessInfo.processInfo.environment["APUS_TORTURE_KEEP"] == nil {
      try? FileManager.default.removeItem(at: directory)
    }
  }

  var hubDirectory: String { directory.appendingPathComponent(hubName).path }

  // MARK: The aggregator

  private static func startHub(
    in directory: URL, name: String, port: Int, failpoint: String? = nil
  ) throws -> ApusProcess {
    try ApusProcess(
      "hub",
      [
        "serve", "--data-dir", directory.appendingPathComponent(name).path, "--listen",
        "127.0.0.1:\(port)",
      ], in: directory, environment: failpoint.map { ["APUS_FAILPOINT": $0] } ?? [:])
  }

  /// Starts the aggregator again after it was killed, or has killed itself.
  func restartHub(failpoint: String? = nil) throws {
    hub.kill()
    hubStartCount += 1
    hub = try Self.startHub(in: directory, name: hubName, port: port, failpoint: failpoint)
  }

  /// Copies the aggregator's directory at one moment of it: while it is stopped, or stands still.
  func backUp(to name: String) throws {
    let isRunning = hub.isRunning
    if isRunning { hub.send(SIGSTOP) }
    defer { if isRunning { hub.send(SIGCONT) } }
    let copy = Process()
    copy.executableURL = URL(filePath: "/bin/cp")
    copy.arguments = ["-a", hubDirectory, directory.appendingPathComponent(name).path]
    try copy.run()
    copy.waitUntilExit()
    guard copy.terminationStatus == 0 else { throw Failure(description: "cp failed") }
  }

  /// Starts the aggregator in another directory, on the port of the one that it had.
  func restore(from name: String) throws {
    hub.kill()
    hubName = name
    try restartHub()
  }

  func waitUntilServing(within seconds: Double = 30) throws {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
      if !hub.isRunning {
        throw Failure(description: "serve ended: \(try hub.messages().suffix(800))")
      }
      if (try? command(["task", "list", "--format", "json"])) != nil { return }
      usleep(20_000)
    }
    throw Failure(description: "not serving: \(try hub.messages().suffix(800))")
  }

  // MARK: Commands

  /// Runs a coordinator's command to its end and gives what it printed.
  @discardableResult
  func command(_ words: [String], expecting statuses: Set<Int32> = [0]) throws -> String {
    let name = "command-\(UUID().uuidString.prefix(8))"
    let process = try ApusProcess(name, words + ["--hub", hubDirectory], in: directory)
    let status = process.status()
    let (output, messages) = (try process.output(), try process.messages())
    try? FileManager.default.removeItem(at: process.outputFile)
    try? FileManager.default.removeItem(at: process.messagesFile)
    guard statuses.contains(status) else {
      throw Failure(description: "apus \(words.joined(separator: " ")): \(status): \(messages)")
    }
    return output
  }

  /// The same, over and over while the aggregator is being killed.
  func insist(_ words: [String], within seconds: Double = 60) throws -> String {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while true {
      do { return try command(words) } catch {
        if Date() > deadline { throw error }
        usleep(50_000)
      }
    }
  }

  func json(_ words: [String]) throws -> [String: Any] {
    let text = try insist(words + ["--format", "json"])
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    guard let object = object as? [String: Any] else { throw Failure(description: text) }
    return object
  }

  func jsonRows(_ words: [String]) throws -> [[String: Any]] {
    let text = try insist(words + ["--format", "json"])
    let rows = try JSONSerialization.jsonObject(with: Data(text.utf8))
    guard let rows = rows as? [[String: Any]] else { throw Failure(description: text) }
    return rows
  }

  // MARK: Devices

  /// Splits the recipe's data and enrols one device for each client, in their order.
  func enrolDevices(recipe set: String, split: String, seed: Int) throws {
    let data = directory.appendingPathComponent("data").path
    let export = try ApusProcess(
      "export",
      [
        "data", "split", set, "--split", split, "--clients", "\(clientCount)", "--seed",
        "\(seed)", "--export", data,
      ], in: directory)
    guard export.status() == 0 else { throw Failure(description: try export.messages()) }
    let invitation = try json(["invite", "--uses", "\(clientCount)", "--expires", "24h"])
    guard let url = invitation["url"] as? String else {
      throw Failure(description: "\(invitation)")
    }
    let proxied = url.replacingOccurrences(of: ":\(port)/", with: ":\(devicePort)/")
    for index in 0..<clientCount {
      devices.append(nil)
      try startDevice(index, invitation: proxied)
      try waitUntilEnrolled(index)
    }
  }

  func startDevice(_ index: Int, invitation: String? = nil) throws {
    let width = String(clientCount - 1).count
    let number = String(index)
    let client = "client-" + String(repeating: "0", count: width - number.count) + number
    devices[index] = try ApusProcess(
      "device-\(index)",
      ["join"] + (invitation.map { [$0] } ?? [])
        + [
          "--data", directory.appendingPathComponent("data/\(client)").path,
          "--state", directory.appendingPathComponent("state-\(index)").path,
          "--format", "jsonl",
        ], in: directory)
  }

  private func waitUntilEnrolled(_ index: Int) throws {
    let deadline = Date(timeIntervalSinceNow: 30)
    while Date() < deadline {
      // Operators are in the list too: they would let the next device join before this one, under its number.
      let devices = try jsonRows(["device", "list"]).filter { $0["role"] as? String == "device" }
      if devices.count > index { return }
      usleep(20_000)
    }
    throw Failure(description: "device \(index): \(try devices[index]?.messages() ?? "")")
  }

  /// What a device has said of its submissions, over all of its lives.
  func submissions(of index: Int) throws -> [[String: Any]] {
    guard let text = try devices[index]?.output() else { return [] }
    return text.split(separator: "\n").compactMap { line in
      // A kill may cut a line.
      let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return event.flatMap { $0["event"] as? String == "submitted" ? $0 : nil }
    }
  }

  func killDevice(_ index: Int) { devices[index]?.kill() }
}
