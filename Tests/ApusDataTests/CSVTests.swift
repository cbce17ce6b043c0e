// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import DataFixtures
import Testing

@testable import ApusData

struct CSVTests {
  var schema = CSVSchema([
    .init("age", .number), .init("job", .category), .init("rich", .targetClass(nil)),
  ])

  func numbers(_ table: ExampleTable) -> [Float] {
    if case .numbers(let numbers) = table.inputs { numbers } else { [] }
  }

  func records(_ text: String, _ schema: CSVSchema? = nil) throws -> CSVRecords {
    try CSVRecords(parsing: file(text, "p.csv"), as: schema ?? self.schema)
  }

  func error(_ text: String, _ schema: CSVSchema? = nil) -> DataError? {
    #expect(throws: DataError.self) { try records(text, schema) }
  }

  @Test("Numbers are standardized and words one-hot, by the training rows alone")
  func encoding() throws {
    let train = try records("10,smith,no\n20,baker,yes\n30,smith,no\n")
    let encoding = try TabularEncoding(fitting: train)
    #expect(encoding.featureNames == ["age", "job=baker", "job=smith"])
    #expect(encoding.classNames == ["no", "yes"])
    let test = try encoding.table(of: records("40,baker,yes"))
    // mean 20, population deviation √(200/3)
    let deviation = (200.0 / 3).squareRoot()
    #expect(abs(Double(numbers(test)[0]) - 20 / deviation) < 1e-6)
    #expect(Array(numbers(test).dropFirst()) == [1, 0])
    #expect(test.labels == [1])
    #expect(try encoding.table(of: train).labels == [0, 1, 0])
  }

  @Test("A column whose numbers are all alike becomes zeros, not infinities")
  func constantColumn() throws {
    let train = try records("7,a,x\n7,b,y\n")
    #expect(numbers(try TabularEncoding(fitting: train).table(of: train)) == [0, 1, 0, 0, 0, 1])
  }

  @Test("Quotes hold separators, line ends and quotes; CRLF, blanks and empty lines do not count")
  func quoting() throws {
    let text = "\u{FEFF}1, \"a,\"\"b\"\"\nc\" ,x\r\n\r\n  2 ,d e ,y\r\n \n3,,z"
    let words = try #require(records(text).words(of: "job"))
    #expect(words.words == ["a,\"b\"\nc", "d e", ""])
    #expect(try records(text).count == 3)
  }

  @Test("A header must have the schema's names")
  func header() throws {
    var schema = schema
    schema.hasHeader = true
    #expect(try records("age,job,rich\n1,a,x\n", schema).count == 1)
    #expect(error("age,work,rich\n1,a,x\n", schema)?.line == 1)
    #expect(error("", schema)?.code == .malformed)
  }

  @Test("Comments are no rows, but count as lines")
  func comments() throws {
    var schema = schema
    schema.commentPrefixes = ["|", "@"]
    #expect(try records("|x\n@y\n1,a,b\n@z", schema).count == 1)
    #expect(error("|x\n\n1,a\n", schema)?.line == 3)
  }

  @Test(
    "What is wrong in a row is said with its line",
    arguments: [
      ("1,a,x\n2,b\n", 2, "has 2 fields; expected 3"), ("1,a,x,\n", 1, "has 4 fields"),
      ("1,a,x\nold,b,y\n", 2, "\"old\"; expected a number"), ("nan,b,y\n", 1, "a number"),
      ("0x10,b,y\n", 1, "a number"), ("1e99,b,y\n", 1, "a number"),
      ("1,\"a\nb\",x\n\n?,a,x\n", 4, "no value"), ("1,a,x\n2,\"b,x\n3,c,y\n", 2, "never closed"),
      ("1,\"a\"b,x\n", 1, "follows a closing quote"),
    ])
  func errors(text: String, line: Int, what: String) {
    let found = error(text)
    #expect(found?.line == line)
    #expect(found?.message.hasPrefix("p.csv:\(line): ") == true)
    #expect(found?.message.contains(what) == true)
  }

  @Test("Bytes that are not UTF-8 are an error")
  func notText() {
    let bytes: [UInt8] = Array("1,".utf8) + [0xFF, 0xFE] + Array(",x\n".utf8)
    let found = #expect(throws: DataError.self) {
      try CSVRecords(parsing: file(bytes), as: schema)
    }
    #expect(found?.line == 1)
  }

  @Test("A missing number is an error, or the mean of the training rows")
  func missingNumbers() throws {
    var schema = schema
    schema.missingNumbers = .mean
    schema.isStandardized = false
    let train = try records("1,a,x\n?,a,x\n5,a,x\n,a,x\n", schema)
    let table = try TabularEncoding(fitting: train).table(of: train)
    #expect(numbers(table) == [1, 1, 3, 1, 5, 1, 3, 1])
    #expect(error("?,a,x\n")?.code == .missingValue)
  }

  @Test("A word that no training row has is an error, or has a slot of its own")
  func unknownWords() throws {
    let strict = try TabularEncoding(fitting: records("1,a,x\n2,b,y\n"))
    let found = #expect(throws: DataError.self) { try strict.table(of: records("1,a,x\n1,c,x\n")) }
    #expect(found?.code == .unknownCategory)
    #expect(found?.line == 2)

    var schema = schema
    schema.unknownCategories = .otherSlot
    let open = try TabularEncoding(fitting: records("1,a,x\n2,b,y\n", schema))
    #expect(open.featureNames == ["age", "job=a", "job=b", "job=(other)"])
    #expect(numbers(try open.table(of: records("1.5,c,x\n", schema))) == [0, 0, 0, 1])
    #expect(throws: DataError.self) { try open.table(of: records("1,a,z\n", schema)) }
  }

  @Test("A target can be a number, and keys keep their words")
  func numericTarget() throws {
    var schema = CSVSchema([
      .init("who", .ignored), .init("x", .number), .init("y", .targetNumber),
    ])
    schema.keys = ["who"]
    schema.separator = "\t"
    let rows = try records("ann\t1\t2.5\nbob\t3\t-1\nann\t5\t0\n", schema)
    let table = try TabularEncoding(fitting: rows).table(of: rows)
    guard case .values([2.5, -1, 0], [1]) = table.targets else { return #expect(Bool(false)) }
    #expect(rows.words(of: "who")?.codes == [0, 1, 0])
    #expect(rows.words(of: "x") == nil)
  }

  @Test("A selection has the words of its rows only")
  func selecting() throws {
    let rows = try records("1,a,x\n2,b,y\n3,c,x\n").selecting([2, 0])
    let encoding = try TabularEncoding(fitting: rows)
    #expect(encoding.featureNames == ["age", "job=a", "job=c"])
    #expect(encoding.classNames == ["x"])
    #expect(numbers(try encoding.table(of: rows)) == [1, 0, 1, -1, 1, 0])
  }

  @Test("Without rows there is nothing to learn")
  func empty() {
    #expect(throws: DataError.self) { try TabularEncoding(fitting: records("\n \n")) }
  }
}
