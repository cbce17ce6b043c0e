// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
internal import ApusEdge
internal import ApusTransport
internal import Foundation

/// `apus join`: a device takes part.
struct JoinCommand: Command {
  private static let data = Option(
    "data", .directory, "PATH",
    "The device's examples: a folder with apus-data.json5 or with files that speak for themselves.")
  private static let set = Option(
    "set", .text, "KEY=VALUE", "A key of apus-data.json5, for example classes=10.",
    isRepeatable: true)
  static let state = Option(
    "state", .directory, "DIR",
    "Where the device's identity and unfinished work are; ~/.local/state/apus/HOST_PORT.")
  private static let name = Option("name", .text, "NAME", "What people call the device.")
  private static let label = Option(
    "label", .text, "KEY=VALUE", "A label to choose devices by, when joining.", isRepeatable: true)
  private static let when = Option(
    "when", .text, "GATES",
    "Train only when idle, charging, unmetered, cool:75, battery:40; with commas between them.")
  private static let hours = Option(
    "hours", .text, "FROM-TO", "Train only between two times of day, for example 22-6.")
  private static let memory = Option(
    "memory-limit", .text, "MB", "Refuse plans whose training would take more.")
  private static let time = Option(
    "time-limit", .text, "SECONDS", "Give a round's training back after so long.")
  private static let nice = Option(
    "nice", .text, "N", "How much everything else comes before training, 0 to 19; 10.")
  private static let sleeps = Option(
    flag: "sleep", "Hold no connection between rounds; come back in the windows given.")
  private static let rounds = Option(
    "rounds", .text, "N", "End after N updates of this process were accepted.")

  static let grammar = Grammar(
    name: "join",
    summary: "Take part in a federation with the data of this device.",
    details: """
      With an invitation the device makes its key, gets a certificate for it, and from then on needs \
      no invitation: 'apus join --state DIR' goes on. The examples never leave the device.
      Ctrl-C stops; what is trained is kept and handed in the next time. One thread trains, at a low \
      priority. An operator's or auditor's invitation needs no --data: it is taken up, and that is all.
      """,
    arguments: [
      Argument("INVITATION", .text, .optional, "What 'apus invite' printed: apus://…, in quotes.")
    ],
    options: [
      data, set, state, name, label, when, hours, memory, time, nice, sleeps, rounds,
    ],
    formats: [.text, .jsonl],
    examples: [
      "apus join 'apus://hub:8443/?token=…&ca=sha256:…' --data ./my-digits",
      "apus join --state device1 --when idle,charging --hours 22-6",
    ])

  private let invitation: Invitation?
  private let state: String?
  private let name: String?
  private let labels: [String: String]
  private let settings: DeviceSettings
  /// Which settings were said, so that the others are what they were.
  private let said: Set<String>
  private let rounds: Int?

  init(_ words: Words) throws(UsageError) {
    if let url = words.argument() {
      do { invitation = try Invitation(url: url) } catch { throw words.failure(error.message) }
    } else {
      invitation = nil
      for option in [Self.name, Self.label] where words.contains(option) {
        throw words.failure("--\(option.name) without an invitation: the device has joined")
      }
    }
    state = words.value(Self.state)
    name = words.value(Self.name)
    var labels: [String: String] = [:]
    for text in words.values(Self.label) {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw words.failure("--label \(text), expected KEY=VALUE") }
      labels[parts[0]] = parts[1]
    }
    self.labels = labels
    rounds = try words.integer(Self.rounds, in: 1...1_000_000)
    var settings = DeviceSettings()
    if let path = words.value(Self.data) {
      settings.data =
        path.hasPrefix("/")
        ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
    settings.dataSettings = words.values(Self.set)
    settings.gates = (words.value(Self.when) ?? "").split(separator: ",").map(String.init)
    settings.hours = words.value(Self.hours)
    settings.memoryLimit = try words.integer(Self.memory, in: 1...1 << 30).map { $0 << 20 }
    settings.timeLimit = try words.integer(Self.time, in: 1...1_000_000)
    settings.niceness = try words.integer(Self.nice, in: 0...19) ?? 10
    settings.sleeps = words.contains(Self.sleeps)
    do { _ = try settings.trainingGates() } catch { throw words.failure(error.message) }
    self.settings = settings
    let options = [
      Self.data, Self.set, Self.when, Self.hours, Self.memory, Self.time, Self.nice, Self.sleeps,
    ]
    said = Set(options.filter(words.contains).map(\.name))
  }

  func run(on console: Console) async throws -> ExitCode {
    Interruption.watch()
    let progress = ProgressLine("Joining", on: console)
    defer { progress.finish() }
    guard let directory = directory(console.environment) else {
      throw UsageError(
        "no device has joined from here: expected an invitation, or --state DIR", command: "join")
    }
    if let ending = try await join(directory, progress, console) { return ending }
    // Nothing is kept of a device that has not joined.
    _ = try EdgeMember(in: directory)
    guard let settings = try settled(directory) else {
      throw UsageError(
        "--data is missing: expected the folder of the device's examples", command: "join")
    }
    progress.update("Reading \(settings.data ?? "")")
    let examples = try LocalData.load(settings.data ?? "", setting: settings.dataSettings)
    progress.note(
      "\(Cell.count(examples.count)) examples of \(examples.inputShape); state in \(directory)")
    let policy = try policy(settings)
    let client = EdgeClient(examples: examples, state: directory, policy: policy)
    return try await follow(client, progress, console)
  }

  private func directory(_ environment: [String: String]) -> String? {
    if let state { return state }
    guard let invitation else { return DevicePlaces.only(environment) }
    let address = "\(invitation.host):\(invitation.port)"
    guard settings.data != nil else {
      let home = environment["XDG_CONFIG_HOME"] ?? (environment["HOME"] ?? ".") + "/.config"
      return home + "/apus/hubs/" + DevicePlaces.name(of: address)
    }
    return DevicePlaces.directory(for: address, environment)
  }

  /// Takes the invitation up, where there is one; once it is, this finds that it was.
  ///
  /// - Returns: how the command ends, where it ends here.
  private func join(
    _ directory: String, _ progress: ProgressLine, _ console: Console
  ) async throws -> ExitCode? {
    guard let invitation else { return nil }
    let member: EdgeMember
    do {
      member = try await EdgeMember.join(
        invitation.url, name: name ?? ProcessInfo.processInfo.hostName, labels: labels,
        state: directory)
    } catch {
      progress.finish()
      console.complain(error.message)
      return error.code == .unreachable || error.code == .refused ? .unreachable : .failed
    }
    progress.note("joined \(member.address) as \(member.role) \(member.id)")
    if console.format == .jsonl {
      progress.print(try console.jsonLine(Member(member, state: directory)))
    }
    guard member.role == "device" else {
      progress.finish()
      if console.format == .text { console.print(directory) }
      return .done
    }
    return nil
  }

  private struct Member: Encodable {
    let event = "joined"
    let role: String
    let device: String
    let number: UInt64?
    let federation: String
    let address: String
    let state: String

    init(_ member: EdgeMember, state: String) {
      (role, device, number) = (member.role, member.id, member.number)
      (federation, address) = (member.federation, member.address)
      self.state = state
    }
  }

  /// What was said, over what was kept; nil where nobody ever said where the data are.
  private func settled(_ directory: String) throws -> DeviceSettings? {
    var settled = DeviceSettings.load(from: directory) ?? DeviceSettings()
    if said.contains("data") {
      settled.data = settings.data
      settled.dataSettings = []
    }
    if said.contains("set") { settled.dataSettings = settings.dataSettings }
    if said.contains("when") { settled.gates = settings.gates }
    if said.contains("hours") { settled.hours = settings.hours }
    if said.contains("memory-limit") { settled.memoryLimit = settings.memoryLimit }
    if said.contains("time-limit") { settled.timeLimit = settings.timeLimit }
    if said.contains("nice") { settled.niceness = settings.niceness }
    if said.contains("sleep") { settled.sleeps = settings.sleeps }
    guard settled.data != nil else { return nil }
    if !said.isEmpty { try settled.save(to: directory) }
    return settled
  }

  private func policy(_ settings: DeviceSettings) throws -> EdgePolicy {
    var policy = EdgePolicy()
    policy.gates = try settings.trainingGates()
    policy.staysConnected = !settings.sleeps
    policy.roundLimit = rounds
    policy.memoryLimit = settings.memoryLimit
    policy.timeLimit = settings.timeLimit.map { .seconds($0) }
    policy.niceness = settings.niceness
    return policy
  }

  /// Runs the client and shows what it does, until it ends or a signal asks for it.
  private func follow(
    _ client: EdgeClient, _ progress: ProgressLine, _ console: Console
  ) async throws -> ExitCode {
    progress.update("Connecting")
    let signals = Task {
      while !Interruption.isRequested {
        guard (try? await Task.sleep(for: .milliseconds(200))) != nil else { return }
      }
      client.stop()
    }
    let shown = Task {
      var update: EdgeEvent.Update?
      for await event in client.events {
        if case .trained(_, let learned) = event { update = learned }
        if console.format == .jsonl {
          let line = try? console.jsonLine(DeviceEventLine(event))
          if let line { progress.print(line) }
        } else if let note = DeviceEventLine.note(event, update: update) {
          progress.note(note)
        }
        if let text = DeviceEventLine.progress(event) { progress.update(text) }
      }
    }
    defer { signals.cancel() }
    do {
      try await client.run()
      await shown.value
    } catch {
      await shown.value
      progress.finish()
      console.complain(error.message)
      return error.code == .refused || error.code == .unreachable ? .unreachable : .failed
    }
    progress.finish()
    guard Interruption.isRequested else { return .done }
    console.note("stopped; 'apus join --state DIR' goes on")
    return .interrupted
  }
}
