// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAggregator
internal import ApusCommands
internal import ApusCoordination
internal import ApusNumerics
internal import ApusSimulation
internal import ApusTransport
internal import Foundation

/// `apus serve`: the aggregator.
struct Serve: Command {
  private static let directory = Option(
    "data-dir", .directory, "DIR",
    "Where everything is kept: certificates, tasks, models; hub if not said.")
  private static let listen = Option(
    "listen", .text, "HOST:PORT",
    "The address to listen on; 0.0.0.0:8443 if not said. Port 0 is any that is free.")
  private static let name = Option(
    "name", .text, "NAME",
    "A name or address that devices reach this machine by; the first one is in invitations. If not said: the "
      + "machine's own name, or the address that is listened on.", isRepeatable: true)
  private static let federation = Option(
    "federation", .text, "NAME",
    "The federation's name, in all certificates; only for a new directory.")
  private static let certificate = Option(
    "certificate", .file, "FILE",
    "An organization's certificate for this server (PEM), in the place of one that "
      + "is made here. Needs --key and --client-ca.")
  private static let key = Option(
    "key", .file, "FILE", "Its key (PEM), which only its owner may read.")
  private static let clientAuthority = Option(
    "client-ca", .file, "FILE",
    "The authority that devices' and operators' certificates come from (PEM).")
  private static let quota = Option(
    "quota", .text, "SIZE",
    "What models and updates may take on the disk, for example 50GB; nine tenths of what is free if not said."
  )
  private static let log = Option(
    "log", .file, "FILE", "Where the log goes, JSON lines; standard error if not said.")
  private static let grace = Option(
    "grace", .text, "SECONDS",
    "How long rounds that run may take to finish after SIGTERM; 0, if not said: they go on after the next start."
  )

  static let grammar = Grammar(
    name: "serve",
    summary: "Be the aggregator: let devices join, run rounds, keep models.",
    details: """
      The first start makes an authority, the server's and the operator's identity under the data directory, \
      and prints an invitation for devices. Nobody edits a certificate. On this machine the operator's commands \
      find the aggregator by its data directory (--hub DIR); on another, after 'apus invite --role operator' and \
      'apus join'.
      What was acknowledged survives a kill or a power failure; the next start goes on. SIGTERM and 'apus drain' \
      end it in order, with 0; a second signal ends it at once.
      """,
    options: [
      directory, listen, name, federation, certificate, key, clientAuthority, quota, log, grace,
    ],
    examples: [
      "apus serve --data-dir hub",
      "apus serve --data-dir /var/lib/apus --listen 0.0.0.0:8443 --name fl.example.org",
    ])

  private let configuration: AggregatorConfiguration
  private let grace: Int

  init(_ words: Words) throws(UsageError) {
    var configuration = AggregatorConfiguration(directory: words.value(Self.directory) ?? "hub")
    let place = words.value(Self.listen) ?? "0.0.0.0:8443"
    guard let (host, port) = HubProfile.hostAndPort(place) else {
      throw words.failure("--listen \(place), expected HOST:PORT, for example 0.0.0.0:8443")
    }
    configuration.version = ApusVersion.current
    configuration.host = host
    configuration.port = port
    for name in words.values(Self.name) {
      guard HostName(name) != nil else {
        throw words.failure("--name \(name), expected a host's name or an address")
      }
      configuration.names.append(name)
    }
    if configuration.names.isEmpty {
      let isWildcard = ["0.0.0.0", "::"].contains(host)
      configuration.names = [isWildcard ? ProcessInfo.processInfo.hostName : host]
        .filter { HostName($0) != nil }
    }
    configuration.federation = words.value(Self.federation)
    configuration.certificates = try Self.certificates(words)
    if let text = words.value(Self.quota) {
      guard let bytes = Self.bytes(text) else {
        throw words.failure("--quota \(text), expected a size, for example 500MB or 50GB")
      }
      configuration.blobQuota = bytes
    }
    configuration.logFile = words.value(Self.log)
    self.configuration = configuration
    grace = try words.integer(Self.grace, in: 0...86_400) ?? 0
  }

  private static func certificates(_ words: Words) throws(UsageError) -> OrganizationCertificates? {
    switch (words.value(certificate), words.value(key), words.value(clientAuthority)) {
    case (nil, nil, nil): return nil
    case (let certificate?, let key?, let authority?):
      return OrganizationCertificates(
        certificateFile: certificate, keyFile: key, clientAuthorityFile: authority)
    default:
      throw words.failure("--certificate, --key and --client-ca, expected all three or none")
    }
  }

  /// The bytes of `1000`, `64kB`, `500MB`, `50GB`, `1TB`.
  static func bytes(_ text: String) -> UInt64? {
    let units: [(String, UInt64)] = [
      ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
    ]
    let unit = units.first { text.lowercased().hasSuffix($0.0.lowercased()) }
    let digits = text.dropLast(unit?.0.count ?? 0)
    guard let number = UInt64(digits), number > 0 else { return nil }
    let (bytes, overflows) = number.multipliedReportingOverflow(by: unit?.1 ?? 1)
    return overflows ? nil : bytes
  }

  private struct Standing: Encodable {
    /// Where operators on this machine reach it.
    let address: String
    let dataDirectory: String
    let federation: String?
    /// For devices; only after the first start.
    let invitation: String?
  }

  nonisolated(nonsending) func run(on console: Console) async throws -> ExitCode {
    Interruption.watch()
    Self.raiseFileLimit()
    let aggregator = Aggregator(configuration)
    let port = try await aggregator.start()
    let standing = Standing(
      address: try publishAddress(port: port), dataDirectory: configuration.directory,
      federation: aggregator.federation, invitation: aggregator.firstInvitation)
    if console.format == .text {
      print(standing, on: console)
    } else {
      try console.print(json: standing)
    }
    // What the start took and does not need any more.
    MemoryUse.giveBack()
    let sentinel = Task {
      while !Interruption.isRequested {
        if (try? await Task.sleep(for: .milliseconds(100))) == nil { return }
      }
      await aggregator.drain(grace: .seconds(grace))
    }
    defer { sentinel.cancel() }
    try await aggregator.run()
    console.note("drained; what was acknowledged is in \(configuration.directory)")
    return .done
  }

  /// Writes down where commands on this machine find it.
  private func publishAddress(port: Int) throws -> String {
    let host =
      switch configuration.host {
      case "0.0.0.0": "127.0.0.1"
      case "::": "::1"
      default: configuration.host
      }
    let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    try DurableFile.write(
      Array((address + "\n").utf8), to: "\(configuration.directory)/\(HubProfile.addressFile)")
    return address
  }

  private func print(_ standing: Standing, on console: Console) {
    if let invitation = standing.invitation {
      console.note(
        "A new federation. Devices join with this invitation, which is as good as a password:\n")
      Invite.printPicture(of: invitation, on: console)
      console.print(invitation)
      console.note("\n  apus join 'INVITATION' --data DIR      on each device")
      console.note(
        "  apus task run RECIPE --watch           here, or --hub \(standing.dataDirectory)\n")
    }
    console.print("serving at \(standing.address), data in \(standing.dataDirectory)")
  }

  /// As many connections as the system allows this process.
  private static func raiseFileLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
