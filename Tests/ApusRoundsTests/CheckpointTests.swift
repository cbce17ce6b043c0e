// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusAlgorithms
import ApusNumerics
import Foundation
import Testing

@testable import ApusRounds

/// A server state of two vectors, one of them a single number.
private struct Momentum: VectorState {
  var velocity: ParameterVector
  var step: ParameterVector
  var vectors: [ParameterVector] { [velocity, step] }

  init(count: Int) {
    velocity = ParameterVector(count: count)
    step = ParameterVector([0])
  }

  init(vectors: [ParameterVector]) {
    velocity = vectors[0]
    step = vectors[1]
  }
}

/// A directory that is gone when the test is.
private final class Scratch {
  let url = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)")
  var path: String { url.path() }

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(at: url) }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

private func bits(_ vector: ParameterVector) -> [UInt32] {
  (0..<vector.count).map { vector[$0].bitPattern }
}

private func sample(round: Int = 12, count: Int = 33) -> Server<Momentum> {
  var random = RandomStream(seed: UInt64(round))
  var state = Momentum(count: count)
  state.velocity.update { _ in random.uniform(in: -1..<1) }
  state.step[0] = Float(round)
  var model = ParameterVector(count: count)
  model.update { _ in random.uniform(in: -1..<1) }
  model[0] = -0.0
  model[1] = .leastNonzeroMagnitude
  return Server(model: model, state: state, round: round)
}

private func checkpoint(_ server: Server<Momentum>) -> Checkpoint {
  Checkpoint(
    of: server, recipeDigest: "c0ffee", seed: .max,
    notes: ["bestAccuracy": "0.97", "a \"b\"\n": "µ"])
}

private let fresh = Server(model: ParameterVector(count: 33), state: Momentum(count: 33))

@Suite struct CheckpointTests {
  @Test("A checkpoint is read back bit for bit")
  func roundTrip() throws {
    let scratch = try Scratch()
    let server = sample()
    let path = scratch.path + "/a.safetensors"
    try checkpoint(server).write(to: path)
    let read = try Checkpoint(contentsOf: path)
    #expect(read.notes == ["bestAccuracy": "0.97", "a \"b\"\n": "µ"])
    try read.checkBelongs(toRecipe: "c0ffee", seed: .max)
    let resumed = try read.server(like: fresh)
    #expect(resumed.round == 12)
    #expect(bits(resumed.model) == bits(server.model))
    #expect(bits(resumed.state.velocity) == bits(server.state.velocity))
    #expect(resumed.state.step[0] == 12)
  }

  @Test("A server without state has a checkpoint of its model alone")
  func noState() throws {
    let scratch = try Scratch()
    let server = Server(model: ParameterVector([1, 2]), state: NoState(), round: 0)
    let path = scratch.path + "/a.safetensors"
    try Checkpoint(of: server, recipeDigest: "", seed: 0).write(to: path)
    let read = try Checkpoint(contentsOf: path)
    #expect(try read.server(like: server).model == server.model)
    #expect(try Safetensors(contentsOf: path).tensors.map(\.name) == ["model"])
  }

  @Test("A file cut off anywhere, or with any bit turned, is refused by name")
  func damage() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.safetensors"
    try checkpoint(sample(count: 3)).write(to: path)
    let sound = [UInt8](try Data(contentsOf: URL(filePath: path)))
    var damaged = stride(from: 0, to: sound.count, by: 7).map { Array(sound.prefix($0)) }
    damaged.append(sound + [0])
    for position in sound.indices {
      var bytes = sound
      bytes[position] ^= 1 << UInt8(position % 8)
      damaged.append(bytes)
    }
    for bytes in damaged {
      try Data(bytes).write(to: URL(filePath: path))
      let error = #expect(throws: RoundError.self) { try Checkpoint(contentsOf: path) }
      // A turned bit in the version makes it another version; everything else is damage.
      #expect(error?.code == .damagedCheckpoint || error?.code == .unknownVersion)
      #expect(error?.message.contains(path) == true)
    }
  }

  @Test("A checkpoint of another recipe, seed, model or algorithm is refused, saying which")
  func foreign() throws {
    let checkpoint = checkpoint(sample())
    func message(_ body: () throws -> Void) -> String {
      let error = #expect(throws: RoundError.self) { try body() }
      #expect(error?.code == .foreignCheckpoint)
      return error?.message ?? ""
    }
    #expect(
      message { try checkpoint.checkBelongs(toRecipe: "decaf", seed: .max) }.contains("recipe"))
    #expect(message { try checkpoint.checkBelongs(toRecipe: "c0ffee", seed: 1) }.contains("seed"))
    let longer = Server(model: ParameterVector(count: 34), state: Momentum(count: 34))
    #expect(message { _ = try checkpoint.server(like: longer) }.contains("33 parameters"))
    let stateless = Server(model: ParameterVector(count: 33), state: NoState())
    #expect(message { _ = try checkpoint.server(like: stateless) }.contains("another algorithm"))
  }

  @Test("A missing file and a model of somebody else's are told apart")
  func notACheckpoint() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.safetensors"
    let missing = #expect(throws: RoundError.self) { try Checkpoint(contentsOf: path) }
    #expect(missing?.code == .inputOutput)
    var layout = ParameterLayout()
    layout.append("model", [2])
    try Safetensors.write(ParameterVector([1, 2]), layout: layout, to: path)
    let model = #expect(throws: RoundError.self) { try Checkpoint(contentsOf: path) }
    #expect(model?.code == .damagedCheckpoint)
    #expect(model?.message.contains("not marked as a checkpoint") == true)
  }
}

@Suite struct CheckpointDirectoryTests {
  @Test("A directory is made when it is needed, and keeps the last two checkpoints")
  func lastTwo() throws {
    let scratch = try Scratch()
    let directory = CheckpointDirectory(scratch.path + "/checkpoint")
    #expect(try directory.latest() == nil)
    for round in [1, 5, 9, 123_456_789] { try directory.write(checkpoint(sample(round: round))) }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == [
        "round-00000009.safetensors", "round-123456789.safetensors",
      ])
    #expect(try directory.latest()?.round == 123_456_789)
  }

  @Test("A torn file is passed over for the one before it, and its round written again")
  func torn() throws {
    let scratch = try Scratch()
    let directory = CheckpointDirectory(scratch.path)
    for round in [3, 4] { try directory.write(checkpoint(sample(round: round))) }
    let newest = URL(filePath: scratch.path + "/round-00000004.safetensors")
    try Data(contentsOf: newest).dropLast(9).write(to: newest)
    var passedOver: [RoundError] = []
    let found = try #require(try directory.latest { passedOver.append($0) })
    #expect(found.round == 3)
    #expect(passedOver.map(\.code) == [.damagedCheckpoint])
    try directory.write(checkpoint(sample(round: 4)))
    #expect(try directory.latest()?.round == 4)
  }

  @Test("What comes after a round that was gone back to is removed with it")
  func goneBack() throws {
    let scratch = try Scratch()
    let directory = CheckpointDirectory(scratch.path)
    for round in [5, 10] { try directory.write(checkpoint(sample(round: round))) }
    try Data("torn".utf8).write(to: URL(filePath: scratch.path + "/round-00000010.safetensors"))
    try directory.write(checkpoint(sample(round: 6)))
    #expect(
      try scratch.names() == ["round-00000005.safetensors", "round-00000006.safetensors"])
  }

  @Test("Where all are torn, the newest is named")
  func allTorn() throws {
    let scratch = try Scratch()
    for round in 1...2 {
      try Data().write(to: URL(filePath: scratch.path + "/round-0000000\(round).safetensors"))
    }
    let error = #expect(throws: RoundError.self) {
      try CheckpointDirectory(scratch.path).latest()
    }
    #expect(error?.code == .damagedCheckpoint)
    #expect(error?.message.contains("round-00000002") == true)
  }

  @Test("What a killed process left half written is swept away, other files are not")
  func leftovers() throws {
    let scratch = try Scratch()
    let leftover = scratch.path + "/.round-00000003.safetensors.x1.tmp"
    let other = scratch.path + "/round-notes.safetensors"
    for path in [leftover, other] { try Data("x".utf8).write(to: URL(filePath: path)) }
    let directory = CheckpointDirectory(scratch.path)
    try directory.write(checkpoint(sample(round: 3)))
    #expect(try scratch.names() == ["round-00000003.safetensors", "round-notes.safetensors"])
    #expect(try directory.latest()?.round == 3)
  }

  @Test("A directory that cannot be written to is an error that keeps what was there")
  func unwritable() throws {
    let scratch = try Scratch()
    let file = scratch.path + "/file"
    try Data("x".utf8).write(to: URL(filePath: file))
    for path in [file, scratch.path + "/missing/checkpoint"] {
      let error = #expect(throws: RoundError.self) {
        try CheckpointDirectory(path).write(checkpoint(sample()))
      }
      #expect(error?.code == .inputOutput)
      #expect(error?.message.contains(path) == true)
    }
  }
}
