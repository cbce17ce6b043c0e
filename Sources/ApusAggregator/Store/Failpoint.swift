// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if APUS_FAILPOINTS
  internal import Synchronization
  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #else
    import Darwin
  #endif
#endif

/// A place where tests kill the process, to see that nothing that was promised is lost.
///
/// Compiled in with `APUS_FAILPOINTS` only (debug builds); in others `hit()` is nothing. The variable
/// `APUS_FAILPOINT=name:count` arms one: at its count-th hit (from 1) the process kills itself.
package enum Failpoint: String, CaseIterable, Sendable {
  /// A transaction is done but for its commit.
  case beforeCommit
  /// A transaction is durable, and nobody has been told.
  case afterCommitBeforeAck
  /// Some of a blob's bytes are in its file.
  case midBlob
  /// A blob's bytes are durable under a temporary name.
  case beforeRename
  /// Some of a round's updates are in the sum.
  case midFold
  /// A new model is a blob, and no version names it.
  case beforePublish

  #if APUS_FAILPOINTS
    /// Whether this build has failpoints.
    package static let isCompiledIn = true

    private static let armed: (failpoint: Failpoint, count: Int)? = {
      guard let value = getenv("APUS_FAILPOINT") else { return nil }
      let parts = String(cString: value).split(separator: ":")
      guard let name = parts.first, let failpoint = Failpoint(rawValue: String(name)) else {
        preconditionFailure("APUS_FAILPOINT names no failpoint.")
      }
      return (failpoint, parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }()
    private static let hitCount = Atomic<Int>(0)

    /// Kills the process, if this is the hit that was asked for.
    package func hit() {
      guard let armed = Self.armed, armed.failpoint == self else { return }
      let count = Self.hitCount.add(1, ordering: .relaxed).newValue
      if count == armed.count { kill(getpid(), SIGKILL) }
    }
  #else
    package static let isCompiledIn = false

    @inline(__always) package func hit() {}
  #endif
}
