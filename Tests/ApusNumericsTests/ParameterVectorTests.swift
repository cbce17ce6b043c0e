// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusNumerics

struct ParameterVectorTests {
  @Test("Copies share memory until one is written to, and then differ")
  func copyOnWrite() {
    let a = ParameterVector([1, 2, 3])
    func base(_ x: ParameterVector) -> UnsafePointer<Float>? {
      x.withUnsafeBufferPointer(\.baseAddress)
    }
    func check(_ write: (inout ParameterVector) -> Void) {
      var b = a
      #expect(base(b) == base(a))
      write(&b)
      #expect(base(b) != base(a))
      #expect(a == ParameterVector([1, 2, 3]))
      #expect(b != a)
      let own = base(b)
      write(&b)
      #expect(base(b) == own)
    }
    check { $0[1] = 9 }
    check { $0.update { x in x + 1 } }
    check { x in x.update(with: a) { x, a in x + a } }
    check { $0.withUnsafeMutableBufferPointer { $0[0] -= 5 } }
  }

  @Test("Memory begins on a cache line", arguments: [0, 1, 15, 1000])
  func alignment(count: Int) {
    for _ in 0..<5 {
      var x = ParameterVector(count: count)
      let y = x
      x.update { $0 + 1 }
      for vector in [x, y] {
        vector.withUnsafeBufferPointer { values in
          #expect(values.count == count)
          #expect(UInt(bitPattern: values.baseAddress) % 64 == 0)
        }
      }
    }
  }

  @Test("Updates apply their formula to corresponding elements", arguments: [0, 1, 16, 37])
  func updates(count: Int) {
    let range = (0..<count).map(Float.init)
    var x = ParameterVector(range)
    let (a, b, c) = (
      ParameterVector(range.map { $0 + 1 }), ParameterVector(range.map { 2 * $0 }),
      ParameterVector(repeating: 3, count: count)
    )
    x.update { x in x * x }
    #expect(x == ParameterVector(range.map { $0 * $0 }))
    x.update(with: a) { x, a in x - a }
    #expect(x == ParameterVector(range.map { $0 * $0 - $0 - 1 }))
    x.update(with: a, b) { x, a, b in x + a - b }
    #expect(x == ParameterVector(range.map { $0 * $0 - 2 * $0 }))
    x.update(with: a, b, c) { x, a, b, c in x + b + c * a }
    #expect(x == ParameterVector(range.map { $0 * $0 + 3 * ($0 + 1) }))
  }

  @Test("A vector can be updated with itself")
  func selfUpdate() {
    var x = ParameterVector([1, 2, 3])
    x.update(with: x) { x, y in x + 10 * y }
    #expect(x == ParameterVector([11, 22, 33]))
  }

  @Test("The squared norm is that of a sum in Double", arguments: [0, 1, 31, 32, 33, 1000])
  func squaredNorm(count: Int) {
    var random = RandomStream(seed: 6)
    let values = (0..<count).map { _ in random.uniform(in: -1e3..<1e3) }
    let expected = values.reduce(0.0) { $0 + Double($1) * Double($1) }
    let found = ParameterVector(values).squaredNorm()
    #expect(abs(found - expected) <= 1e-13 * expected)
    // Squares that Float32 cannot hold.
    #expect(ParameterVector([.greatestFiniteMagnitude]).squaredNorm().isFinite)
  }

  @Test("What is not finite is found wherever it is")
  func isFinite() {
    var x = ParameterVector(repeating: .greatestFiniteMagnitude, count: 70)
    #expect(x.isFinite)
    #expect(ParameterVector(count: 0).isFinite)
    for position in [0, 15, 63, 69] {
      for bad in [Float.nan, -.nan, .infinity, -.infinity] {
        let before = x[position]
        x[position] = bad
        #expect(!x.isFinite)
        x[position] = before
      }
    }
    #expect(x.isFinite)
  }

  @Test("Equality is that of the numbers")
  func equality() {
    #expect(ParameterVector([0, 1]) == ParameterVector([-0.0, 1]))
    #expect(ParameterVector([0, 1]) != ParameterVector([0, 1, 0]))
    #expect(ParameterVector([.nan]) != ParameterVector([.nan]))
    #expect(ParameterVector(vectors: ParameterVector([4]).vectors) == ParameterVector([4]))
  }

  @Test("A vector is shown by its first numbers")
  func description() {
    #expect(ParameterVector([1, 2]).description == "2 numbers: 1.0, 2.0")
    #expect(ParameterVector(count: 9).description == "9 numbers: 0.0, 0.0, 0.0, 0.0, …")
  }

  @Test("An index beyond the end is the caller's mistake")
  func traps() async {
    await #expect(processExitsWith: .failure) { _ = ParameterVector(count: 2)[2] }
    await #expect(processExitsWith: .failure) {
      var x = ParameterVector(count: 2)
      x.update(with: ParameterVector(count: 3)) { x, _ in x }
    }
  }
}
