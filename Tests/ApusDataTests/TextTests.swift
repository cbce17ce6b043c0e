// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import DataFixtures
import Testing

@testable import ApusData

struct TextTests {
  @Test("Lines end with LF or CRLF, and with nothing else")
  func lines() throws {
    #expect(try TextLines(parsing: file("a\r\nb\u{85}c\n\nd")).lines == ["a", "b\u{85}c", "", "d"])
    #expect(try TextLines(parsing: file("")).lines == [])
    let found = #expect(throws: DataError.self) {
      try TextLines(parsing: file([97, 10, 0xC3, 10], "t.txt"))
    }
    #expect(found?.message.hasPrefix("t.txt:2: ") == true)
  }

  @Test("Columns must be as many as they should")
  func columns() throws {
    let rows = try TextLines(parsing: file("a\t\tb\nc\td\te\n")).columns(3)
    #expect(rows == [["a", "", "b"], ["c", "d", "e"]])
    let found = #expect(throws: DataError.self) {
      try TextLines(parsing: file("a\tb\na b\n")).columns(2)
    }
    #expect(found?.line == 2)
  }

  @Test("Every place of a stretch is answered with the next character; padding does not count")
  func sequences() {
    let vocabulary = CharacterVocabulary(of: "cabba".unicodeScalars)
    #expect(vocabulary.count == 4)
    #expect(vocabulary.index(of: "b") == 2)
    #expect(vocabulary.index(of: "z") == 0)
    #expect(vocabulary.scalar(at: 3) == "c")
    #expect(vocabulary.scalar(at: 0) == nil)

    var sequences = CharacterSequences(vocabulary: vocabulary, length: 3)
    #expect(sequences.append("abcab") == 2)
    #expect(sequences.append("a") == 0)
    #expect(sequences.append("abca") == 1)
    let table = sequences.table()
    #expect(table.count == 3)
    guard case .tokens(let tokens) = table.inputs,
      case .sequences(let targets, 3, 4) = table.targets
    else { return #expect(Bool(false)) }
    #expect(tokens == [1, 2, 3, 1, 0, 0, 1, 2, 3])
    #expect(targets == [2, 3, 1, 2, -1, -1, 2, 3, 1])
  }
}
