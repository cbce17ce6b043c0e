// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// Data of the LEAF benchmark: a JSON object with `users`, `num_samples` and `user_data`, which has
/// for every user the inputs `x` and the targets `y`.
///
/// Inputs are arrays of numbers. Those that are text (Shakespeare, Sent140) are refused.
///
/// > S. Caldas et al. "LEAF: a benchmark for federated settings." 2018, arXiv 1812.01097.
public struct LEAFData: Sendable {
  /// The users' names, in the order of their first examples.
  public private(set) var users: [String] = []
  /// The place in ``users`` of each row's owner.
  public private(set) var owners: [Int32] = []
  /// Numbers in one example.
  public private(set) var featureCount = 0
  private var inputs: [Float] = []
  private var targets: [Double] = []
  private var placeOf: [String: Int32] = [:]
  private let name: String

  /// Reads the files of a set, one after the other; LEAF cuts large sets into many.
  ///
  /// - Throws: `malformed` with the line, `unsupported` for inputs that are text, `count-mismatch`
  ///   where counts disagree.
  public init(parsing files: [FileContents]) throws(DataError) {
    name = files.map(\.name).joined(separator: ", ")
    for file in files { try read(file) }
    guard owners.count <= Int32.max else {
      throw DataError(.tooLarge, file: name, "has more than \(Int32.max) examples.")
    }
  }

  /// The examples.
  ///
  /// - Parameters:
  ///   - inputShape: of one example; nil for a vector.
  ///   - classCount: nil where targets are numbers.
  /// - Returns: as many examples as ``owners``.
  /// - Throws: `count-mismatch` for a shape that does not fit, `unknown-category` for a target that
  ///   is no class.
  public func table(inputShape: Shape? = nil, classCount: Int?) throws(DataError) -> ExampleTable {
    let shape = inputShape ?? [featureCount]
    guard shape.checkedCount == featureCount || owners.isEmpty else {
      throw DataError(
        .countMismatch, file: name,
        "an example has \(featureCount) numbers, which are no array of \(shape).")
    }
    guard let classCount else {
      return ExampleTable(
        count: owners.count, inputShape: shape, inputs: .numbers(inputs),
        targets: .values(targets.map { Float($0) }, shape: [1]))
    }
    var classes: [Int32] = []
    classes.reserveCapacity(targets.count)
    for target in targets {
      guard let known = Int32(exactly: target), known >= 0, known < classCount else {
        throw DataError(
          .unknownCategory, file: name, "a target is \(target); expected 0..<\(classCount).")
      }
      classes.append(known)
    }
    return ExampleTable(
      count: owners.count, inputShape: shape, inputs: .numbers(inputs),
      targets: .classes(classes, classCount: classCount))
  }

  private mutating func read(_ file: FileContents) throws(DataError) {
    var scanner = JSONScanner(file.region.bytes, file: file.name)
    var announced: (users: [String], counts: [Double])
    announced = ([], [])
    let before = owners.count
    var counts: [String: Int] = [:]
    try scanner.object { (scanner, key) throws(DataError) in
      switch key {
      case "users":
        try scanner.array { (scanner) throws(DataError) in
          announced.users.append(try scanner.string())
        }
      case "num_samples":
        try scanner.array { (scanner) throws(DataError) in
          announced.counts.append(try scanner.number())
        }
      case "user_data":
        try scanner.object { (scanner, user) throws(DataError) in
          counts[user, default: 0] += try self.readUser(user, &scanner)
        }
      default: try scanner.skipValue()
      }
    }
    try scanner.end()
    guard announced.users.count == announced.counts.count else {
      throw DataError(
        .countMismatch, file: file.name,
        "names \(announced.users.count) users but \(announced.counts.count) counts of samples.")
    }
    for (user, count) in zip(announced.users, announced.counts)
    where Double(counts[user] ?? 0) != count {
      throw DataError(
        .countMismatch, file: file.name,
        "announces \(count) samples of user \(user.prefix(40)), but has \(counts[user] ?? 0). "
          + "Was the file cut?")
    }
    let total = announced.counts.reduce(0, +)
    guard Double(owners.count - before) == total else {
      throw DataError(
        .countMismatch, file: file.name,
        "has \(owners.count - before) samples, but announces \(total). "
          + "Are users missing in \"users\"?"
      )
    }
  }

  /// - Returns: how many examples the user has here.
  private mutating func readUser(
    _ user: String, _ scanner: inout JSONScanner
  ) throws(DataError) -> Int {
    let line = scanner.line
    var (inputCount, targetCount) = (0, 0)
    try scanner.object { (scanner, key) throws(DataError) in
      switch key {
      case "x":
        try scanner.array { (scanner) throws(DataError) in
          try self.readInput(&scanner)
          inputCount += 1
        }
      case "y":
        try scanner.array { (scanner) throws(DataError) in
          self.targets.append(try scanner.number())
          targetCount += 1
        }
      default: try scanner.skipValue()
      }
    }
    guard inputCount == targetCount else {
      throw DataError(
        .countMismatch, file: name, line: line,
        "user \(user.prefix(40)) has \(inputCount) inputs but \(targetCount) targets.")
    }
    let place = placeOf[user] ?? Int32(users.count)
    if placeOf.updateValue(place, forKey: user) == nil { users.append(user) }
    owners += repeatElement(place, count: inputCount)
    return inputCount
  }

  private mutating func readInput(_ scanner: inout JSONScanner) throws(DataError) {
    if scanner.peek() == UInt8(ascii: "\"") {
      throw DataError(
        .unsupported, file: name, line: scanner.line,
        "inputs are text; expected arrays of numbers. Use the text reader for Shakespeare.")
    }
    let before = inputs.count
    try scanner.array { (scanner) throws(DataError) in
      let number = Float(try scanner.number())
      guard number.isFinite else { throw scanner.error("a number too large for 32 bits") }
      self.inputs.append(number)
    }
    let count = inputs.count - before
    if before == 0 { featureCount = count }
    guard count == featureCount, count > 0 else {
      throw DataError(
        .countMismatch, file: name, line: scanner.line,
        "an input has \(count) numbers; expected \(featureCount), as the first has, and at least 1."
      )
    }
  }
}
