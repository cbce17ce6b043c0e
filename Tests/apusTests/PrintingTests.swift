// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCommands
import ApusSimulation
import Foundation
import Testing

@testable import apus

@Suite struct PrintingTests {
  @Test("Numbers look like people write them")
  func cells() {
    #expect(Cell.fixed(0.12345, digits: 2) == "0.12")
    #expect(Cell.fixed(-1.999, digits: 2) == "-2.00")
    #expect(Cell.fixed(-0.001, digits: 2) == "0.00")
    #expect(Cell.fixed(2.0625, digits: 3) == "2.063")
    #expect(Cell.fixed(7.5, digits: 0) == "8")
    #expect(Cell.fixed(nil, digits: 2) == "–")
    #expect(Cell.fixed(.nan, digits: 2) == "nan")
    #expect(Cell.percent(0.97125) == "97.13 %")
    #expect(Cell.count(1_663_370) == "1,663,370" && Cell.count(-999) == "-999")
    #expect(Cell.duration(0.04) == "0.0 s" && Cell.duration(59.6) == "1 min 00 s")
    #expect(Cell.duration(185) == "3 min 05 s" && Cell.duration(3720) == "1 h 02 min")
    #expect(Cell.duration(.infinity) == "–")
  }

  @Test("The time left is what the steps done took, for the steps to come")
  func estimates() {
    let start = ContinuousClock.now
    let estimate = Estimate(from: 10, to: 20, startingAt: start)
    #expect(estimate.secondsLeft(after: 10, at: start + .seconds(5)) == nil)
    #expect(estimate.secondsLeft(after: 12, at: start + .seconds(4)) == 16)
    #expect(estimate.secondsLeft(after: 20, at: start + .seconds(9)) == 0)
  }

  private func record(_ round: Int, accuracy: Double?) throws -> RoundRecord {
    let text = """
      {"round": \(round), "clients": 10, "dropped": 2, "rejected": \(round == 3 ? 1 : 0),
       "examples": 6000, "bytesUp": 8, "bytesDown": 8, "loss": 0.25,
       "accuracy": \(accuracy.map { "\($0)" } ?? "null"),
       "seconds": {"train": 1, "aggregate": 0.25, "evaluate": 0, "checkpoint": 0}}
      """
    return try JSONDecoder().decode(RoundRecord.self, from: Data(text.utf8))
  }

  private func rounds(on console: Console) throws {
    var now = ContinuousClock.now
    let progress = ProgressLine("Starting", on: console)
    let table = LiveTable(rounds: 4, progress: progress, console: console, now: { now })
    for round in 1...4 {
      now += .seconds(2)
      table.show(try record(round, accuracy: round == 2 ? nil : 0.9))
    }
    progress.finish()
  }

  @Test("Piped, measured rounds are plain lines and refusals are messages")
  func pipesRounds() throws {
    let recorder = Recorder()
    try rounds(on: recorder.console())
    #expect(
      recorder.output == """
         round   accuracy      loss  clients  dropped   seconds         left
             1    90.00 %    0.2500       10        2      1.25        6.0 s
             3    90.00 %    0.2500       10        2      1.25        2.0 s
             4    90.00 %    0.2500       10        2      1.25        0.0 s

        """)
    #expect(recorder.messages == "round 3: 1 updates refused; log.txt tells why\n")
  }

  @Test("On a terminal a line tells the round and the time left, and goes away in the end")
  func showsProgress() throws {
    let recorder = Recorder()
    try rounds(on: recorder.console(isInteractive: true))
    #expect(recorder.messages.contains("Round 3 of 4, accuracy 90.00 %, 2.0 s left"))
    #expect(recorder.messages.hasSuffix("\r\u{1B}[K"))
    #expect(!recorder.output.contains("\u{1B}"))
  }

  @Test("As JSON lines every round is an object")
  func printsLines() throws {
    let recorder = Recorder()
    try rounds(on: recorder.console(format: .jsonl))
    let lines = recorder.output.split(separator: "\n")
    let records = try lines.map { try JSONDecoder().decode(RoundRecord.self, from: Data($0.utf8)) }
    #expect(records.map(\.round) == [1, 2, 3, 4])
    #expect(records[1].accuracy == nil)
  }

  @Test(
    "How a run ended decides how the program ends",
    arguments: [
      (RunSummary.Outcome.completed, ExitCode.done, ""),
      (.stopped, .done, ""),
      (.interrupted, .interrupted, "'apus simulate --resume runs/x-seed1' goes on"),
      (.diverged, .failed, "a loss was not finite"),
    ])
  func ends(outcome: RunSummary.Outcome, status: ExitCode, message: String) throws {
    let text = """
      {"name": "x", "seed": 1, "outcome": "\(outcome.rawValue)", "rounds": 4, "parameterCount": 8,
       "finalAccuracy": 0.97, "bestAccuracy": 0.98, "targetAccuracy": 0.95, "roundsToTarget": 3.5,
       "modelDigest": "abc", "seconds": 75, "threads": 2}
      """
    let summary = try JSONDecoder().decode(RunSummary.self, from: Data(text.utf8))
    let result = SimulationResult(summary: summary, directory: "runs/x-seed1")
    let recorder = Recorder()
    #expect(try result.print(on: recorder.console()) == status)
    #expect(message.isEmpty ? recorder.messages.isEmpty : recorder.messages.contains(message))
    #expect(
      recorder.output == """

        accuracy  97.00 %, best 98.00 %
        target    95.00 % after 3.5 rounds
        rounds    4 in 1 min 15 s
        model     sha256:abc
        run       runs/x-seed1
        report    runs/x-seed1/report.html

        """)
    let lines = Recorder()
    _ = try result.print(on: lines.console(format: .jsonl))
    #expect(lines.output.contains(#""directory":"runs/x-seed1""#))
    #expect(lines.output.contains(#""modelDigest":"abc""#))
  }

  @Test("Color is for terminals, and NO_COLOR and dumb terminals have none")
  func colors() {
    let colored = Terminal(isInteractive: true, usesColor: true, width: 80) { _ in 0 }
    #expect(colored.styled("x", .bold) == "\u{1B}[1mx\u{1B}[0m")
    let file = Terminal(descriptor: -1, environment: [:])
    #expect(!file.isInteractive && !file.usesColor && file.width == 80)
    #expect(file.styled("x", .bold) == "x")
  }

  @Test("A disk that is full is a problem, a reader that left is none")
  func reportsProblems() {
    let full = Terminal(isInteractive: false, usesColor: false, width: 80) { _ in ENOSPC }
    full.print("x")
    #expect(full.problem == "No space left on device")
    let left = Terminal(isInteractive: false, usesColor: false, width: 80) { _ in EPIPE }
    left.print("x")
    #expect(left.problem == nil)
  }
}
