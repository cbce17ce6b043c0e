// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A device's part of Apus and nothing else: small, because it stays in the memory of somebody's machine.
///
/// It has no Foundation, no aggregator and no simulator in it.
@main
struct ApusDevice: CommandProgram {
  static let title =
    "Apus on a device: it trains on its own examples, and hands in what it learned."

  static let commands: [any Command.Type] = [
    JoinCommand.self, DeviceStatus.self, Help<ApusDevice>.self, Version.self,
  ]

  /// What the environment may say.
  private static let variables = ["HOME", "NO_COLOR", "TERM", "XDG_CONFIG_HOME", "XDG_STATE_HOME"]

  static func main() async {
    MemoryUse.keepSmall()
    Interruption.ignoreBrokenPipes()
    var environment: [String: String] = [:]
    for name in variables {
      if let value = getenv(name) { environment[name] = String(cString: value) }
    }
    let console = Console(
      program: "apus-device",
      output: Terminal(descriptor: STDOUT_FILENO, environment: environment),
      messages: Terminal(descriptor: STDERR_FILENO, environment: environment),
      environment: environment)
    let words = Array(CommandLine.arguments.dropFirst())
    let status = await Dispatch(ApusDevice.self, console: console).run(words)
    // Not exit(): threads of the transport may still be at work, and what OpenSSL and others clean up at
    // exit would be taken from under them. Results are written when they are printed.
    _exit(status.rawValue)
  }
}
