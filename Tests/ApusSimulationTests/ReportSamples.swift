// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusSimulation

/// Pages to look at: `APUS_REPORT_SAMPLES=DIR swift test --filter ReportSamples`.
@Suite("Samples of reports")
struct ReportSamples {
  static let folder = ProcessInfo.processInfo.environment["APUS_REPORT_SAMPLES"]

  @Test("Samples are written where APUS_REPORT_SAMPLES asks", .enabled(if: folder != nil))
  func samples() throws {
    let folder = try #require(Self.folder)
    let scratch = try ScratchDirectory()
    var one = SyntheticRun(name: "quickstart-fashion")
    one.measuresClients = true
    one.dropOutRate = 0.1
    one.evaluatesEvery = 2
    let single = try one.write(into: scratch)
    try Report.write(runs: [single], to: "\(folder)/single.html")

    let seeds = try (1...5).map { try SyntheticRun(seed: $0).write(into: scratch) }
    try Report.write(runs: seeds, to: "\(folder)/seeds.html")
    let grid = try [0.05, 0.215].flatMap { rate in
      try (1...3).map { seed in
        try SyntheticRun(seed: seed, learningRate: rate, ceiling: 0.9 + rate / 4)
          .write(into: scratch, as: "rate-\(rate)-\(seed)")
      }
    }
    try Report.write(runs: seeds + grid, to: "\(folder)/sweep.html")
    try Figure.write(
      runs: seeds + grid, title: "FedAvg on MNIST, 2NN, IID",
      reference: .init(accuracy: 0.97, round: 87, label: "McMahan et al. 2017, Table 1"),
      to: "\(folder)/figure.svg")

    let long = try SyntheticRun(
      name: "long", rounds: 5000, measuresClients: true, dropOutRate: 0.2, divergesAt: 4000
    ).write(into: scratch)
    try Report.write(runs: [long], to: "\(folder)/long.html")
    let short = try SyntheticRun(name: "short", rounds: 1).write(into: scratch)
    try Report.write(runs: [short], to: "\(folder)/short.html")
  }
}
