// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusNumerics

extension DataCatalog {
  /// Four IDX files: training images and labels, test images and labels.
  static func images(_ name: String, _ files: [FileContents]) throws(DataError) -> LoadedData {
    LoadedData(
      name,
      train: try ExampleTable(
        images: IDXArray(parsing: files[0]), labels: IDXArray(parsing: files[1]), classCount: 10),
      test: try ExampleTable(
        images: IDXArray(parsing: files[2]), labels: IDXArray(parsing: files[3]), classCount: 10))
  }

  static func fashion(_ files: [FileContents]) throws(DataError) -> LoadedData {
    var data = try images("fashion-mnist", files)
    data.classNames = [
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
      "Ankle boot",
    ]
    return data
  }

  static func writers(_ files: [FileContents]) throws(DataError) -> LoadedData {
    var data = try images("mnist-writers", Array(files[0..<4]))
    let writers = try IDXArray(parsing: files[4])
    guard writers.shape == [data.train.count] else {
      throw DataError(
        .countMismatch, file: writers.name,
        "has \(writers.shape) writers; expected one for each of \(data.train.count) images.")
    }
    data.naturalKeys = ["writer": try writers.integers()]
    return data
  }

  /// The digits that come with Apus: a fifth of them, always the same, is the test part.
  ///
  /// Rows are put in the order of `RandomStream(seed: 80)`; the first 1,438 are for training.
  static func digits(_ files: [FileContents]) throws(DataError) -> LoadedData {
    let classes = (0..<10).map(String.init)
    var schema = CSVSchema(
      (0..<64).map { .init("pixel\($0)", .number) } + [.init("digit", .targetClass(classes))])
    schema.isStandardized = false
    let rows = try CSVRecords(parsing: files[0], as: schema)
    let region = try ByteRegion(count: rows.count * 64) { (bytes) throws(DataError) in
      for pixel in 0..<64 {
        for (row, value) in rows.numbers[pixel].enumerated() {
          guard let byte = UInt8(exactly: value), byte <= 16 else {
            throw DataError(
              .malformed, file: rows.name,
              "pixel \(pixel) of example \(row) is \(value); expected a whole number in 0...16.")
          }
          bytes[row * 64 + pixel] = byte
        }
      }
    }
    let targets = try TabularEncoding(fitting: rows).table(of: rows).targets
    let all = ExampleTable(
      count: rows.count, inputShape: [8, 8, 1],
      inputs: .bytes(region, scale: 1 / 16, offset: 0), targets: targets)
    let order = Partition.shuffledRows(all.count, by: RandomStream(seed: 80))
    let trainCount = all.count * 4 / 5 + 1
    var data = LoadedData(
      "digits", train: all.selecting(Array(order.prefix(trainCount))),
      test: all.selecting(Array(order.dropFirst(trainCount))))
    data.classNames = classes
    return data
  }

  /// Drawers 1 to 16 of every alphabet are for training, 17 to 20 for the test.
  static func omniglot(_ files: [FileContents]) throws(DataError) -> LoadedData {
    let all = try ExampleTable(
      images: IDXArray(parsing: files[0]), labels: IDXArray(parsing: files[1]), classCount: 242)
    let drawers = try IDXArray(parsing: files[2]).integers()
    guard drawers.count == all.count else {
      throw DataError(
        .countMismatch, file: files[2].name,
        "has \(drawers.count) drawers; expected one for each of \(all.count) images.")
    }
    let rows = 0..<Int32(all.count)
    let train = rows.filter { drawers[Int($0)] % 20 < 16 }
    var data = LoadedData(
      "omniglot", train: all.selecting(train),
      test: all.selecting(rows.filter { drawers[Int($0)] % 20 >= 16 }))
    data.naturalKeys = ["drawer": train.map { drawers[Int($0)] }]
    return data
  }
}
