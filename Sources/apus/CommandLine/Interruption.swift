// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

/// SIGINT and SIGTERM: the first asks to stop, the second ends the process.
enum Interruption {
  /// From now on the first signal is only counted; the person who sent it reads what happens.
  static func watch() {
    _ = apus_signals_watch(
      "\napus: stopping with what is done kept; a second signal stops at once\n")
  }

  static var isRequested: Bool { apus_signals_count() > 0 }

  /// Writing to a reader that has left is an error and not the end of a long run.
  static func ignoreBrokenPipes() { _ = apus_signals_ignore_broken_pipes() }
}
