// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import Testing

@testable import ApusSimulation

@Suite struct RecipeJSON5Tests {
  private func value(_ text: String) throws -> JSON5Node.Value {
    var parser = JSON5Parser(text)
    return try parser.parse().value
  }

  @Test(
    "Numbers of every JSON5 form are numbers",
    arguments: [
      ("0", 0.0), ("-0.5", -0.5), (".5", 0.5), ("5.", 5), ("-.5e1", -5), ("5.e-1", 0.5),
      ("+1", 1), ("1E3", 1000), ("0xFF", 255), ("Infinity", .infinity), ("-Infinity", -.infinity),
    ])
  func readsNumbers(text: String, number: Double) throws {
    var parser = JSON5Parser(text)
    let field = RecipeField(node: try parser.parse(), path: [], file: "")
    #expect(try field.number() == number)
  }

  @Test(
    "What only looks like a number is refused",
    arguments: ["1.2.3", "--1", "0x", "1e", "1e+", ".", "+", "012", "0xG", "1_000", "12abc"])
  func refusesNumbers(text: String) {
    #expect(throws: JSON5Parser.Failure.self) { try value(text) }
  }

  @Test(
    "Escapes and joined lines in strings are read",
    arguments: [
      (#""a\nb""#, "a\nb"), (#"'it\'s'"#, "it's"), (#""\x41\u0042""#, "AB"),
      (#""\uD83D\uDE00""#, "😀"), ("'a\\\r\nb'", "ab"), ("'a\\\nb'", "ab"), (#""\q""#, "q"),
    ])
  func readsStrings(text: String, string: String) throws {
    guard case .string(let read) = try value(text) else {
      Issue.record("no string")
      return
    }
    #expect(read == string)
  }

  @Test(
    "Broken strings are refused",
    arguments: ["\"a", "'a\nb'", #""\uD83D""#, #""\u12""#, #""\1""#, #""\xZZ""#, "'\\"])
  func refusesStrings(text: String) {
    #expect(throws: JSON5Parser.Failure.self) { try value(text) }
  }

  @Test("Keys, comments and every kind of line end keep their lines")
  func countsLines() throws {
    var parser = JSON5Parser(
      "/* 1\n2 */ {\r\n// 3: { [\r a$_1: [1,\n 2,], \\u0062é: '\\\n'\n, c: 1}")
    let root = try parser.parse()
    #expect(root.origin == .line(2))
    #expect(root["a$_1"]?.origin == .line(4))
    #expect(root["bé"]?.origin == .line(5))
    #expect(root["c"]?.origin == .line(7))
  }

  @Test("The nearest word is found for swaps, letters too many and beginnings, and no other")
  func spells() {
    let words = ["simulate", "sweep", "report", "reproduce", "data list"]
    #expect(Spelling.nearest(to: "simluate", among: words) == "simulate")
    #expect(Spelling.nearest(to: "sweeep", among: words) == "sweep")
    #expect(Spelling.nearest(to: "sim", among: words) == "simulate")
    #expect(Spelling.nearest(to: "REPORT", among: words) == "report")
    #expect(Spelling.nearest(to: "serve", among: words) == nil)
    #expect(Spelling.distance(from: Array("kitten"), to: Array("sitting")) == 3)
  }
}
