// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Testing

@testable import ApusWire

@Suite("Number formats")
struct NumberFormatTests {
  private func encoded(_ numbers: [Float], _ format: NumberFormat) -> [UInt8] {
    VectorCodec(format).encode(ParameterVector(numbers))
  }

  private func halves(_ numbers: [Float], _ format: NumberFormat) -> [UInt16] {
    let bytes = encoded(numbers, format)
    return stride(from: 0, to: bytes.count, by: 2).map {
      UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
    }
  }

  /// Numbers of every exponent, and those next to where rounding changes.
  private var samples: [Float] {
    var stream = RandomStream(seed: 5)
    let random = (0..<20_000).map { _ in
      Float(bitPattern: UInt32(truncatingIfNeeded: stream.next()))
    }
    let edges: [Float] = [
      0, -0.0, 1, 65_504, 65_519.996, 65_520, 65_536, -65_520, 0x1p-14, 0x1p-15, 0x1p-24, 0x1p-25,
      0x1.8p-25, 0x1.ffep-15, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity,
      -.infinity,
      1.00048828125, 1.0014648, 0x1.01p0, 0x1.03p0, 0x1.0101p0,
    ]
    return edges + random.filter { !$0.isNaN }
  }

  @Test("float16 is what the standard library rounds to")
  func float16() {
    let samples = samples
    #expect(halves(samples, .float16) == samples.map { Float16($0).bitPattern })
  }

  @Test("Every float16 is read as the number that it is")
  func everyFloat16() throws {
    let all = (0...UInt16.max).map { $0 }
    let bytes = all.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    let vector = try VectorCodec(.float16).decode(bytes, count: all.count)
    for half in all {
      let (found, expected) = (vector[Int(half)], Float(Float16(bitPattern: half)))
      if !(found.isNaN && expected.isNaN), found.bitPattern != expected.bitPattern {
        Issue.record("\(half): \(found) instead of \(expected)")
      }
    }
  }

  @Test("bfloat16 is the nearest one, of two the even one")
  func bfloat16() {
    for number in samples where number.isFinite {
      let half = halves([number], .bfloat16)[0]
      let found = Double(Float(bitPattern: UInt32(half) << 16))
      let lower = Float(bitPattern: number.bitPattern & 0xffff_0000)
      let upper = Float(bitPattern: (number.bitPattern & 0xffff_0000) &+ 0x1_0000)
      guard upper.isFinite else { continue }
      let (below, above) = (
        abs(Double(number) - Double(lower)), abs(Double(number) - Double(upper))
      )
      let best = below < above ? lower : above < below ? upper : half & 1 == 0 ? Float(found) : .nan
      if found != Double(best) { Issue.record("\(number): \(found) instead of \(best)") }
    }
    #expect(halves([1, 0x1.01p0, 0x1.03p0, -2], .bfloat16) == [0x3f80, 0x3f80, 0x3f82, 0xc000])
  }

  @Test("What is no number stays none", arguments: NumberFormat.allCases)
  func notANumber(_ format: NumberFormat) throws {
    let odd = [Float.nan, .signalingNaN, Float(bitPattern: 0x7f80_0001), -.nan, .infinity]
    let vector = try VectorCodec(format).decode(encoded(odd, format), count: odd.count)
    #expect((0..<4).allSatisfy { vector[$0].isNaN })
    #expect(vector[4] == .infinity)
  }

  @Test("float32 is the bits themselves")
  func float32() throws {
    #expect(encoded([1.5, -0.0], .float32) == [0, 0, 0xc0, 0x3f, 0, 0, 0, 0x80])
    let vector = ParameterVector(samples)
    let bytes = VectorCodec(.float32).encode(vector)
    #expect(try VectorCodec(.float32).decode(bytes, count: vector.count) == vector)
  }

  @Test("Parts of a vector's bytes are the bytes of the whole", arguments: NumberFormat.allCases)
  func parts(_ format: NumberFormat) {
    let vector = ParameterVector((0..<1_001).map { Float($0) / 7 })
    let codec = VectorCodec(format)
    let whole = codec.encode(vector)
    var parts: [UInt8] = []
    for start in stride(from: 0, to: whole.count, by: 128) {
      let range = start..<min(start + 128, whole.count)
      var part = [UInt8](repeating: 0, count: range.count)
      part.withUnsafeMutableBytes { codec.encode(vector, bytes: range, into: $0) }
      parts += part
    }
    #expect(parts == whole)
  }

  @Test("A part of a tensor is read wherever it lies", arguments: NumberFormat.allCases)
  func unaligned(_ format: NumberFormat) {
    let numbers: [Float] = (0..<50).map { Float($0) / 4 }
    let shifted = [0] + encoded(numbers, format)
    var part = [Float](repeating: 0, count: 11)
    shifted.withUnsafeBytes { bytes in
      format.decode(.init(rebasing: bytes[1...]), range: 30..<41, into: &part)
    }
    #expect(part == Array(numbers[30..<41]))
  }

  @Test("Bytes of another length are refused")
  func wrongLength() {
    for (bytes, count) in [(3, 1), (5, 1), (4, -1), (4, .max), (0, 1)] {
      #expect(throws: WireError.self) {
        try VectorCodec(.float32).decode([UInt8](repeating: 0, count: bytes), count: count)
      }
    }
  }

  @Test("A layout's digest is that of its names and extents, and its index covers the vector")
  func layout() throws {
    var layout = ParameterLayout()
    layout.append("hidden.weight", [3, 4])
    layout.append("scale", [])
    let text = Array("hidden.weight:3,4;scale:;".utf8)
    #expect(
      SHA256.hexadecimal(layout.digest) == text.withUnsafeBytes { SHA256.hexDigest(of: $0) })
    let tensors = layout.tensors(as: .float16)
    #expect(tensors.map(\.offset) == [0, 24])
    #expect(tensors.map(\.length) == [24, 2])
    #expect(tensors.map(\.shape) == [[3, 4], []])
    #expect(tensors.map(\.type) == [.float16, .float16])
  }
}
