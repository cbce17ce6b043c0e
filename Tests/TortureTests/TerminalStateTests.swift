// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import OwnThreads
import Testing

/// What a coordinator was told is over stays over, whenever the aggregator was killed.
@Suite("Terminal states", .serialized, .ownThread)
struct TerminalStateTests: Sendable {
  private static let recipe = """
    {
      name: "ended", model: "logistic",
      data: { set: "digits", split: "iid", clients: 2 },
      algorithm: { fedavg: { localEpochs: 1, batchSize: 10, learningRate: 0.1 } },
      cohort: { fraction: 1 }, rounds: 5, serve: { overSelection: 1 }, seed: 3,
    }
    """

  private func state(of task: String, in federation: Federation) throws -> String? {
    try federation.json(["task", "show", task])["state"] as? String
  }

  @Test(
    "Nobody hears that a task is cancelled before that is durable, and it is never resumed after")
  func cancelled() throws {
    let federation = try Federation(clientCount: 2)
    let file = federation.directory.appendingPathComponent("recipe.json5")
    try Data(Self.recipe.utf8).write(to: file)
    var outcomes: Set<String> = []
    // The cancelling commit is one of the first after a start: each of them is killed before and after.
    for (index, failpoint) in ["beforeCommit", "afterCommitBeforeAck"].enumerated() {
      for count in 1...6 {
        let name = "task-\(index)-\(count)"
        try federation.command(["task", "run", file.path, "--name", name])
        try federation.restartHub(failpoint: "\(failpoint):\(count)")
        try? federation.waitUntilServing(within: 5)
        let watch = try ApusProcess(
          "watch-\(name)",
          ["task", "watch", name, "--format", "jsonl", "--hub", federation.hubDirectory],
          in: federation.directory)
        let answer = try? federation.command(["task", "cancel", name, "--format", "json"])
        let isAnnounced = try answer != nil || watch.output().contains("\"cancelled\"")
        watch.kill()
        try federation.restartHub()
        try federation.waitUntilServing()
        let after = try state(of: name, in: federation)
        if isAnnounced { #expect(after == "cancelled", "\(name)") }
        outcomes.insert(isAnnounced ? "announced" : after ?? "")
        // What is over is not taken up again, by anybody.
        if after == "cancelled" {
          try federation.command(["task", "resume", name], expecting: [1])
        } else {
          try federation.command(["task", "cancel", name])
        }
        try federation.restartHub()
        try federation.waitUntilServing()
        #expect(try state(of: name, in: federation) == "cancelled", "\(name)")
      }
    }
    // Kills came before the commit, after it, and not at all, or this proves little.
    #expect(outcomes == ["announced", "running", "cancelled"])
  }
}
