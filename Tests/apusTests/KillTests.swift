// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusSimulation
import Foundation
import OwnThreads
import Testing

/// Runs whose process is killed, interrupted, or finds no room: they go on to the same bytes.
@Suite(.ownThread) struct KillTests {
  /// Runs the recipe without a stop, as `whole`.
  private func whole(in place: Workplace) throws -> (recipe: String, summary: RunSummary) {
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    let ending = try Executable.run(
      ["simulate", recipe, "--out", place.path("whole"), "--format", "json"])
    #expect(ending.status == 0, "\(ending.messages)")
    return (recipe, try ending.summary())
  }

  /// Expects that a run left what the whole one left.
  private func expectWhole(
    _ run: String, _ ending: Executable.Ending, in place: Workplace, _ whole: RunSummary
  ) throws {
    #expect(ending.status == 0, "\(ending.messages)")
    let summary = try ending.summary()
    #expect(summary.outcome == .completed && summary.rounds == whole.rounds)
    #expect(summary.modelDigest == whole.modelDigest)
    #expect(summary.bestAccuracy == whole.bestAccuracy)
    #expect(try place.records(of: run) == place.records(of: "whole"))
    #expect(
      try place.bytes(of: run + "/model.safetensors")
        == place.bytes(of: "whole/model.safetensors"))
  }

  @Test("A run that is killed again and again ends with the bytes of one that ran through")
  func survivesKills() throws {
    let place = try Workplace()
    let (recipe, whole) = try whole(in: place)
    let run = place.path("run")
    var random = RandomStream(seed: 1)
    var killCount = 0
    for attempt in 0..<9 {
      // Before anything was printed at first; later after some rounds, and a moment more.
      let isBegun = place.exists("run/recipe.json5")
      let session = try Executable.Session(
        ["simulate", "--threads", "\(1 + attempt % 3)"]
          + ["--checkpoint-every", attempt % 4 == 3 ? "1000" : "0", "--format", "jsonl", "-q"]
          + (isBegun ? ["--resume", run] : [recipe, "--out", run]))
      if attempt > 2 { session.read(lines: 1 + random.below(7)) }
      var moment = random.split(attempt)
      for _ in 0..<random.below(attempt > 2 ? 20_000 : 400_000) { _ = moment.next() }
      session.send(SIGKILL)
      let ending = try session.end()
      #expect(ending.status == 128 + SIGKILL || ending.status == 0, "\(ending.messages)")
      killCount += ending.status == 0 ? 0 : 1
    }
    #expect(killCount > 6, "It was over too soon.")
    let last = try Executable.run(["simulate", "--resume", run, "--format", "json"])
    try expectWhole("run", last, in: place, whole)
    #expect(try place.names(in: "run/checkpoint").allSatisfy { $0.hasPrefix("round-") })
  }

  @Test(
    "A signal ends a run with 130, a checkpoint and how to go on", arguments: [SIGINT, SIGTERM])
  func survivesSignals(signal: Int32) throws {
    let place = try Workplace()
    let (recipe, whole) = try whole(in: place)
    let session = try Executable.Session([
      "simulate", recipe, "--out", place.path("run"), "--format", "jsonl",
    ])
    session.read(lines: 3)
    session.send(signal)
    let ending = try session.end()
    #expect(ending.status == 130)
    let command = "apus simulate --resume \(place.path("run"))"
    #expect(ending.messages.contains(command), "\(ending.messages)")
    let rounds = try place.records(of: "run").count - 1
    let checkpoint =
      "round-\(String(repeating: "0", count: rounds < 10 ? 7 : 6))\(rounds).safetensors"
    #expect(try place.names(in: "run/checkpoint") == [checkpoint])
    let resumed = try Executable.run([
      "simulate", "--resume", place.path("run"), "--format", "json",
    ])
    try expectWhole("run", resumed, in: place, whole)
    // And once more: a finished run stays as it is.
    let again = try Executable.run(["simulate", "--resume", place.path("run"), "--format", "json"])
    try expectWhole("run", again, in: place, whole)
  }

  @Test("Files that may not grow end a run with 1, name the file, and lose nothing")
  func survivesLimits() throws {
    let place = try Workplace()
    let (recipe, whole) = try whole(in: place)
    // 8 blocks of 512 bytes: room for a checkpoint and for some lines of metrics.
    let ending = try Executable.shell(
      "trap '' XFSZ; ulimit -f 8; exec \"$APUS\" simulate \"$1\" --out \"$2\" --checkpoint-every 0",
      recipe, place.path("run"))
    #expect(ending.status == 1)
    #expect(ending.messages.contains("\(place.path("run"))/metrics.jsonl"), "\(ending.messages)")
    #expect(ending.messages.contains("apus simulate --resume"))
    #expect(try place.names(in: "run/checkpoint").count == 2)
    let resumed = try Executable.run([
      "simulate", "--resume", place.path("run"), "--format", "json",
    ])
    try expectWhole("run", resumed, in: place, whole)
  }

  /// Whether this user may mount a file system that only it sees.
  private static let mayMount = {
    let ending = try? Executable.shell("unshare -rm mount -t tmpfs -o size=64k none /mnt")
    return ending?.status == 0
  }()

  @Test(
    "A full disk ends a run with 1, says so, and loses nothing",
    .enabled(if: mayMount, "A small file system cannot be mounted here."))
  func survivesFullDisks() throws {
    let place = try Workplace()
    let (recipe, whole) = try whole(in: place)
    try FileManager.default.createDirectory(
      atPath: place.path("disk"), withIntermediateDirectories: true)
    let script = """
      mount -t tmpfs -o size=256k none "$2" || exit 99
      head -c 225000 /dev/zero >"$2/filler"
      "$APUS" simulate "$1" --out "$2/run" --checkpoint-every 0 --quiet >"$3/first.out" 2>"$3/first"
      echo $? >>"$3/first"
      rm "$2/filler"
      "$APUS" simulate --resume "$2/run" --format json
      status=$?
      cp -r "$2/run" "$3/run"
      exit $status
      """
    let ending = try Executable.shell(
      "exec unshare -rm sh -c \"$1\" sh \"$2\" \"$3\" \"$4\"", script, recipe, place.path("disk"),
      place.path)
    let first = try place.text(of: "first")
    #expect(first.contains("No space left on device") && first.hasSuffix("\n1\n"), "\(first)")
    #expect(first.contains(place.path("disk/run")) && first.contains("--resume"))
    try expectWhole("run", ending, in: place, whole)
  }

  @Test("Of two processes in one run directory the second ends with 1 and touches nothing")
  func keepsDirectoriesApart() throws {
    let place = try Workplace()
    let recipe = try place.write(Workplace.recipe, to: "recipe.json5")
    let run = place.path("run")
    let first = try Executable.Session([
      "simulate", recipe, "--out", run, "--set", "rounds=1000000", "--format", "jsonl",
    ])
    first.read(lines: 2)
    let second = try Executable.run(["simulate", "--resume", run])
    #expect(second.status == 1 && second.output.isEmpty)
    #expect(second.messages.contains("Another process is working in \(run)"))
    let third = try Executable.run(["simulate", recipe, "--out", run])
    #expect(third.status == 1 && third.messages.contains("\(run) is not empty"))
    #expect(third.messages.contains("apus simulate --resume \(run)"))
    first.send(SIGTERM)
    #expect(try first.end().status == 130)
    let rounds = try place.records(of: "run").map(\.round)
    #expect(rounds == Array(0..<rounds.count))
  }
}
