// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusNumerics

struct SafetensorsTests {
  static var layout: ParameterLayout {
    var layout = ParameterLayout()
    layout.append("conv \"1\"\n.weight", [2, 3])
    layout.append("ü.bias", [3])
    layout.append("empty", [0, 4])
    layout.append("scale", [])
    return layout
  }

  static var parameters: ParameterVector {
    ParameterVector((0..<10).map { Float($0) / 7 })
  }

  @Test("What is written is read back, from memory and from a file")
  func roundTrip() throws {
    let metadata = ["format": "pt", "a \"quote\"": "\\ \u{1} 🐦"]
    let bytes = Safetensors.encode(Self.parameters, layout: Self.layout, metadata: metadata)
    let directory = try TemporaryDirectory()
    let path = directory.path("model.safetensors")
    try Safetensors.write(Self.parameters, layout: Self.layout, metadata: metadata, to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(bytes))
    for file in [try Safetensors(bytes: bytes), try Safetensors(contentsOf: path)] {
      #expect(file.metadata == metadata)
      #expect(try file.parameters(in: Self.layout) == Self.parameters)
      #expect(try file.values(of: "ü.bias") == ParameterVector([6.0 / 7, 1, 8.0 / 7]))
      #expect(file["empty"]?.shape == [0, 4])
    }
  }

  @Test("An array of more than one piece is read whole")
  func large() throws {
    var layout = ParameterLayout()
    layout.append("a", [3])
    layout.append("b", [200_001])
    let x = ParameterVector((0..<layout.count).map { Float($0) })
    let directory = try TemporaryDirectory()
    try Safetensors.write(x, layout: layout, to: directory.path("m"))
    #expect(try Safetensors(contentsOf: directory.path("m")).parameters(in: layout) == x)
  }

  @Test("Files of the reference library are read")
  func golden() throws {
    let file = try Safetensors(contentsOf: goldenURL("parameters.safetensors").path)
    #expect(file.metadata == ["format": "pt", "quote": "a \"b\" \\ \n ü 🐦"])
    #expect(file["dense.weight"]?.shape == [2, 3])
    #expect(
      try file.values(of: "dense.weight") == ParameterVector((0..<6).map { Float($0) / 3 }))
    let bias = try file.values(of: "dense.bias")
    #expect(bias == ParameterVector([0, .leastNonzeroMagnitude, .greatestFiniteMagnitude]))
    #expect(bias[0].sign == .minus)
    #expect(try file.values(of: "scale") == ParameterVector([2.5]))
    #expect(try file.values(of: "none").count == 0)
  }

  @Test("Numbers of 16 bits are widened; others are described but refused")
  func halves() throws {
    let file = try Safetensors(contentsOf: goldenURL("halves.safetensors").path)
    #expect(
      try file.values(of: "half")
        == ParameterVector([0, -1.5, 65504, 5.960464477539063e-08, .infinity, 0.0999755859375]))
    #expect(
      try file.values(of: "brain")
        == ParameterVector([0, -1.5, 65536, 6.007030606269836e-08, .infinity, 0.10009765625]))
    #expect(file["long"]?.element == .int64)
    #expect(file["flags"]?.range.count == 3)
    for name in ["long", "double", "flags"] {
      let error = #expect(throws: NumericsError.self) { try file.values(of: name) }
      #expect(error?.code == .unsupported)
    }
  }

  @Test("A file that does not fit the layout says which array does not")
  func misfits() throws {
    let file = try Safetensors(
      bytes: Safetensors.encode(Self.parameters, layout: Self.layout))
    func expectMisfit(naming name: String, _ change: (inout ParameterLayout) -> Void) {
      var layout = ParameterLayout()
      change(&layout)
      let error = #expect(throws: NumericsError.self) { try file.parameters(in: layout) }
      #expect(error?.code == .layoutMismatch)
      #expect(error?.message.contains(name) == true)
    }
    expectMisfit(naming: "\"other\"") { $0.append("other", [1]) }
    expectMisfit(naming: "2×3") { $0.append("conv \"1\"\n.weight", [3, 2]) }
    expectMisfit(naming: "the model has no") { $0.append("scale", []) }
  }

  static let python = ProcessInfo.processInfo.environment["APUS_PYTHON"]

  @Test(
    "The reference library reads what is written",
    .enabled(if: python != nil, "set APUS_PYTHON to a Python that has safetensors and numpy"))
  func referenceReads() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("model.safetensors")
    try Safetensors.write(
      Self.parameters, layout: Self.layout, metadata: ["by": "ü \"🐦\"\n"], to: path)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.python))
    process.arguments = [
      "-c",
      """
      import sys, numpy
      from safetensors import safe_open
      with safe_open(sys.argv[1], "numpy") as f:
          assert f.metadata() == {"by": 'ü "🐦"\\n'}, f.metadata()
          parts = {n: f.get_tensor(n) for n in f.keys()}
      names = ['conv "1"\\n.weight', "ü.bias", "empty", "scale"]
      assert set(parts) == set(names), parts.keys()
      assert [parts[n].shape for n in names] == [(2, 3), (3,), (0, 4), ()]
      x = numpy.concatenate([parts[n].reshape(-1) for n in names])
      assert (x == (numpy.arange(10) / numpy.float32(7)).astype(numpy.float32)).all(), x
      """, path,
    ]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}

struct SafetensorsRefusalTests {
  private func file(_ header: String, data: Int = 0) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8)
      + [UInt8](repeating: 0, count: data)
  }

  @Test(
    "A header that is wrong is an error that says how",
    arguments: [
      ("", 0, "begin with {"), (" {}", 0, "begin with {"), ("{", 0, "expected"),
      ("{}x", 0, "the end"), ("{}", 1, "0 bytes of numbers, and 1 follow"),
      ("[]", 0, "begin with {"),
      (#"{"a":1}"#, 0, "expected {"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "4 bytes of numbers"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "shape needs 8"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "instead of 0"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "rising"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, 4, "rising"),
      (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "data_offsets"),
      (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, 4, "needs dtype"),
      (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "a whole number"),
      (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "expected ]"),
      (#"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, 4, "a whole number"),
      (
        #"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}"#, 4,
        "below 2^63"
      ),
      (
        #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0,
        "too large"
      ),
      (
        #"{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#, 0, "too large"
      ),
      (#"{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}"#, 4, "F33"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, "\"x\" too many"),
      (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "too many"),
      (
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
          + #""a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2, "twice"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
          + #""b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3, "instead of 2"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
          + #""b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#, 3, "instead of 1"
      ),
      (#"{"__metadata__":{"a":"b","a":"c"}}"#, 0, "twice"),
      (#"{"__metadata__":{"a":1}}"#, 0, "expected \""),
      (#"{"__metadata__":{},"__metadata__":{}}"#, 0, "twice"), (#"{"a"#, 0, "the end of a text"),
      (#"{"\q":{}}"#, 0, "escape"), (#"{"\ud800":{}}"#, 0, "surrogates"),
      (#"{"\u12"#, 0, "hexadecimal"), ("{\"\n\":{}}", 0, "control"), (#"{"a":{},}"#, 0, "needs"),
    ])
  func refuses(header: String, data: Int, problem: String) {
    let error = #expect(throws: NumericsError.self) {
      try Safetensors(bytes: file(header, data: data))
    }
    #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
    #expect(error?.message.hasPrefix("safetensors in memory: ") == true)
  }

  @Test("Lengths beyond the file or the limit are refused before anything is allocated")
  func lengths() {
    for length in [3, 100_000_001, UInt64(Int.max), .max] {
      let bytes = withUnsafeBytes(of: length.littleEndian, Array.init) + [0x7B, 0x7D]
      let error = #expect(throws: NumericsError.self) { try Safetensors(bytes: bytes) }
      #expect(error?.code == .malformed)
    }
    #expect(throws: NumericsError.self) { try Safetensors(bytes: [2, 0, 0, 0, 0, 0, 0]) }
    let error = #expect(throws: NumericsError.self) { try Safetensors(bytes: []) }
    #expect(error?.message.contains("0 bytes are too few") == true)
  }

  @Test("Text that is not UTF-8 is refused")
  func invalidText() {
    var bytes = file(#"{"a":{}}"#)
    bytes[10] = 0xFF
    #expect(throws: NumericsError.self) { try Safetensors(bytes: bytes) }
  }

  @Test("White space, padding, escapes and any order of keys are accepted")
  func accepts() throws {
    let header =
      "{ \"\\u0061\\ud83d\\ude00\\/\" : {\t\"shape\":[ 1 ,1 ],\n\"data_offsets\":[0, 2],\r"
      + "\"dtype\":\"BF16\" } }   "
    let parsed = try Safetensors(bytes: file(header, data: 2))
    #expect(parsed.tensors.map(\.name) == ["a😀/"])
    #expect(try parsed.values(of: "a😀/") == ParameterVector([0]))
    #expect(try Safetensors(bytes: file("{}")).tensors.isEmpty)
  }

  @Test("No damage to a byte of the header, and no truncation, traps")
  func damage() throws {
    let bytes = Safetensors.encode(
      SafetensorsTests.parameters, layout: SafetensorsTests.layout, metadata: ["a": "b"])
    for length in 0..<bytes.count {
      #expect(throws: NumericsError.self) { try Safetensors(bytes: Array(bytes[..<length])) }
    }
    var random = RandomStream(seed: 9)
    for _ in 0..<3000 {
      var damaged = bytes
      for _ in 0...random.below(3) {
        damaged[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      if let file = try? Safetensors(bytes: damaged) {
        _ = try? file.parameters(in: SafetensorsTests.layout)
      }
    }
  }

  @Test("What is no file, or not there, is an error that names it")
  func missing() throws {
    let directory = try TemporaryDirectory()
    for path in [directory.root, directory.path("none")] {
      let error = #expect(throws: NumericsError.self) { try Safetensors(contentsOf: path) }
      #expect(error?.code == .fileSystem)
      #expect(error?.message.contains(path) == true)
    }
  }
}
