// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

@testable import ApusAggregator

/// A directory of a test's own, removed with it.
final class StoreWorkplace: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "apus-store-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { path + "/" + name }
}

/// What was told to a closure, from whatever thread.
final class Told<Value: Sendable>: Sendable {
  private let all = Mutex<[Value]>([])

  var values: [Value] { all.withLock { $0 } }

  func add(_ value: Value) { all.withLock { $0.append(value) } }
}
