// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCatalog
import ApusCommands
import ApusData
import Foundation
import OwnThreads
import Testing

@testable import apus

@Suite(.ownThread) struct DataCommandTests {
  private func json(_ recorder: Recorder) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(recorder.output.utf8))
  }

  @Test("Every set is listed with its place")
  func lists() async throws {
    let recorder = Recorder()
    #expect(await recorder.run("data", "list", "--format", "json") == .done)
    let sets = try #require(try json(recorder) as? [[String: Any]])
    let digits = try #require(sets.first { $0["name"] as? String == "digits" })
    #expect(digits["location"] as? String == "bundled")
    let mnist = try #require(sets.first { $0["name"] as? String == "mnist-writers" })
    #expect(mnist["keys"] as? [String] == ["writer"])
  }

  @Test("A set's examples and classes are shown")
  func shows() async throws {
    let recorder = Recorder()
    #expect(await recorder.run("data", "show", "digits", "--format", "json") == .done)
    let answer = try #require(try json(recorder) as? [String: Any])
    let contents = try #require(answer["contents"] as? [String: Any])
    let counts = try #require(contents["labelCounts"] as? [Int])
    #expect(counts.count == 10)
    #expect(counts.reduce(0, +) == contents["train"] as? Int)
  }

  @Test("A missing set is told where to get")
  func showsMissing() async {
    let recorder = Recorder()
    #expect(await recorder.run("data", "show", "omniglot") == .done)
    #expect(recorder.output.contains("where     missing"))
    #expect(recorder.output.contains("brendenlake/omniglot"))
    let split = Recorder()
    #expect(await split.run("data", "split", "omniglot") == .failed)
    #expect(split.messages.contains("is not on this machine"))
  }

  @Test("A split by shards gives every client its shards, and a picture")
  func splits() async throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-\(UUID().uuidString).svg")
    defer { try? FileManager.default.removeItem(at: file) }
    let recorder = Recorder()
    let status = await recorder.run(
      "data", "split", "digits", "--split", "shards:2", "--clients", "10", "--svg", file.path,
      "--format", "json")
    #expect(status == .done)
    let answer = try #require(try json(recorder) as? [String: Any])
    let clients = try #require(answer["counted"] as? [[String: Any]])
    #expect(clients.count == 10)
    for client in clients {
      let labels = try #require(client["labels"] as? [Int])
      #expect(labels.count { $0 > 0 } <= 4)
    }
    #expect(try String(contentsOf: file, encoding: .utf8).hasPrefix("<svg"))
  }

  @Test("As text, twenty clients and their classes fit the eye")
  func splitsAsText() async {
    let recorder = Recorder()
    #expect(await recorder.run("data", "split", "digits", "--split", "dirichlet:0.5") == .done)
    let lines = recorder.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0].hasPrefix("digits: 100 clients, "))
    #expect(lines[2].hasPrefix("client  train  held back  classes"))
    #expect(recorder.messages.contains("20 of 100 clients"))
    #expect(SplitDescription.bars([0, 1, 8], width: 80) == "·▁█")
  }

  @Test("Exported clients have what the simulation's clients have")
  func exports() async throws {
    let place = try Workplace()
    let recorder = Recorder()
    let status = await recorder.run(
      "data", "split", "digits", "--split", "shards:2", "--clients", "12", "--seed", "3",
      "--export", place.path("devices"), "--format", "json")
    #expect(status == .done)
    let answer = try #require(try json(recorder) as? [String: Any])
    let folders = try #require(answer["folders"] as? [String])
    #expect(folders.count == 12 && folders[3] == place.path("devices/client-03"))
    let (dataset, _) = try DataCatalog(environment: [:]).federated(
      "digits", split: .shards(perClient: 2), clients: 12, seed: 3)
    let client = dataset.client(3).train
    let table = try LocalData.load(folders[3])
    let labels = try #require(client.table.labels)
    #expect(table.count == client.count && table.inputShape == client.table.inputShape)
    #expect(table.labels == client.indices.map { labels[Int($0)] })
  }

  @Test("A split that cannot be, and a picture that cannot be written, are told")
  func refuses() async {
    let many = Recorder()
    #expect(await many.run("data", "split", "digits", "--clients", "100000") == .wrongUsage)
    #expect(many.messages.contains("100000 clients"))
    let picture = Recorder()
    #expect(await picture.run("data", "split", "digits", "--svg", "/nowhere/x.svg") == .failed)
    #expect(picture.messages.contains("/nowhere/x.svg: the picture cannot be written"))
  }
}
