// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusSimulation
import Foundation
import OwnThreads
import Testing

/// `--instruction-set`: kernels that were chosen, and the bytes that are the same everywhere.
@Suite(.ownThread) struct InstructionSetTests {
  /// Convolutions, pooling, a division by Dirichlet's distribution, a schedule with a cosine.
  private static let recipe = """
    {
      model: "mcmahan-cnn",
      data: { set: "digits", split: { dirichlet: { alpha: 0.5, minimum: 5 } }, clients: 20 },
      algorithm: { fedavg: {
        localEpochs: 2, batchSize: 10, learningRate: 0.1,
        schedule: { cosine: { rounds: 10, minimum: 0.1 } } } },
      cohort: { size: 3 }, rounds: 4, seed: 7,
    }
    """

  /// What every processor gets.
  ///
  /// It changes where an algorithm does, or the order of a kernel's additions:
  /// then by intention, and docs/Numerics.md says what is promised.
  private static let portableDigest =
    "72792ad1c477adfb82ff65c9f10fb1fb5c3ae2ad4171fc9b72dfe9d781c45018"

  private func simulate(
    _ set: String, in place: Workplace, _ words: String..., environment: [String: String] = [:]
  ) throws -> RunSummary {
    let recipe = try place.write(Self.recipe, to: "recipe.json5")
    let ending = try Executable.run(
      ["simulate", recipe, "--instruction-set", set, "--out", place.path(UUID().uuidString)]
        + ["--format", "json"] + words, environment: environment)
    #expect(ending.status == 0, "\(ending.messages)")
    return try ending.summary()
  }

  @Test("The portable set gives the bytes that it gives everywhere, with any number of threads")
  func portable() throws {
    let place = try Workplace()
    #expect(try simulate("portable", in: place).modelDigest == Self.portableDigest)
    #expect(
      try simulate("portable", in: place, "--threads", "3").modelDigest == Self.portableDigest)
    // A C library that takes this processor for an older one has nothing to do with it.
    let older = ["GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA"]
    #expect(
      try simulate("portable", in: place, environment: older).modelDigest == Self.portableDigest)
  }

  @Test("Every set of this machine trains to nearly the same loss; auto is the best one")
  func sets() throws {
    let place = try Workplace()
    let reference = try #require(try simulate("portable", in: place).lateLoss)
    for set in InstructionSet.available {
      let summary = try simulate(set.rawValue, in: place)
      #expect(abs((summary.lateLoss ?? .nan) / reference - 1) < 1e-2, "\(set.rawValue)")
      if set == .best {
        #expect(try simulate("auto", in: place).modelDigest == summary.modelDigest)
      }
    }
  }

  @Test("A run goes on with the set that it began with")
  func resumes() throws {
    let place = try Workplace()
    let recipe = try place.write(Self.recipe, to: "recipe.json5")
    let run = place.path("run")
    let session = try Executable.Session(
      ["simulate", recipe, "--instruction-set", "portable", "--out", run]
        + ["--format", "jsonl", "--checkpoint-every", "0"])
    session.read(lines: 2)
    session.send(SIGINT)
    #expect(try session.end().status == 130)
    #expect(try place.text(of: "run/recipe.json5").contains("instructionSet: \"portable\""))

    let refused = try Executable.run(["simulate", "--resume", run, "--instruction-set", "auto"])
    #expect(refused.status == 2 && refused.messages.contains("a run goes on as it began"))
    let ending = try Executable.run(["simulate", "--resume", run, "--format", "json"])
    #expect(try ending.summary().modelDigest == Self.portableDigest)
  }

  @Test("A set that the machine has not is refused with those that it has")
  func unavailable() throws {
    let place = try Workplace()
    let recipe = try place.write(Self.recipe, to: "recipe.json5")
    for set in InstructionSet.allCases where !InstructionSet.available.contains(set) {
      let ending = try Executable.run(["simulate", recipe, "--instruction-set", set.rawValue])
      #expect(ending.status == 1)
      #expect(ending.messages.contains("no \(set.rawValue); it has portable, baseline"))
    }
    let unknown = try Executable.run(["simulate", recipe, "--instruction-set", "sse"])
    #expect(unknown.status == 2 && unknown.messages.contains("expected auto, portable, baseline"))
  }
}
