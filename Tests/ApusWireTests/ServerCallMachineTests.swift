// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusWire

/// Steps as text, so that tests can be read.
func described(_ steps: [CallStep]) -> [String] {
  steps.map { step in
    switch step {
    case .begin(let path, let metadata, let timeout):
      "begin \(path) \(metadata.map { "\($0.name)=\($0.value)" }) \(timeout.map { "\($0)" } ?? "-")"
    case .message(let bytes): "message \(bytes)"
    case .endOfMessages: "end"
    case .headers(let headers, let isLast):
      "headers" + headers.map { " \($0.name)=\($0.value)" }.joined() + (isLast ? " last" : "")
    case .data(let bytes, let isLast): "data \(bytes)" + (isLast ? " last" : "")
    case .trailers(let trailers):
      "trailers" + trailers.map { " \($0.name)=\($0.value)" }.joined()
    case .reset(let code): "reset \(code)"
    case .finished(let error): "finished \(error.map { "\($0.code.rawValue)" } ?? "OK")"
    }
  }
}

extension ServerCallMachine {
  mutating func receive(bytes: [UInt8]) -> [CallStep] {
    bytes.withUnsafeBytes { receive(data: $0) }
  }
}

@Suite("Server's call machine")
struct ServerCallMachineTests {
  static let head: Metadata = [
    (":method", "POST"), (":scheme", "https"), (":path", "/a.B/C"), (":authority", "x"),
    ("te", "trailers"), ("content-type", "application/grpc"),
  ]
  private static let answer =
    " :status=200 content-type=application/grpc grpc-accept-encoding=identity"

  private func head(_ name: String, _ value: String?) -> Metadata {
    Self.head.filter { $0.name != name } + (value.map { [(name, $0)] } ?? [])
  }

  /// A machine that has its request's head.
  private func begun(limit: Int = 100) -> ServerCallMachine {
    var machine = ServerCallMachine(limits: CallLimits(messageSize: limit))
    _ = machine.receive(headers: Self.head, isLast: false)
    return machine
  }

  @Test("A unary call: head, message, end; reply, trailers")
  func unary() {
    var machine = ServerCallMachine()
    let head = Self.head + [("grpc-timeout", "250m"), ("x-a", "1"), ("grpc-trace-bin", "zz")]
    #expect(
      described(machine.receive(headers: head, isLast: false))
        == ["begin /a.B/C [\"x-a=1\"] 0.25 seconds"])
    #expect(described(machine.receive(bytes: [0, 0, 0, 0, 2, 7, 8])) == ["message [7, 8]"])
    #expect(described(machine.receiveEnd()) == ["end"])
    #expect(
      described(machine.send([9]))
        == ["headers\(Self.answer)", "data [0, 0, 0, 0, 1]", "data [9]"])
    #expect(described(machine.finish(nil)) == ["finished OK", "trailers grpc-status=0"])
    #expect(machine.finish(nil).isEmpty && machine.deadlinePassed().isEmpty)
    #expect(machine.receiveReset(8).isEmpty && machine.send([1]).isEmpty)
  }

  @Test("An error before any reply is one block of headers")
  func trailersOnly() {
    var machine = begun()
    _ = machine.receiveEnd()
    #expect(
      described(machine.finish(RPCError(.notFound, "no blob: 100 %, sorry\u{e9}")))
        == [
          "finished 5",
          "headers\(Self.answer) grpc-status=5 grpc-message=no blob: 100 %25, sorry%C3%A9 last",
        ])
  }

  @Test(
    "What is not gRPC is answered by HTTP",
    arguments: [
      ("content-type", "application/json", ":status=415 accept=application/grpc"),
      ("content-type", "application/grpc-web", ":status=415 accept=application/grpc"),
      ("content-type", nil, ":status=415 accept=application/grpc"),
      (":method", "GET", ":status=405 allow=POST"),
      (":path", "no-slash", ":status=400"),
    ])
  func notGRPC(_ name: String, _ value: String?, _ answer: String) {
    var machine = ServerCallMachine()
    #expect(
      described(machine.receive(headers: head(name, value), isLast: false))
        == ["finished 3", "headers \(answer) last", "reset 0"])
    #expect(machine.receive(bytes: [0, 0, 0, 0, 0]).isEmpty)
  }

  @Test(
    "gRPC with something wrong gets a status",
    arguments: [
      ("te", nil, 3), ("te", "gzip", 3), ("grpc-encoding", "gzip", 12), ("grpc-timeout", "1", 3),
      ("grpc-timeout", "123456789S", 3), ("grpc-timeout", "-1S", 3), ("grpc-timeout", "S", 3),
    ])
  func wrongHead(_ name: String, _ value: String?, _ code: Int) throws {
    var machine = ServerCallMachine()
    let steps = described(machine.receive(headers: head(name, value), isLast: true))
    #expect(steps.count == 2)
    #expect(steps.first == "finished \(code)")
    #expect(try #require(steps.last).contains("grpc-status=\(code)"))
  }

  @Test(
    "Content types of gRPC with protobuf are taken",
    arguments: ["application/grpc", "application/grpc+proto", "application/grpc; charset=utf-8"])
  func contentTypes(_ type: String) {
    var machine = ServerCallMachine()
    let steps = described(machine.receive(headers: head("content-type", type), isLast: true))
    #expect(steps == ["begin /a.B/C [] -", "end"])
  }

  @Test("Messages are found however their bytes are split", arguments: 1...20)
  func splits(_ size: Int) {
    let messages: [[UInt8]] = [[], [1], Array(0..<90), [], [2, 3]]
    let bytes = messages.flatMap { MessageDeframer.prefix(of: $0) + $0 }
    var machine = begun()
    var found: [[UInt8]] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      let part = Array(bytes[start..<min(start + size, bytes.count)])
      for case .message(let message) in machine.receive(bytes: part) { found.append(message) }
    }
    #expect(found == messages)
    #expect(described(machine.receiveEnd()) == ["end"])
  }

  @Test("A message that is too long is refused at its prefix, one of just the limit taken")
  func limit() throws {
    var machine = begun(limit: 3)
    #expect(described(machine.receive(bytes: [0, 0, 0, 0, 3, 1, 2, 3])) == ["message [1, 2, 3]"])
    let steps = described(machine.receive(bytes: [0, 0xff, 0xff, 0xff, 0xff]))
    #expect(steps.first == "finished 8")
    #expect(steps.last == "reset 0")
    #expect(machine.announcedLength == nil)
  }

  @Test("What a prefix announces is told, and is not reserved")
  func announced() {
    var machine = begun(limit: 1 << 30)
    #expect(machine.announcedLength == nil)
    #expect(machine.receive(bytes: [0, 0x20, 0, 0, 0, 5]).isEmpty)
    #expect(machine.announcedLength == 0x2000_0000)
  }

  @Test("Compressed messages, and messages cut short, are refused")
  func brokenMessages() {
    var compressed = begun()
    #expect(described(compressed.receive(bytes: [1, 0, 0, 0, 0])).first == "finished 13")
    for part in [[0], [0, 0, 0, 0, 2], [0, 0, 0, 0, 2, 1]] as [[UInt8]] {
      var cut = begun()
      #expect(cut.receive(bytes: part).isEmpty)
      #expect(described(cut.receiveEnd()).first == "finished 13")
    }
  }

  @Test("A reset cancels the handler and says nothing to the peer")
  func reset() {
    var machine = begun()
    #expect(described(machine.receiveReset(8)) == ["finished 1"])
    #expect(machine.finish(nil).isEmpty)
  }

  @Test("A deadline that passes amid replies ends them with trailers")
  func deadline() throws {
    var machine = begun()
    _ = machine.send([1])
    let steps = described(machine.deadlinePassed())
    #expect(steps.first == "finished 4")
    #expect(steps[1].hasPrefix("trailers grpc-status=4"))
    #expect(steps.last == "reset 0")
  }
}
