// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCommands
import ApusSimulation
import Foundation
import OwnThreads
import Testing

@testable import apus

/// The program as a shell runs it.
@Suite(.ownThread) struct ExecutableTests {
  private func run(
    _ words: String..., environment: [String: String] = [:]
  ) throws -> Executable.Ending {
    try Executable.run(words, environment: environment)
  }

  @Test("Help is a result")
  func helps() throws {
    let ending = try run("--help")
    #expect(ending.status == 0)
    #expect(ending.output.contains("Usage: apus COMMAND"))
    #expect(ending.messages.isEmpty)
    #expect(try run("simulate", "-h").output.contains("--resume DIR"))
  }

  @Test("The version is an object for scripts")
  func tellsVersion() throws {
    let ending = try run("version", "--format", "json")
    #expect(ending.status == 0)
    let object = try JSONSerialization.jsonObject(with: Data(ending.output.utf8))
    #expect((object as? [String: String])?["version"]?.isEmpty == false)
    #expect(try run("--version").output.hasPrefix("apus "))
  }

  @Test("Wrong words end with 2, on standard error alone, with the nearest right ones")
  func refusesWords() throws {
    let option = try run("simulate", "r.json5", "--thread", "1")
    #expect(option.status == 2 && option.output.isEmpty)
    let expected = "apus: simulate: unknown option --thread (did you mean --threads?)"
    #expect(option.messages.contains(expected))
    let command = try run("simluate")
    #expect(command.status == 2 && command.output.isEmpty)
    #expect(command.messages.contains("did you mean simulate?"))
    #expect(try run().status == 2)
    #expect(!command.messages.contains("\u{1B}"))
  }

  @Test("A missing or wrong recipe ends with 2 and names the file, the line and the key")
  func refusesRecipes() throws {
    let missing = try run("simulate", "/nowhere/recipe.json5")
    #expect(missing.status == 2 && missing.output.isEmpty)
    #expect(missing.messages.contains("/nowhere/recipe.json5: no such file"))
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-\(UUID().uuidString).json5")
    defer { try? FileManager.default.removeItem(at: file) }
    try "{\n  model: \"logistic\",\n  round: 3,\n}".write(
      to: file, atomically: true, encoding: .utf8)
    let wrong = try run("simulate", file.path)
    #expect(wrong.status == 2)
    #expect(wrong.messages.contains("\(file.path):3: round: unknown key"))
    #expect(wrong.messages.contains("(did you mean rounds?)"))
  }

  @Test("A reader that leaves early does not fail the program, a full disk does")
  func survivesReaders() throws {
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = [
      "-c", "'\(Executable.url.path)' help 2>/dev/full >/dev/full; echo $?",
    ]
    let output = Pipe()
    shell.standardOutput = output
    try shell.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    shell.waitUntilExit()
    #expect(String(decoding: text, as: UTF8.self) == "1\n")
  }

  @Test("The scripts for shells are ones", arguments: ["bash", "zsh", "fish"])
  func completes(shell: String) throws {
    let script = try run("completions", shell)
    #expect(script.status == 0)
    for word in ["simulate", "sweep", "resume", "data", "split", "fashion-mnist", "jsonl"] {
      #expect(script.output.contains(word), "\(word)")
    }
    let paths = ["/bin/\(shell)", "/usr/bin/\(shell)", "/usr/local/bin/\(shell)"]
    guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
      return  // Not every machine has every shell.
    }
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try script.output.write(to: file, atomically: true, encoding: .utf8)
    let check = Process()
    check.executableURL = URL(fileURLWithPath: path)
    check.arguments = ["-n", file.path]
    try check.run()
    check.waitUntilExit()
    #expect(check.terminationStatus == 0)
  }

  @Test("The first signal is counted and the second ends the program with 130")
  func countsSignals() async {
    await #expect(processExitsWith: .exitCode(130)) {
      Interruption.watch()
      guard !Interruption.isRequested else { exit(3) }
      raise(SIGTERM)
      guard Interruption.isRequested else { exit(4) }
      raise(SIGINT)
    }
  }

  private static let recipe = """
    { model: "logistic", data: { set: "digits", split: "iid", clients: 20 },
      algorithm: { fedavg: { localEpochs: 1, batchSize: 10, learningRate: 0.1 } },
      cohort: { fraction: 1 }, rounds: 60, evaluate: { every: 10 } }
    """

  @Test(
    "A run that a signal stops ends with 130, and resumed has the bytes of one that ran through")
  func stopsAndResumes() throws {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let recipe = directory.appendingPathComponent("recipe.json5").path
    try Self.recipe.write(toFile: recipe, atomically: true, encoding: .utf8)
    let (whole, parts) = (directory.path + "/whole", directory.path + "/parts")
    let uninterrupted = try run("simulate", recipe, "--out", whole, "--format", "json")
    #expect(uninterrupted.status == 0, "\(uninterrupted.messages)")

    let process = Process()
    process.executableURL = Executable.url
    process.arguments = ["simulate", recipe, "--out", parts, "--format", "jsonl", "--quiet"]
    let (output, messages) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = messages
    try process.run()
    // The first round is on its way out: there are many to come.
    _ = output.fileHandleForReading.availableData
    process.interrupt()
    _ = try output.fileHandleForReading.readToEnd()
    let errors = try messages.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(String(decoding: errors, as: UTF8.self).contains("apus simulate --resume \(parts)"))

    let resumed = try run("simulate", "--resume", parts, "--format", "json")
    #expect(resumed.status == 0, "\(resumed.messages)")
    let summaries = try [uninterrupted, resumed].map {
      try JSONDecoder().decode(RunSummary.self, from: Data($0.output.utf8))
    }
    #expect(summaries[0].modelDigest == summaries[1].modelDigest)
    #expect(summaries[1].outcome == .completed && summaries[1].rounds == 60)
  }

  @Test("bash completes commands, groups, options and choices")
  func completesInBash() throws {
    let script = try run("completions", "bash").output
    let probe = """
      try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _apus; echo "${COMPREPLY[*]}"; }
      try apus si; try apus data sp; try apus data split mn; try apus simulate --se
      try apus simulate --format js; try apus completions f; try apus help sw
      """
    let bash = Process()
    bash.executableURL = URL(fileURLWithPath: "/bin/bash")
    bash.arguments = ["-c", script + "\n" + probe]
    let output = Pipe()
    bash.standardOutput = output
    try bash.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    bash.waitUntilExit()
    #expect(
      String(decoding: text, as: UTF8.self) == """
        simulate
        split
        mnist mnist-writers
        --seed --set
        json jsonl
        fish
        sweep

        """)
  }
}
