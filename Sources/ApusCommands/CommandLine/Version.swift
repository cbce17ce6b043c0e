// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// `apus version`.
package struct Version: Command {
  package static let grammar = Grammar(
    name: "version", summary: "Tell which Apus this is.", examples: ["apus version --format json"])

  package init(_ words: Words) throws(UsageError) {}

  package func run(on console: Console) throws -> ExitCode {
    if console.format == .text {
      console.print("\(console.program) \(ApusVersion.current)")
    } else {
      console.print(json: .members(["version": .text(ApusVersion.current)]))
    }
    return .done
  }
}
