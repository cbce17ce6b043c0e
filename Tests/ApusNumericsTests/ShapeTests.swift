// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusNumerics

struct ShapeTests {
  @Test("Counts are products of extents, and a scalar has one element")
  func counts() {
    #expect(Shape([]).count == 1)
    #expect(([28, 28, 3] as Shape).count == 2352)
    #expect(([4, 0] as Shape).checkedCount == 0)
    #expect(([28, 28, 3] as Shape).checkedCount == 2352)
    #expect(Shape([-1, 3]).checkedCount == nil)
    #expect(Shape([.max, 2]).checkedCount == nil)
    #expect(Shape([.max, 1]).checkedCount == .max)
  }

  @Test("Axes count from either end")
  func axes() {
    let shape: Shape = [5, 6, 7]
    #expect(shape.rank == 3)
    #expect(shape[0] == 5 && shape[2] == 7 && shape[-1] == 7 && shape[-3] == 5)
  }

  @Test("A shape is written as its extents")
  func coding() throws {
    let shape: Shape = [2, 3]
    let text = try JSONEncoder().encode(shape)
    #expect(String(decoding: text, as: UTF8.self) == "[2,3]")
    #expect(try JSONDecoder().decode(Shape.self, from: text) == shape)
    for impossible in ["[-1]", "[9223372036854775807,2]", "[1.5]", "3"] {
      #expect(throws: (any Error).self) {
        try JSONDecoder().decode(Shape.self, from: Data(impossible.utf8))
      }
    }
    #expect(shape.description == "2×3")
    #expect(Shape([]).description == "scalar")
  }
}

struct ParameterLayoutTests {
  @Test("Arrays follow each other without gaps")
  func ranges() {
    var layout = ParameterLayout()
    #expect(layout.count == 0)
    layout.append("conv.weight", [5, 5, 1, 32])
    layout.append("none", [0])
    layout.append("scale", [])
    layout.append("conv.bias", [32])
    #expect(layout.entries.map(\.range) == [0..<800, 800..<800, 800..<801, 801..<833])
    #expect(layout.count == 833)
    #expect(layout["conv.bias"]?.offset == 801)
    #expect(layout["other"] == nil)
    #expect(layout.description.hasPrefix("conv.weight  5×5×1×32  0..<800\n"))
  }

  @Test("A layout is written and read back the same")
  func coding() throws {
    var layout = ParameterLayout()
    layout.append("a", [2, 3])
    layout.append("b", [])
    let text = try JSONEncoder().encode(layout)
    #expect(try JSONDecoder().decode(ParameterLayout.self, from: text) == layout)
    #expect(try JSONDecoder().decode(ParameterLayout.self, from: Data("[]".utf8)).count == 0)
  }

  @Test(
    "A layout that cannot be is refused when it is read",
    arguments: [
      #"[{"name":"a","shape":[1]},{"name":"a","shape":[1]}]"#,
      #"[{"name":"a","shape":[9223372036854775807]},{"name":"b","shape":[1]}]"#,
      #"[{"name":"a","shape":[-1]}]"#, #"[{"name":"a"}]"#, #"[{"shape":[1]}]"#,
    ])
  func refuses(text: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ParameterLayout.self, from: Data(text.utf8))
    }
  }

  @Test("Two arrays of one name are the caller's mistake")
  func duplicates() async {
    await #expect(processExitsWith: .failure) {
      var layout = ParameterLayout()
      layout.append("a", [1])
      layout.append("a", [1])
    }
  }
}
