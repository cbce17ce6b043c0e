// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

/// What a program does to be small.
package enum MemoryUse {
  /// For a program in which few threads allocate at once; called before there are threads.
  package static func keepSmall() { apus_memory_share_arena() }

  /// Gives what was freed back to the system: when a program begins to wait.
  package static func giveBack() { apus_memory_give_back() }
}
