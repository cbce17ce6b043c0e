// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import DataFixtures
import Testing

@testable import ApusData

struct LEAFTests {
  let text = """
    {"users": ["ann", "b\\u00f6b"], "num_samples": [2, 1],
     "hierarchies": [["x", {"y": [null, true, false, 1.5e-3]}], []],
     "user_data": {
       "ann": {"x": [[0.5, 1], [-2, 3e2]], "y": [1, 0]},
       "böb": {"y": [2], "x": [[4, 5]]}}}
    """

  func error(_ text: String) -> DataError? {
    #expect(throws: DataError.self) { try LEAFData(parsing: [file(text, "all.json")]) }
  }

  @Test("Users, inputs and targets are read, and keep their owners")
  func reads() throws {
    let data = try LEAFData(parsing: [file(text)])
    #expect(data.users == ["ann", "böb"])
    #expect(data.owners == [0, 0, 1])
    let table = try data.table(classCount: 3)
    #expect(table.labels == [1, 0, 2])
    #expect(table.inputShape == [2])
    guard case .numbers([0.5, 1, -2, 300, 4, 5]) = table.inputs else {
      return #expect(Bool(false))
    }
    #expect(try data.table(inputShape: [1, 2, 1], classCount: 3).inputShape == [1, 2, 1])
    guard case .values([1, 0, 2], [1]) = try data.table(classCount: nil).targets else {
      return #expect(Bool(false))
    }
  }

  @Test("Several files are one set, and a user may be in two of them")
  func files() throws {
    let second = #"{"users":["ann"],"num_samples":[1],"user_data":{"ann":{"x":[[7,8]],"y":[1]}}}"#
    let data = try LEAFData(parsing: [file(text), file(second)])
    #expect(data.users.count == 2)
    #expect(data.owners == [0, 0, 1, 0])
  }

  @Test("Shapes and classes that do not fit are errors")
  func misfits() throws {
    let data = try LEAFData(parsing: [file(text)])
    let shape = #expect(throws: DataError.self) { try data.table(inputShape: [3], classCount: 3) }
    #expect(shape?.code == .countMismatch)
    let classes = #expect(throws: DataError.self) { try data.table(classCount: 2) }
    #expect(classes?.code == .unknownCategory)
  }

  @Test("What is wrong is said with its line")
  func lines() {
    let cut = error(String(text.dropLast(2)))
    #expect(cut?.line == 5)
    #expect(cut?.message.hasPrefix("all.json:5: ") == true)
    #expect(error(text.replacing("[-2, 3e2]", with: "[-2, 3e2, 1]"))?.line == 4)
    #expect(error(text.replacing("300", with: "1e300").replacing("3e2", with: "1e300"))?.line == 4)
    #expect(error(text.replacing("[4, 5]", with: "\"to be or not\""))?.code == .unsupported)
  }

  @Test("Counts that disagree are errors")
  func counts() {
    #expect(error(text.replacing("[2, 1]", with: "[2, 2]"))?.code == .countMismatch)
    #expect(error(text.replacing("[2, 1]", with: "[2]"))?.code == .countMismatch)
    #expect(
      error(text.replacing(#"["ann", "b\u00f6b"]"#, with: #"["ann"]"#))?.code == .countMismatch)
    #expect(error(text.replacing(#""y": [2]"#, with: #""y": [2, 2]"#))?.code == .countMismatch)
  }

  @Test(
    "JSON that is none is an error",
    arguments: [
      "", "{", "[]", "{\"users\"", "{\"users\": [1]}", "{\"a\": tru}", "{\"a\": \"\\ud800\"}",
      "{\"a\": \"\\u+123\"}", "{\"a\": 1,}", "{\"a\": 1} 2", "{\"a\": \"\n\"}", "{\"a\": --1}",
    ])
  func malformed(text: String) {
    #expect(error(text)?.code == .malformed)
  }

  @Test("Arrays within arrays within arrays end with an error before the stack does")
  func deep() {
    let deep = "{\"a\": " + String(repeating: "[", count: 1_000_00)
    #expect(error(deep)?.message.contains("within each other") == true)
  }
}
