// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusWire

@Suite("Client's call machine")
struct ClientCallMachineTests {
  private static let answer: Metadata = [(":status", "200"), ("content-type", "application/grpc")]

  private func started() -> ClientCallMachine {
    var machine = ClientCallMachine(path: "/a.B/C", authority: "h:1", timeout: .milliseconds(1500))
    _ = machine.start()
    _ = machine.send([5])
    return machine
  }

  private func receive(_ bytes: [UInt8], _ machine: inout ClientCallMachine) -> [String] {
    described(bytes.withUnsafeBytes { machine.receive(data: $0) })
  }

  @Test("The head has what gRPC asks for, and the message its prefix")
  func sending() {
    var machine = ClientCallMachine(
      path: "/a.B/C", authority: "h:1", metadata: [("x-a", "b")], timeout: .milliseconds(1500))
    #expect(
      described(machine.start()) == [
        "headers :method=POST :scheme=https :path=/a.B/C :authority=h:1 te=trailers"
          + " grpc-timeout=1500000u content-type=application/grpc user-agent=grpc-swift-apus x-a=b"
      ])
    #expect(described(machine.send([5])) == ["data [0, 0, 0, 0, 1]", "data [5]"])
    #expect(described(machine.finishSending()) == ["data [] last"])
    #expect(machine.finishSending().isEmpty && machine.send([1]).isEmpty)
  }

  @Test("Replies, then OK")
  func replies() {
    var machine = started()
    _ = machine.finishSending()
    #expect(machine.receive(headers: [(":status", "103")], isLast: false).isEmpty)
    #expect(machine.receive(headers: Self.answer, isLast: false).isEmpty)
    #expect(receive([0, 0, 0, 0, 0, 0, 0], &machine) == ["message []"])
    #expect(receive([0, 0, 2, 1, 2], &machine) == ["message [1, 2]"])
    #expect(
      described(machine.receive(headers: [("grpc-status", "0")], isLast: true)) == ["finished OK"])
    #expect(machine.cancel().isEmpty)
  }

  @Test("A status before the client has sent everything ends its stream too")
  func earlyStatus() {
    var machine = started()
    #expect(
      described(machine.receive(headers: Self.answer + [("grpc-status", "7")], isLast: true))
        == ["finished 7", "reset 8"])
  }

  @Test(
    "HTTP statuses become gRPC's",
    arguments: [
      (400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (502, 14), (503, 14), (504, 14),
      (415, 2), (500, 2),
    ])
  func httpStatus(_ status: Int, _ code: Int) {
    var machine = started()
    _ = machine.finishSending()
    let headers: Metadata = [(":status", "\(status)"), ("content-type", "text/html")]
    #expect(described(machine.receive(headers: headers, isLast: true)) == ["finished \(code)"])
  }

  @Test("An answer that is no gRPC, is compressed, cut short or without a status is an error")
  func wrongAnswers() {
    var html = started()
    #expect(
      described(html.receive(headers: [(":status", "200")], isLast: false)).first == "finished 2")
    var packed = started()
    let gzip = Self.answer + [("grpc-encoding", "gzip")]
    #expect(described(packed.receive(headers: gzip, isLast: false)).first == "finished 13")
    var cut = started()
    _ = cut.receive(headers: Self.answer, isLast: false)
    _ = receive([0, 0], &cut)
    #expect(
      described(cut.receive(headers: [("grpc-status", "0")], isLast: true)).first == "finished 13")
    var silent = started()
    _ = silent.receive(headers: Self.answer, isLast: false)
    #expect(described(silent.receiveEnd()).first == "finished 13")
    var noStatus = started()
    _ = noStatus.receive(headers: Self.answer, isLast: false)
    #expect(described(noStatus.receive(headers: [("x", "y")], isLast: true)).first == "finished 2")
  }

  @Test("Resets become statuses", arguments: [(7, 14), (8, 1), (11, 8), (12, 7), (2, 13), (0, 13)])
  func resets(_ reset: UInt32, _ code: Int) {
    var machine = started()
    #expect(described(machine.receiveReset(reset)) == ["finished \(code)"])
  }

  @Test("Whoever gives up says so to the server")
  func givingUp() {
    var cancelled = started()
    #expect(described(cancelled.cancel()) == ["finished 1", "reset 8"])
    var late = started()
    #expect(described(late.deadlinePassed()) == ["finished 4", "reset 8"])
  }

  @Test("Time-outs are written in at most eight digits and read back")
  func timeouts() {
    for timeout in [
      Duration.nanoseconds(1), .microseconds(99), .milliseconds(100), .seconds(60),
      .seconds(86_400),
      .seconds(1_200_000_000),
    ] {
      let text = GRPCTimeout.format(timeout)
      #expect(text.count <= 9)
      #expect(GRPCTimeout.parse(text) == timeout, "\(text)")
    }
    #expect(GRPCTimeout.format(.zero) == "0n")
    #expect(GRPCTimeout.format(.seconds(-5)) == "0n")
  }

  @Test("A status travels whole: code, any message, reason, delay")
  func status() {
    let error = RPCError(
      .resourceExhausted, "wait\n% a bit, \u{1F600}", reason: "no-room",
      retryAfter: .milliseconds(1_250))
    #expect(RPCError.of(trailers: RPCError.trailers(of: error)) == error)
    #expect(RPCError.of(trailers: RPCError.trailers(of: nil)) == nil)
    let long = RPCError(.internal, String(repeating: "\u{e9}", count: 3_000))
    #expect(RPCError.of(trailers: RPCError.trailers(of: long))?.message.utf8.count == 2_000)
  }

  @Test("Details that are damaged or of another status are left out")
  func damagedDetails() throws {
    let error = RPCError(.aborted, "m", reason: "r")
    let details = try #require(RPCError.trailers(of: error).last?.value)
    let damaged: Metadata = [
      ("grpc-status", "10"), ("grpc-message", "m"), ("grpc-status-details-bin", "*" + details),
    ]
    #expect(RPCError.of(trailers: damaged) == RPCError(.aborted, "m"))
    let foreign: Metadata = [("grpc-status", "9"), ("grpc-status-details-bin", details)]
    #expect(RPCError.of(trailers: foreign) == RPCError(.failedPrecondition, ""))
    let padded = details + String(repeating: "=", count: (4 - details.count % 4) % 4)
    let whole: Metadata = [
      ("grpc-status", "10"), ("grpc-message", "m"), ("grpc-status-details-bin", padded),
    ]
    #expect(RPCError.of(trailers: whole) == error)
  }

  @Test("Base64 is that of RFC 4648, without padding")
  func base64() {
    for (text, encoded) in [
      ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
      ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
    ] {
      #expect(Base64.encode(Array(text.utf8)) == encoded)
      #expect(Base64.decode(encoded) == Array(text.utf8))
    }
    #expect(Base64.decode("Zm9v=Zg") == nil)
    #expect(Base64.decode("A") == nil)
    #expect(Base64.encode([0xfb, 0xff, 0xbf]) == "+/+/")
  }
}
