// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusNumerics

extension DataCatalog {
  /// UCI Adult: words one-hot, numbers standardized, `?` a word like any other.
  static func adult(_ files: [FileContents]) throws(DataError) -> LoadedData {
    var schema = CSVSchema([
      .init("age", .number), .init("workclass", .category), .init("fnlwgt", .number),
      .init("education", .category), .init("education-num", .number),
      .init("marital-status", .category), .init("occupation", .category),
      .init("relationship", .category), .init("race", .category), .init("sex", .category),
      .init("capital-gain", .number), .init("capital-loss", .number),
      .init("hours-per-week", .number), .init("native-country", .category),
      .init("income", .targetClass(["<=50K", ">50K"])),
    ])
    schema.keys = ["education", "occupation", "workclass"]
    schema.commentPrefixes = ["|"]  // the test file's first line
    schema.classSuffix = "."  // the test file's classes end with it
    let train = try CSVRecords(parsing: files[0], as: schema)
    let test = try CSVRecords(parsing: files[1], as: schema)
    return try tabular("adult-census", train: train, test: test)
  }

  /// UCI WDBC: a fifth of the rows, always the same, is the test part.
  ///
  /// Rows are put in the order of `RandomStream(seed: 17)`; the first 455 are for training.
  static func wdbc(_ files: [FileContents]) throws(DataError) -> LoadedData {
    let measures = [
      "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
      "concave-points", "symmetry", "fractal-dimension",
    ]
    let numbers = ["mean", "error", "worst"].flatMap { kind in
      measures.map { CSVSchema.Column("\(kind)-\($0)", .number) }
    }
    let schema = CSVSchema(
      [.init("id", .ignored), .init("diagnosis", .targetClass(["B", "M"]))] + numbers)
    let rows = try CSVRecords(parsing: files[0], as: schema)
    let order = Partition.shuffledRows(rows.count, by: RandomStream(seed: 17)).map { Int($0) }
    let trainCount = rows.count * 4 / 5
    return try tabular(
      "breast-cancer-wdbc", train: rows.selecting(order.prefix(trainCount)),
      test: rows.selecting(order.dropFirst(trainCount)))
  }

  /// WISDM: users 3, 8, 13, 18, 23, 28 and 33 are the test part; missing peaks become the mean.
  static func wisdm(_ files: [FileContents]) throws(DataError) -> LoadedData {
    let bins = ["X", "Y", "Z"].flatMap { axis in (0..<10).map { "\(axis)\($0)" } }
    let moments = ["AVG", "PEAK", "ABSOLDEV", "STANDDEV"].flatMap { kind in
      ["X", "Y", "Z"].map { $0 + kind }
    }
    var schema = CSVSchema(
      [.init("UNIQUE_ID", .ignored), .init("user", .ignored)]
        + (bins + moments + ["RESULTANT"]).map { .init($0, .number) }
        + [
          .init(
            "class",
            .targetClass(["Downstairs", "Jogging", "Sitting", "Standing", "Upstairs", "Walking"]))
        ])
    schema.keys = ["user"]
    schema.commentPrefixes = ["@", "%"]  // ARFF's header and comments
    schema.missingNumbers = .mean
    let rows = try CSVRecords(parsing: files[0], as: schema)
    let heldOut: Set = ["3", "8", "13", "18", "23", "28", "33"]
    guard let users = rows.words(of: "user") else {
      throw DataError(.malformed, file: rows.name, "has no column of users.")
    }
    let isTest = users.codes.map { heldOut.contains(users.words[Int($0)]) }
    return try tabular(
      "wisdm-har", train: rows.selecting((0..<rows.count).filter { !isTest[$0] }),
      test: rows.selecting((0..<rows.count).filter { isTest[$0] }))
  }

  private static func tabular(
    _ name: String, train: CSVRecords, test: CSVRecords
  ) throws(DataError) -> LoadedData {
    let encoding = try TabularEncoding(fitting: train)
    var data = LoadedData(
      name, train: try encoding.table(of: train), test: try encoding.table(of: test))
    for key in train.schema.keys {
      data.naturalKeys[key] = train.words(of: key)?.codes
      data.ownerNames[key] = train.words(of: key)?.words
    }
    data.classNames = encoding.classNames
    return data
  }
}
