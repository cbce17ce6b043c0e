// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCommands
import Foundation
import Testing

@Suite struct JSONTextTests {
  private static let value = JSONText.members([
    "text": .text("a \"quoted\" \\ line\n\u{1}\té🐦"), "whole": .integer(-7), "none": nil,
    "large": .unsigned(.max), "half": .number(0.5), "three": .number(3), "tiny": .number(1e-300),
    "list": .array([.boolean(true), .null]), "nothing": .array([]),
  ])

  @Test("What is written is read back, on one line and on several", arguments: [true, false])
  func isJSON(isPretty: Bool) throws {
    let text = isPretty ? Self.value.pretty : Self.value.line
    #expect(text.contains("\n") == isPretty)
    let read = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(read.count == 8)
    #expect(read["text"] as? String == "a \"quoted\" \\ line\n\u{1}\té🐦")
    #expect(read["whole"] as? Int == -7)
    #expect(read["large"] as? UInt64 == .max)
    #expect(read["half"] as? Double == 0.5 && read["tiny"] as? Double == 1e-300)
    #expect(read["three"] as? Int == 3)
    #expect((read["list"] as? [Any])?.count == 2 && (read["nothing"] as? [Any])?.isEmpty == true)
  }

  @Test("Keys are in order, and what JSON has no number for is a text")
  func form() {
    let value = JSONText.object(["b": .number(.infinity), "a": .number(.nan)])
    #expect(value.line == "{\"a\":\"NaN\",\"b\":\"Infinity\"}")
    #expect(value.pretty == "{\n  \"a\" : \"NaN\",\n  \"b\" : \"Infinity\"\n}")
  }
}
