// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Foundation
import OwnThreads
import Testing

@testable import ApusWire

/// What Google's protobuf for Python writes; see Goldens/make_goldens.py.
private struct Golden {
  /// As in the .proto file, with its package.
  let name: String
  let bytes: [UInt8]

  var type: (any WireMessage.Type)? {
    Proto.messages.first { name.hasSuffix(".\($0)") }
  }

  static func load() throws -> [Golden] {
    let url = try #require(
      Bundle.module.url(forResource: "messages", withExtension: "txt", subdirectory: "Goldens"))
    return try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
      .filter { !$0.hasPrefix("#") }
      .map { line in
        let words = line.split(separator: " ")
        let digits = Array((words.count > 1 ? words[1] : "").utf8)
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
          UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        }
        return Golden(name: String(words[0]), bytes: bytes)
      }
  }
}

@Suite("Messages", .ownThread)
struct MessageTests {
  @Test("Every message that Python's protobuf writes is read, and written as the same bytes")
  func interoperability() throws {
    let goldens = try Golden.load()
    for golden in goldens {
      let type = try #require(golden.type, "\(golden.name)")
      let message = try type.init(decoding: golden.bytes)
      #expect(message.encoded() == golden.bytes, "\(golden.name)")
    }
    let names = Set(goldens.compactMap { golden in golden.type.map { "\($0)" } })
    #expect(names.count == Proto.messages.count)
  }

  @Test(
    "Messages that are cut, or have a bit flipped, are read or refused, and never more than that")
  func damaged() throws {
    var random = RandomStream(seed: 3)
    var (refused, read) = (0, 0)
    for golden in try Golden.load() where !golden.bytes.isEmpty {
      let type = try #require(golden.type)
      for _ in 0..<20 {
        var bytes = golden.bytes
        let place = Int.random(in: bytes.indices, using: &random)
        if Bool.random(using: &random) {
          bytes.removeSubrange(place...)
        } else {
          bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
        guard let message = try? type.init(decoding: bytes) else {
          refused += 1
          continue
        }
        read += 1
        let again = try type.init(decoding: message.encoded())
        #expect(again.encoded() == message.encoded())
      }
    }
    #expect(refused > 1_000 && read > 1_000)
  }

  @Test("Fields have the numbers that their file gives them")
  func fields() throws {
    let tensor = Proto.Tensor {
      $0.name = "w"
      $0.type = .float16
      $0.shape = [2, 300]
      $0.offset = 4
      $0.length = 1_200
    }
    #expect(
      tensor.encoded() == [
        0x0a, 1, 0x77, 0x10, 3, 0x1a, 3, 2, 0xac, 2, 0x20, 4, 0x28, 0xb0, 9,
      ])
    let window = Proto.RetryWindow { $0.maxMs = 5 }
    #expect(window.encoded() == [0x10, 5])
    let graph = Proto.Graph { $0.nodes = [Proto.Node { $0.inputs = [1, 2] }] }
    #expect(graph.encoded() == [0x0a, 4, 0x12, 2, 1, 2])
  }

  @Test("What is said in a oneof is kept even where it is empty or zero")
  func emptyAnswer() throws {
    let reply = Proto.CheckInReply { $0.answer = .notNeeded("") }
    #expect(try Proto.CheckInReply(decoding: reply.encoded()).answer == .notNeeded(""))
    let initializer = Proto.Initializer { $0.kind = .constant(0) }
    #expect(try Proto.Initializer(decoding: initializer.encoded()).kind == .constant(0))
    #expect(try Proto.TaskRef(decoding: []) == Proto.TaskRef())
  }

  @Test(
    "Unknown numbers of enums are kept, negative ones too", arguments: [Int32.min, -1, 77, .max])
  func openEnums(_ number: Int32) throws {
    let info = Proto.TaskInfo { $0.state = Proto.TaskState(rawValue: number) }
    #expect(try Proto.TaskInfo(decoding: info.encoded()).state.rawValue == number)
    let list = Proto.ListTasksRequest { $0.states = [.running, .init(rawValue: number)] }
    #expect(try Proto.ListTasksRequest(decoding: list.encoded()) == list)
  }

  @Test("Unknown fields are skipped")
  func unknownFields() throws {
    let known = Proto.TaskRef { $0.task = "t" }.encoded()
    let unknown: [UInt8] = [0xf8, 0x07, 5, 0xfa, 0x07, 2, 1, 2, 0xfd, 0x07, 1, 2, 3, 4]
    #expect(
      try Proto.TaskRef(decoding: unknown + known + unknown) == Proto.TaskRef(decoding: known))
  }

  private func expect(
    _ code: WireError.Code, of type: any WireMessage.Type, _ bytes: [UInt8],
    at location: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: WireError.self, sourceLocation: location) {
      try type.init(decoding: bytes)
    }
    #expect(error?.code == code, sourceLocation: location)
  }

  @Test(
    "Garbage is refused: cut fields, wrong kinds, groups, impossible numbers, texts that are none")
  func garbage() {
    let type = Proto.TaskRef.self
    for bytes in [
      [0x0a], [0x0a, 2, 0x61], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
      [0x08], [0x08, 0x80], [0x0b], [0x0c], [0x0f], [0x00, 0], [0x02, 0], [0x08, 1],
      [0x0a, 2, 0xc3, 0x28], [0x0a, 1, 0], [0x0a, 3, 0x61, 0, 0x62],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
    ] as [[UInt8]] {
      expect(.malformed, of: type, bytes)
    }
  }

  @Test("Messages too deep in each other are refused before anybody calls itself for them")
  func depth() {
    // A schedule is field 5 of a warm-up, which is field 2 of a schedule.
    var bytes: [UInt8] = []
    for _ in 0..<100_000 {
      var length = bytes.count
      var head: [UInt8] = []
      while length >= 0x80 {
        head.append(UInt8(length & 0x7f) | 0x80)
        length >>= 7
      }
      guard bytes.count < 1_000 else { break }
      bytes = [0x12] + head + [UInt8(length)] + bytes
      bytes = [0x2a] + [UInt8(bytes.count & 0x7f) | 0x80, UInt8(bytes.count >> 7)] + bytes
    }
    expect(.beyondLimit, of: Proto.Schedule.self, bytes)
  }

  @Test("More elements than anybody needs are refused before a struct is made of each")
  func elements() throws {
    let most = [[UInt8]](repeating: [0x0a, 0], count: MessageScan.elementLimit)
    #expect(try Proto.Graph(decoding: Array(most.joined())).nodes.count == MessageScan.elementLimit)
    expect(.beyondLimit, of: Proto.Graph.self, Array((most + [[0x0a, 0]]).joined()))
    // Unknown ones count too.
    let unknown = [[UInt8]](repeating: [0x78, 0], count: MessageScan.elementLimit + 1)
    expect(.beyondLimit, of: Proto.Heartbeat.self, Array(unknown.joined()))
  }
}
