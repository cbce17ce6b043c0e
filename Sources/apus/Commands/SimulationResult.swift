// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusSimulation

/// How a run ended and where its files are.
struct SimulationResult: Encodable {
  let summary: RunSummary
  let directory: String

  private var report: String { directory + "/report.html" }

  private enum CodingKeys: CodingKey {
    case directory, report
  }

  /// The summary's members and the two paths, side by side.
  func encode(to encoder: any Encoder) throws {
    try summary.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(directory, forKey: .directory)
    try container.encode(report, forKey: .report)
  }

  /// Prints it, says how to go on where that is needed, and tells how the program should end.
  func print(on console: Console) throws -> ExitCode {
    if console.format == .text { printText(on: console) } else { try console.print(json: self) }
    switch summary.outcome {
    case .completed, .stopped: return .done
    case .interrupted:
      console.complain(
        "stopped after round \(summary.rounds); 'apus simulate --resume \(directory)' goes on")
      return .interrupted
    case .diverged:
      console.complain(
        "diverged after round \(summary.rounds): a loss was not finite. The last good model is in "
          + "\(directory)/checkpoint, and log.txt tells which clients; try a smaller learning rate")
      return .failed
    }
  }

  private func printText(on console: Console) {
    let best = summary.bestAccuracy.map { ", best \(Cell.percent($0))" } ?? ""
    console.print("\naccuracy  \(Cell.percent(summary.finalAccuracy))\(best)")
    if let rounds = summary.roundsToTarget {
      let target = Cell.percent(summary.targetAccuracy)
      console.print("target    \(target) after \(Cell.fixed(rounds, digits: 1)) rounds")
    }
    console.print("rounds    \(summary.rounds) in \(Cell.duration(summary.seconds))")
    console.print("model     sha256:\(summary.modelDigest)")
    console.print("run       \(directory)")
    console.print("report    \(report)")
  }
}
