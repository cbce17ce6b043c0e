// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Tasks as tests want them, and what must come of them.
extension Federation {
  /// The digest of the model that the simulator makes of a recipe.
  func simulatedDigest(of recipe: URL) throws -> String {
    let simulation = try ApusProcess(
      "simulate",
      [
        "simulate", recipe.path, "--out", directory.appendingPathComponent("run").path,
        "--format", "json",
      ], in: directory)
    guard simulation.status() == 0,
      let summary = try JSONSerialization.jsonObject(with: Data(simulation.output().utf8))
        as? [String: Any], let digest = summary["modelDigest"] as? String
    else { throw Failure(description: try simulation.messages()) }
    return digest
  }

  /// Waits for the task's end and for the aggregator's, which must be clean.
  func finish(_ task: String, within seconds: Int) throws {
    try command(["task", "wait", task, "--timeout", "\(seconds)"])
    let chain = try command(["doctor"], expecting: [0])
    #expect(!chain.isEmpty)
  }

  /// Enrols all devices, starts a task whose rounds need everybody and waits until three of them are over.
  ///
  /// - Returns: the digest that its model is to have in the end.
  func begin(_ task: String, rounds: Int) throws -> String {
    let recipe = """
      {
        name: "\(task)", model: "logistic",
        data: { set: "digits", split: "iid", clients: \(clientCount) },
        algorithm: { fedavg: { localEpochs: 1, batchSize: 10, learningRate: 0.1 } },
        cohort: { fraction: 1 }, rounds: \(rounds), system: { quorum: 1 },
        serve: { overSelection: 1, reportTimeout: 600 }, seed: 3,
      }
      """
    let file = directory.appendingPathComponent("recipe.json5")
    try Data(recipe.utf8).write(to: file)
    let expected = try simulatedDigest(of: file)
    try enrolDevices(recipe: "digits", split: "iid", seed: 3)
    try command(["task", "run", file.path, "--format", "json"])
    try command(["task", "wait", task, "--rounds", "3", "--timeout", "60"])
    return expected
  }

  /// Waits for the end of such a task: its model has this digest, and every device counts in every round, once.
  func expectEnd(of task: String, rounds: Int, digest: String) throws {
    try finish(task, within: 120)
    let model = try json(["model", "show", task])
    #expect(model["modelDigest"] as? String == digest)
    let published = try jsonRows(["round", "list", task])
      .filter { $0["state"] as? String == "published" }
    #expect(published.count == rounds)
    #expect(published.allSatisfy { $0["accepted"] as? Int == clientCount })
  }
}
