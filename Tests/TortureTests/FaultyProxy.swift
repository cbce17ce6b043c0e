// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A TCP proxy between devices and an aggregator that does to connections what bad networks do.
///
/// Each connection draws its fate from the seed: nothing, a delay on every read, a cut after some bytes, one
/// corrupted byte, a half-closed direction, or a black hole that takes bytes and gives none.
final class FaultyProxy: Sendable {
  enum Fate: CaseIterable, Sendable {
    case passes, delays, cuts, corrupts, halfCloses, swallows
  }

  let port: Int
  private let listener: Int32
  private let upstream: Int
  private let seed: UInt64
  private let state = Mutex(State())

  private struct State {
    var fates: [Fate] = []
    var connectionCount = 0
    var faultCount = 0
    var isClosed = false
    var sockets: [Int32: Fate] = [:]
  }

  /// - Parameters:
  ///   - upstream: the aggregator's port on loopback.
  ///   - fates: what may happen to a connection.
  ///   - seed: the same seed gives the fates in the same order.
  /// - Throws: why there is no port.
  init(to upstream: Int, fates: [Fate], seed: UInt64) throws {
    self.upstream = upstream
    self.seed = seed
    (listener, port) = try Sockets.listener()
    state.withLock { $0.fates = fates }
    let thread = Thread { [self] in accept() }
    thread.name = "faulty-proxy"
    thread.start()
  }

  /// How many connections had something done to them.
  var faultCount: Int { state.withLock { $0.faultCount } }

  /// From now on every connection passes, and those that are swallowed are cut.
  func behave() {
    let swallowed = state.withLock { state in
      state.fates = [.passes]
      return state.sockets.filter { $0.value == .swallows || $0.value == .halfCloses }.map(\.key)
    }
    for socket in swallowed { _ = shutdown(socket, Int32(SHUT_RDWR)) }
  }

  func close() {
    let sockets = state.withLock { state in
      state.isClosed = true
      return Array(state.sockets.keys)
    }
    _ = shutdown(listener, Int32(SHUT_RDWR))
    for socket in sockets { _ = shutdown(socket, Int32(SHUT_RDWR)) }
  }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0, !state.withLock({ $0.isClosed }) else { break }
      let (fate, number) = state.withLock { state in
        state.connectionCount += 1
        var random = SeededGenerator(seed: seed &+ UInt64(state.connectionCount) &* 0x9E37_79B9)
        let fate = state.fates.randomElement(using: &random) ?? .passes
        if fate != .passes { state.faultCount += 1 }
        return (fate, state.connectionCount)
      }
      guard let server = Sockets.connect(to: upstream) else {
        _ = Glibc.close(client)
        continue
      }
      state.withLock {
        $0.sockets[client] = fate
        $0.sockets[server] = fate
      }
      var random = SeededGenerator(seed: seed ^ UInt64(number))
      let limit = Int.random(in: 500..<60_000, using: &random)
      let isUpload = Bool.random(using: &random)
      let ends = Ends(client: client, server: server, proxy: self)
      Thread { ends.pump(from: client, to: server, fate, after: limit, isVictim: isUpload) }.start()
      Thread { ends.pump(from: server, to: client, fate, after: limit, isVictim: !isUpload) }
        .start()
    }
    _ = Glibc.close(listener)
  }

  fileprivate func forget(_ sockets: [Int32]) {
    state.withLock { state in
      for socket in sockets { state.sockets[socket] = nil }
    }
  }
}

/// The two sockets of a connection, closed when both directions are done.
private final class Ends: Sendable {
  private let client: Int32
  private let server: Int32
  private let proxy: FaultyProxy
  private let open = Mutex(2)

  init(client: Int32, server: Int32, proxy: FaultyProxy) {
    self.client = client
    self.server = server
    self.proxy = proxy
  }

  /// Copies one direction; the victim is the direction that the fate befalls.
  func pump(
    from source: Int32, to target: Int32, _ fate: FaultyProxy.Fate, after limit: Int,
    isVictim: Bool
  ) {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    var passed = 0
    reading: while true {
      let count = read(source, &buffer, buffer.count)
      guard count > 0 else { break }
      let isDue = isVictim && passed + count > limit
      switch fate {
      case .passes: break
      case .delays: usleep(2_000)
      case .cuts where isDue:
        _ = shutdown(client, Int32(SHUT_RDWR))
        _ = shutdown(server, Int32(SHUT_RDWR))
        break reading
      case .corrupts where isDue && passed <= limit: buffer[limit - passed] ^= 0x40
      case .halfCloses where isDue:
        _ = shutdown(target, Int32(SHUT_WR))
        passed += count
        continue reading
      case .swallows where isDue:
        passed += count
        continue reading
      default: break
      }
      passed += count
      guard Sockets.writeAll(buffer[..<count], to: target) else { break }
    }
    _ = shutdown(target, Int32(SHUT_WR))
    let isLast = open.withLock { open in
      open -= 1
      return open == 0
    }
    if isLast {
      proxy.forget([client, server])
      _ = close(client)
      _ = close(server)
    }
  }
}
