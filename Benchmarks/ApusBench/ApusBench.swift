// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import ApusTransport
internal import Foundation

/// Measures this machine and Apus on it; a line of JSON for each work.
///
/// `scripts/bench` compares with others; see `Benchmarks/README.md`.
@main
struct ApusBench {
  private static let usage = """
    usage: apus-bench [--seconds S] [--apus FILE] [--recipes DIR]
                      [--instruction-set SET] [WORK ...]
           apus-bench --list
           apus-bench --serve
           apus-bench fleet INVITATION --devices N [--mute | --timed] [--shape H,W,C]
           apus-bench fold DIRECTORY UPDATES PARAMETERS TIMES
           apus-bench graph FILE
    Without WORK all of them. With --serve, a work and its seconds are read from each line of
    standard input ("step-2nn-10 0.5") and answered with one line.
    """

  static func main() async {
    var words = Array(CommandLine.arguments.dropFirst())
    if words.contains("--help") { return print(usage) }
    do {
      switch words.first {
      case "fleet": return try await fleet(Array(words.dropFirst()))
      case "fold": return try fold(Array(words.dropFirst()))
      case "graph" where words.count == 2: return try WideModel.write(to: words[1])
      default: break
      }
    } catch {
      FileHandle.standardError.write(Data("apus-bench: \(error)\n".utf8))
      exit(1)
    }
    let folder = (CommandLine.arguments[0] as NSString).deletingLastPathComponent
    let apus = take("--apus", from: &words) ?? folder + "/apus"
    let recipes = take("--recipes", from: &words) ?? "Benchmarks/recipes"
    let seconds = take("--seconds", from: &words).flatMap { Double($0) } ?? 1
    if let name = take("--instruction-set", from: &words) {
      guard let set = InstructionSet(rawValue: name), (try? set.use()) != nil else {
        print("apus-bench: no instruction set \(name) here, only \(InstructionSet.available)")
        exit(2)
      }
    }
    let works = Works(Simulations(apus: apus, recipes: recipes))
    switch words {
    case ["--list"]: for work in works.all { print(work.name) }
    case ["--serve"]:
      while let line = readLine() {
        let parts = line.split(separator: " ")
        guard let name = parts.first else { continue }
        run(String(name), of: works, seconds: parts.dropFirst().first.flatMap { Double($0) } ?? 1)
      }
    default:
      if let option = words.first(where: { $0.hasPrefix("-") }) {
        print("apus-bench: unknown option \(option)\n\(usage)")
        exit(2)
      }
      for name in words.isEmpty ? works.all.map(\.name) : words {
        run(name, of: works, seconds: seconds)
      }
    }
  }

  private static func fleet(_ words: [String]) async throws {
    var words = words
    var settings = Fleet.Settings()
    if let count = take("--devices", from: &words).flatMap({ Int($0) }) {
      settings.deviceCount = count
    }
    if let shape = take("--shape", from: &words) {
      settings.inputShape = shape.split(separator: ",").compactMap { UInt64($0) }
    }
    settings.isMute = words.contains("--mute")
    settings.isTimed = words.contains("--timed")
    guard let url = words.first else { throw BenchmarkError("fleet needs an invitation") }
    try await Fleet(Invitation(url: url), settings).run()
  }

  private static func fold(_ words: [String]) throws {
    guard words.count == 4, let updates = Int(words[1]), let parameters = Int(words[2]),
      let times = Int(words[3])
    else { throw BenchmarkError(usage) }
    try FoldTiming.run(
      in: words[0], updates: updates, parameters: parameters, times: times)
  }

  private static func run(_ name: String, of works: Works, seconds: Double) {
    do {
      guard let work = works.all.first(where: { $0.name == name }) else {
        throw BenchmarkError("there is no such work; apus-bench --list names all")
      }
      try work.measure(name, Timer(seconds: seconds)).printed()
    } catch {
      let line = ["work": name, "side": "apus", "error": "\(error)"]
      let json = try? JSONEncoder().encode(line)
      print(String(decoding: json ?? Data(), as: UTF8.self))
      fflush(nil)
    }
  }

  /// Takes an option with its value out of the words.
  private static func take(_ option: String, from words: inout [String]) -> String? {
    guard let place = words.firstIndex(of: option), place + 1 < words.count else { return nil }
    let value = words[place + 1]
    words.removeSubrange(place...place + 1)
    return value
  }
}
