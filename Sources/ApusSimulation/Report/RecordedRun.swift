// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A run directory, read: what a report is made of.
struct RecordedRun: Sendable {
  /// The directory, as the caller named it.
  let path: String
  /// `recipe.json5`, as it is written.
  let recipe: String
  /// The lines of `metrics.jsonl`, rounds ascending.
  let records: [RoundRecord]
  /// `summary.json`; nil while a run goes on, or when it was killed.
  let summary: RunSummary?
  /// What the reader let pass, a sentence each.
  let notes: [String]

  /// - Throws: `not-a-run` where a file is missing, `damaged-run` where its text is wrong; a line
  ///   of `metrics.jsonl` is named with its number.
  init(at path: String) throws(SimulationError) {
    self.path = path
    recipe = String(decoding: try Self.contents(of: "recipe.json5", in: path), as: UTF8.self)
    let metrics = try Self.contents(of: "metrics.jsonl", in: path)
    (records, notes) = try Self.parse(metrics, from: Self.join(path, "metrics.jsonl"))
    summary = try Self.summary(in: path)
  }

  /// The recipe's name, or the directory's.
  var name: String { summary?.name ?? URL(filePath: path).lastPathComponent }

  var label: String { summary.map { "\(name), seed \($0.seed)" } ?? name }

  /// Rounds that were trained: all but round 0, the model before training.
  var trained: ArraySlice<RoundRecord> { records.drop { $0.round < 1 } }

  /// The round's number and value, for rounds in which it was measured; NaN stays.
  func values(of measure: (RoundRecord) -> Double?) -> [Point] {
    records.compactMap { record in
      measure(record).map { Point(x: Double(record.round), y: $0) }
    }
  }

  var finalAccuracy: Double? {
    summary?.finalAccuracy ?? records.last { $0.accuracy != nil }?.accuracy
  }

  /// The first point at which the accuracy is highest.
  var best: Point? { values(of: \.accuracy).filter(\.y.isFinite).max { $0.y < $1.y } }

  var bytesUp: Int { records.reduce(0) { $0 + $1.bytesUp } }

  var secondsPerRound: Double? { mean(trained.map(\.seconds.total)) }

  // Lines are decoded one by one: a torn last one is the trace of a kill, any other is damage.
  private static func parse(
    _ bytes: Data, from path: String
  ) throws(SimulationError) -> ([RoundRecord], [String]) {
    let decoder = Self.decoder()
    var records: [RoundRecord] = []
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) {
      do {
        let record = try decoder.decode(RoundRecord.self, from: Data(line))
        // A resumed run may say a round again; its later word counts.
        while let last = records.last, last.round >= record.round { records.removeLast() }
        records.append(record)
      } catch {
        guard index == lines.count - 1 else {
          throw SimulationError(
            .damagedRun,
            "\(path):\(index + 1): \(reason(error)). A line is one round as JSON; remove the line, "
              + "or take the run's directory from a copy.", cause: error)
        }
        return (records, ["The last line of \(path) is cut off and was left out."])
      }
    }
    return (records, [])
  }

  private static func summary(in path: String) throws(SimulationError) -> RunSummary? {
    let file = join(path, "summary.json")
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let bytes = try contents(of: "summary.json", in: path)
    do {
      return try decoder().decode(RunSummary.self, from: bytes)
    } catch {
      throw SimulationError(
        .damagedRun, "\(file): \(reason(error)). Remove the file to report the run without it.",
        cause: error)
    }
  }

  private static func contents(of name: String, in path: String) throws(SimulationError) -> Data {
    do {
      return try Data(contentsOf: URL(filePath: join(path, name)))
    } catch {
      throw SimulationError(
        .notARun,
        "\(path) has no readable \(name); a run directory, as apus simulate writes it, was expected.",
        cause: error)
    }
  }

  private static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  private static func decoder() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }

  private static func reason(_ error: any Error) -> String {
    func place(_ context: DecodingError.Context) -> String {
      context.codingPath.map(\.stringValue).joined(separator: ".")
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, _): return "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context): return "'\(place(context))' is of the wrong kind"
    case .valueNotFound(_, let context): return "'\(place(context))' is null"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      return "'\(place(context))' is not a value that it may have"
    default: return "not JSON"
    }
  }
}

extension SimulationError.Code {
  /// A file of a run directory does not say what it should.
  public static let damagedRun = Self(rawValue: "damaged-run")
}
