// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import ApusSimulation

/// A reader and what must be true of whatever it accepts.
///
/// It may throw; it may not trap.
struct Reader: Sendable {
  let name: String
  let read: @Sendable ([UInt8]) -> Void
}

let readers = [
  Reader(name: "idx") { bytes in
    guard let array = try? IDXArray(parsing: FileContents(bytes, name: "fuzz")) else { return }
    guard let integers = try? array.integers() else { return }
    precondition(integers.count == array.shape.count)
  },
  Reader(name: "csv") { bytes in
    var named = CSVSchema([
      .init("age", .number), .init("work", .category), .init("note", .ignored),
      .init("class", .targetClass(nil)),
    ])
    named.hasHeader = true
    named.missingNumbers = .mean
    named.unknownCategories = .otherSlot
    named.commentPrefixes = ["#", "|"]
    named.classSuffix = "."
    var plain = CSVSchema([.init("x", .number), .init("y", .targetNumber)])
    plain.separator = ";"
    for schema in [named, plain] {
      let file = FileContents(bytes, name: "fuzz")
      guard let rows = try? CSVRecords(parsing: file, as: schema),
        let encoding = try? TabularEncoding(fitting: rows)
      else { continue }
      guard let table = try? encoding.table(of: rows) else {
        preconditionFailure("The rows that an encoding was fitted to cannot be encoded.")
      }
      precondition(table.count == rows.count)
    }
  },
  Reader(name: "safetensors") { bytes in
    guard let file = try? Safetensors(bytes: bytes) else { return }
    for tensor in file.tensors {
      guard let values = try? file.values(of: tensor.name) else { continue }
      precondition(values.count == tensor.shape.count)
    }
  },
  Reader(name: "recipe") { bytes in
    guard let recipe = try? Recipe(parsing: bytes, file: "fuzz.json5") else { return }
    let again = try? Recipe(parsing: Array(recipe.encoded().utf8), file: "fuzz.json5")
    precondition(again == recipe, "A recipe differs from itself, written and read again.")
  },
  Reader(name: "local-data") { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    guard let file = try? LocalDataFile(parsing: text, file: "fuzz.json5") else { return }
    precondition(!file.inputs.isEmpty && file.classes?.count != 0)
  },
]
