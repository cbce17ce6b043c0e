// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

/// SIGINT and SIGTERM: the first asks to stop, the second ends the process.
package enum Interruption {
  /// From now on the first signal is only counted; the person who sent it reads what happens.
  package static func watch(program: String = "apus") {
    _ = apus_signals_watch(
      "\n\(program): stopping with what is done kept; a second signal stops at once\n")
  }

  package static var isRequested: Bool { apus_signals_count() > 0 }

  /// Writing to a reader that has left is an error and not the end of a long run.
  package static func ignoreBrokenPipes() { _ = apus_signals_ignore_broken_pipes() }
}
