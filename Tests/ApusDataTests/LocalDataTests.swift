// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import DataFixtures
import Testing

@testable import ApusData

struct LocalDataTests {
  private func place(_ files: [String: [UInt8]] = [:]) throws -> ScratchDirectory {
    let folder = try ScratchDirectory()
    for (name, bytes) in files { try folder.write(bytes, to: name) }
    return folder
  }

  let images = idx(0x08, [2, 2, 3], Array(0..<12))
  let labels = idx(0x08, [2], [1, 0])

  private func error(_ files: [String: [UInt8]], _ settings: [String] = []) throws -> DataError {
    let folder = try place(files)
    return try #require(
      throws: DataError.self
    ) { try LocalData.load(folder.path, setting: settings) }
  }

  @Test("What is written is read again, bit for bit, in the client's order")
  func writingAndReading() throws {
    let region = ByteRegion(count: 12) { for index in $0.indices { $0[index] = UInt8(index * 20) } }
    let numbers: [Float] = [0.1, -3, 1e-30, .pi, 5, 1 / 3]
    let tables = [
      ExampleTable(
        count: 3, inputShape: [2, 2, 1], inputs: .bytes(region, scale: 1 / 255, offset: -0.3),
        targets: .classes([2, 0, 1], classCount: 10)),
      ExampleTable(
        count: 3, inputShape: [2], inputs: .numbers(numbers),
        targets: .values(numbers, shape: [2, 1])),
      ExampleTable(
        count: 3, inputShape: [2], inputs: .tokens([4, 5, 70_000, 0, 1, 2]),
        targets: .sequences([1, -1, 300, 2, 0, -1], length: 2, classCount: 1000)),
    ]
    for table in tables {
      let folder = try place()
      let client = ClientDataset(table, indices: [2, 0])
      try LocalData.write(client, to: folder.path + "/of/client")
      let read = try LocalData.load(folder.path + "/of/client")
      #expect(bytes(of: read) == bytes(of: table.selecting([2, 0])))
      #expect(read.inputShape == table.inputShape && read.classCount == table.classCount)
      #expect(read.targetStride == table.targetStride)
    }
  }

  /// Inputs and targets of all examples as a batch has them.
  private func bytes(of table: ExampleTable) -> [UInt32] {
    let inputCount = table.count * table.inputShape.count
    var words = [UInt32](repeating: 0, count: inputCount + table.count * table.targetStride)
    words.withUnsafeMutableBytes { words in
      guard let base = words.baseAddress else { return }
      table.gather(
        ClientDataset(all: table).indices, inputs: base, targets: base + inputCount * 4)
    }
    return words
  }

  @Test("Files that speak for themselves need no description")
  func guessing() throws {
    let pair = try place(["my-images.gz": gzipped(images), "my-labels": labels])
    let table = try LocalData.load(pair.path)
    #expect(table.inputShape == [2, 3, 1] && table.labels == [1, 0] && table.classCount == 2)
    #expect(try LocalData.load(pair.path, setting: ["classes=10"]).classCount == 10)

    let mnist = try place([
      "train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels,
      "t10k-images-idx3-ubyte": [], "t10k-labels-idx1-ubyte": [],
    ])
    #expect(try LocalData.load(mnist.path).count == 2)

    let csv = try place(["flowers.csv": Array("width,class,height\n1,0,2\n3,2,4.5\n".utf8)])
    for path in [csv.path, csv.path + "/flowers.csv"] {
      let table = try LocalData.load(path)
      guard case .numbers([1, 2, 3, 4.5]) = table.inputs else {
        Issue.record("\(table.inputs)")
        return
      }
      #expect(table.labels == [0, 2] && table.classCount == 3 && table.inputShape == [2])
    }
  }

  @Test("A description says what the files do not")
  func describing() throws {
    let description = """
      // Flowers.
      { inputs: "f.csv", label: "kind", ignore: ["id"], separator: ";",
        classes: ["rose", "lily", "iris"], scale: 0.5, offset: 1, shape: [2, 1] }
      """
    let folder = try place([
      "f.csv": Array("id;a;b;kind\nx;2;4;lily\ny;6;8;rose\n".utf8),
      "apus-data.json5": Array(description.utf8),
    ])
    let table = try LocalData.load(folder.path)
    guard case .numbers([2, 3, 4, 5]) = table.inputs else {
      Issue.record("\(table.inputs)")
      return
    }
    #expect(table.labels == [1, 0] && table.classCount == 3 && table.inputShape == [2, 1])
    let named = try LocalData.load(
      folder.path + "/apus-data.json5", setting: ["scale=1", "offset=0"])
    guard case .numbers([2, 4, 6, 8]) = named.inputs else {
      Issue.record("\(named.inputs)")
      return
    }

    let headless = try place(["f.csv": Array("2,4,0.5\n6,8,1.5\n".utf8)])
    let values = try LocalData.load(headless.path, setting: ["header=false", "value=3"])
    guard case .values([0.5, 1.5], shape: [1]) = values.targets else {
      Issue.record("\(values.targets)")
      return
    }
  }

  @Test("A wrong description names its line, the key and what was expected")
  func wrongDescriptions() throws {
    let cases: [(text: String, expected: [String])] = [
      (
        "{ inputs: 'a',\n target: 'b' }",
        [":2: ", "no key target", "expected one of inputs, targets"]
      ),
      ("{ inputs: 'a',\n\n targets: 3 }", [":3: ", "targets is 3", "expected a text"]),
      ("{ inputs: 'a', targets: 'b', classes: 0 }", [":1: ", "classes is 0"]),
      ("{ inputs: 'a', targets: 'b', classes: ['x'] }", [":1: ", "a count"]),
      ("{ inputs: 'a', targets: 'b', shape: [2, -1] }", [":1: ", "shape is an array"]),
      ("{ inputs: 'a', targets: 'b', label: 'x' }", ["label is \"x\"", "no .csv file"]),
      ("{ inputs: 'a' }", ["no key targets"]),
      ("{ inputs: 'a.csv' }", ["label", "value"]),
      ("{ inputs: 'a.csv', label: 'x', separator: 'xx' }", ["separator", "one character"]),
      ("{ inputs: 'a', targets: 'b', kind: 'words' }", ["\"numbers\" or \"tokens\""]),
      ("{ inputs: 'a', targets: 'b', kind: 'tokens', scale: 1 }", ["tokens are not scaled"]),
      ("{}", ["no key inputs"]),
      ("[1]", ["an array"]),
      ("{ inputs: \n", [":2: ", "expected a value"]),
    ]
    for (text, expected) in cases {
      let error = try error(["apus-data.json5": Array(text.utf8)])
      #expect(error.code == .malformed)
      for words in ["apus-data.json5"] + expected {
        #expect(error.message.contains(words), "\(text): \(error.message)")
      }
    }
  }

  @Test("Files that contradict each other are errors that name both numbers")
  func wrongFiles() throws {
    let pair = ["images": images, "labels": labels]
    #expect(try error(pair, ["classes=1"]).message.contains("example 0 is 1; expected 0..<1"))
    #expect(try error(pair, ["shape=[28,28]"]).message.contains("says 28×28"))
    #expect(try error(pair, ["clases=3"]).message.contains("--set clases=3: there is no key"))
    #expect(try error(["images": images]).code == .missingFile)
    #expect(
      try error(["images": images, "labels": idx(0x08, [3], [1, 0, 1])]).code == .countMismatch)
    #expect(
      try error(["images": idx(0x08, [0, 2], []), "labels": idx(0x08, [0], [])]).code
        == .missingValue)
    let infinite = idx(0x0D, [1, 1], [0x7F, 0x80, 0, 0])
    #expect(
      try error(["inputs": infinite, "targets": idx(0x08, [1], [0])]).message.contains("not finite")
    )
    let csv = ["f.csv": Array("a,b\n1,2\n".utf8)]
    #expect(try error(csv).message.contains("expected a column label"))
    #expect(try error(csv, ["label=c"]).message.contains("no column c"))
    #expect(try error(["f.csv": Array("a,label\n1,x\n".utf8)]).code == .unknownCategory)
    #expect(try error(["f.csv": Array("a,label\nx,1\n".utf8)]).message.contains("f.csv:2"))
    #expect(throws: DataError.self) { try LocalData.load("/nowhere/at/all") }
  }
}
