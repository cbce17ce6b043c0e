// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// `apus invite`: lets somebody join.
struct Invite: Command {
  private static let uses = Option(
    "uses", .text, "N", "How many may join with it, 1 to 1000000; 1 if not said.")
  private static let expires = Option(
    "expires", .text, "TIME", "How long it holds: a number and s, m, h or d; 24h if not said.")
  private static let role = Option(
    "role", .choice(["device", "operator", "auditor"]), "ROLE",
    "What they may do: device (take part in rounds), operator (all that this program can), auditor (read); "
      + "device if not said.")
  static let label = Option(
    "label", .text, "KEY=VALUE",
    "A label of every device that joins with it; a task can ask for labels.",
    isRepeatable: true)
  private static let noPicture = Option(
    flag: "no-qr", "Leave out the picture that a telephone reads.")

  static let grammar = Grammar(
    name: "invite",
    summary: "Print an invitation, which lets a device or a person join.",
    details: """
      Whoever has the invitation can join, as often as it says and as long as it holds: send it as you would \
      send a password. 'apus join INVITATION' on the other machine makes a key there, checks that it speaks to \
      this aggregator, and gets a certificate.
      """,
    options: [uses, expires, role, label, noPicture, HubAccess.option],
    examples: [
      "apus invite", "apus invite --uses 100 --expires 7d --label site=north",
      "apus invite --role auditor --format json",
    ])

  private let hub: HubAccess
  private let request: Proto.CreateInvitationRequest
  private let showsPicture: Bool

  init(_ words: Words) throws(UsageError) {
    hub = HubAccess(words)
    var request = Proto.CreateInvitationRequest()
    request.uses = try words.integer(Self.uses, in: 1...1_000_000) ?? 1
    request.role = words.value(Self.role) ?? "device"
    let text = words.value(Self.expires) ?? "24h"
    guard let seconds = Self.seconds(text), (60...31_536_000).contains(seconds) else {
      throw words.failure("--expires \(text), expected for example 90m, 24h or 7d; at most 365d")
    }
    request.lifetimeMs = UInt64(seconds) * 1000
    request.labels = try Self.labels(words)
    self.request = request
    showsPicture = !words.contains(Self.noPicture)
  }

  /// The pairs that `--label` says.
  static func labels(_ words: Words) throws(UsageError) -> [String: String] {
    var labels: [String: String] = [:]
    for text in words.values(label) {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, parts.allSatisfy({ $0.utf8.count <= 100 }) else {
        throw words.failure("--label \(text), expected KEY=VALUE of at most 100 bytes each")
      }
      guard labels.updateValue(String(parts[1]), forKey: String(parts[0])) == nil else {
        throw words.failure("--label \(parts[0]) is given twice")
      }
    }
    guard labels.count <= 16 else {
      throw words.failure("\(labels.count) labels, expected at most 16")
    }
    return labels
  }

  /// The seconds of `90`, `90s`, `15m`, `24h`, `7d`.
  static func seconds(_ text: String) -> Int? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    let unit = text.last.flatMap { units[$0] }
    guard let number = Int(unit == nil ? text[...] : text.dropLast()), number > 0 else {
      return nil
    }
    let (seconds, overflows) = number.multipliedReportingOverflow(by: unit ?? 1)
    return overflows ? nil : seconds
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    let invitation = try await hub.use(on: console) { try await $0.invite(request) }
    let answer = InvitationDescription(invitation)
    guard console.format == .text else {
      try console.print(json: answer)
      return .done
    }
    if showsPicture { Self.printPicture(of: answer.url, on: console) }
    console.print(answer.url)
    console.note(
      "\nfor \(answer.uses == 1 ? "one \(answer.role)" : "\(Cell.count(answer.uses)) of role \(answer.role)")"
        + (answer.expires.map { ", until \($0)" } ?? ""))
    return .done
  }

  /// The picture, where a person sees it and it fits.
  static func printPicture(of url: String, on console: Console) {
    guard console.messages.isInteractive, console.verbosity > .quiet,
      let picture = QRPicture(of: url), picture.width <= console.messages.width
    else { return }
    for line in picture.lines(usesColor: console.messages.usesColor) { console.note(line) }
    console.note("")
  }
}
