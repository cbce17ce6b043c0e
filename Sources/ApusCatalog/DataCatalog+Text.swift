// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData

extension DataCatalog {
  /// Characters that a network is unrolled for, as in the FedAvg paper.
  private static let unrolledLength = 80

  /// The lines of every role that has two or more; the first 80 % are for training, the others (at
  /// least one) are the test part.
  static func shakespeare(_ files: [FileContents]) throws(DataError) -> LoadedData {
    let rows = try TextLines(parsing: files[0]).columns(4)
    var placeOf: [String: Int] = [:]
    var roles: [(name: String, lines: [Substring])] = []
    for row in rows {
      let name = "\(row[0])/\(row[1])"
      let place = placeOf[name] ?? roles.count
      if placeOf.updateValue(place, forKey: name) == nil { roles.append((name, [])) }
      roles[place].lines.append(row[3])
    }
    roles.removeAll { $0.lines.count < 2 }

    var characters: Set<Unicode.Scalar> = ["\n"]
    for row in rows { characters.formUnion(row[3].unicodeScalars) }
    let vocabulary = CharacterVocabulary(of: characters)
    var train = CharacterSequences(vocabulary: vocabulary, length: unrolledLength)
    var test = train
    var owners: [Int32] = []
    for (place, role) in roles.enumerated() {
      let trainCount = min(role.lines.count * 4 / 5, role.lines.count - 1)
      let added = train.append(joined(role.lines.prefix(trainCount)))
      owners += repeatElement(Int32(place), count: added)
      test.append(joined(role.lines.dropFirst(trainCount)))
    }
    var data = LoadedData("shakespeare", train: train.table(), test: test.table())
    data.naturalKeys = ["role": owners]
    data.ownerNames = ["role": roles.map(\.name)]
    data.classNames = ["(unknown)"] + vocabulary.scalars.map { String($0) }
    return data
  }

  private static func joined(_ lines: ArraySlice<Substring>) -> String {
    lines.map { $0 + "\n" }.joined()
  }
}
