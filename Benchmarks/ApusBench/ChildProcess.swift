// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A process that is measured from outside, as the kernel tells.
///
/// The kernel begins a child's peak memory with its parent's at that moment, so a parent that has used
/// much memory must not measure: see `Works.swift`.
struct ChildProcess {
  /// From its start to its end.
  var seconds: Double
  /// From its start to the moment that was waited for.
  var secondsToMoment: Double?
  /// The largest resident size, in bytes.
  var peakMemory: Double

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - words: the program's path and its arguments.
  ///   - moment: asked every half millisecond, until it says yes.
  /// - Returns: what it took.
  /// - Throws: ``BenchmarkError`` where it cannot be run or fails.
  static func run(_ words: [String], until moment: (() -> Bool)? = nil) throws -> ChildProcess {
    var arguments = words.map { strdup($0) }
    defer { for argument in arguments { free(argument) } }
    arguments.append(nil)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Standard output is for figures.
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)

    var id: pid_t = 0
    let start = Timer.now()
    let code = posix_spawnp(&id, words[0], &actions, nil, arguments, environ)
    guard code == 0 else {
      throw BenchmarkError("\(words[0]) cannot be run: \(String(cString: strerror(code)))")
    }
    var status: Int32 = 0
    var usage = rusage()
    var secondsToMoment: Double?
    var isOver = false
    while let moment, secondsToMoment == nil, !isOver {
      if moment() { secondsToMoment = Timer.now() - start }
      isOver = wait4(id, &status, WNOHANG, &usage) == id
      if !isOver { usleep(500) }
    }
    if !isOver, wait4(id, &status, 0, &usage) != id {
      throw BenchmarkError("\(words[0]) cannot be waited for: \(String(cString: strerror(errno)))")
    }
    let seconds = Timer.now() - start
    guard status == 0 else {
      throw BenchmarkError("\(words.joined(separator: " ")) failed, status \(status >> 8)")
    }
    return ChildProcess(
      seconds: seconds, secondsToMoment: secondsToMoment,
      peakMemory: Double(usage.ru_maxrss) * 1024)
  }
}
