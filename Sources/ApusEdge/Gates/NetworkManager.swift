// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the system's network service says, asked through its own tool.
enum NetworkManager {
  /// Whether the connections in use are metered: the first `yes…`, else what the first one says.
  ///
  /// - Returns: nil where there is no `nmcli` or it does not answer.
  static func metered() -> String? {
    guard
      let output = output(
        of: "nmcli", ["--terse", "--fields", "GENERAL.METERED", "device", "show"])
    else { return nil }
    let answers = output.split(separator: "\n").compactMap { line -> String? in
      let parts = line.split(separator: ":", maxSplits: 1)
      return parts.count == 2 ? String(parts[1]) : nil
    }
    return answers.first { $0.hasPrefix("yes") } ?? answers.first
  }

  /// Runs a program of the search path; nil where it cannot be run or fails.
  private static func output(of program: String, _ words: [String]) -> String? {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addclose(&actions, ends[0])
    posix_spawn_file_actions_addclose(&actions, ends[1])
    var arguments: [UnsafeMutablePointer<CChar>?] = ([program] + words).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    let status = posix_spawnp(&child, program, &actions, nil, &arguments, environ)
    close(ends[1])
    guard status == 0 else { return nil }
    let bytes = StateFile.readAll(ends[0], limit: 1 << 16)
    var ending: Int32 = 0
    while waitpid(child, &ending, 0) < 0 && errno == EINTR {}
    return ending == 0 ? String(decoding: bytes, as: UTF8.self) : nil
  }
}
