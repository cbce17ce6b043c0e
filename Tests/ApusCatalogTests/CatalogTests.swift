// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import DataFixtures
import Foundation
import Testing

@testable import ApusCatalog

struct CatalogTests {
  @Test("It looks where it is told, in APUS_DATA, in the cache, and at Debian's")
  func places() {
    let environment = ["APUS_DATA": "/a:/b", "HOME": "/home/h"]
    #expect(
      DataCatalog(directory: "/d", environment: environment).places
        == ["/d", "/a", "/b", "/home/h/.cache/apus/data", "/usr/share/datasets"])
    #expect(
      DataCatalog(environment: ["XDG_CACHE_HOME": "/x", "HOME": "/h"]).places
        == ["/x/apus/data", "/usr/share/datasets"])
  }

  @Test("The digits come along: 1,438 to train on and 359 to measure on, always the same")
  func digits() throws {
    let catalog = DataCatalog(environment: [:])
    #expect(catalog.location(of: try .named("digits")) == .bundled)
    let data = try catalog.load("digits")
    #expect(data.train.count == 1438)
    #expect(data.test?.count == 359)
    #expect(data.train.inputShape == [8, 8, 1])
    guard case .bytes(let region, 0.0625, 0) = data.train.inputs else {
      return #expect(Bool(false))
    }
    #expect(array(region).max() == 16)
    let first = Array(array(region).prefix(8))
    #expect(first == (try digitsPrefix()))
    let labels = (data.train.labels ?? []) + (data.test?.labels ?? [])
    // As scikit-learn counts them.
    #expect(
      (0..<10).map { digit in labels.count { $0 == digit } }
        == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    #expect(
      data.digests["digits/digits.csv"]
        == "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8")
  }

  /// The first pixels of the row that the documented order puts first.
  private func digitsPrefix() throws -> [UInt8] {
    var order = Array(0..<1797)
    var stream = RandomStream(seed: 80)
    stream.shuffle(&order)
    let path = try #require(DataCatalog.bundledDigits)
    let lines = try TextLines(parsing: FileContents(of: path)).lines
    return lines[order[0]].split(separator: ",").prefix(8).compactMap { UInt8($0) }
  }

  @Test("A set that is not there: where to get it, its digests, where it was looked for")
  func missing() throws {
    let scratch = try ScratchDirectory()
    try scratch.write([1], to: "mnist/train-images-idx3-ubyte")
    let catalog = DataCatalog(directory: scratch.path, environment: [:])
    #expect(catalog.location(of: try .named("mnist")) == .missing)
    let error = #expect(throws: DataError.self) { try catalog.load("mnist") }
    #expect(error?.code == .missingSet)
    let message = error?.message ?? ""
    #expect(message.contains("\(scratch.path)/mnist (does not have all files)"))
    #expect(message.contains("/usr/share/datasets/mnist (is not there)"))
    #expect(message.contains("mnist/t10k-labels-idx1-ubyte[.gz]  ff7bcfd416de3373"))
    #expect(message.contains("--data-dir"))
  }

  @Test("A file with other bytes than the known ones is an error with both digests")
  func digestMismatch() throws {
    let scratch = try ScratchDirectory()
    try scratch.write(Array("1,M,2\n".utf8), to: "breast-cancer-wdbc/wdbc.data")
    // The directory itself may be the set's.
    for directory in [scratch.path, "\(scratch.path)/breast-cancer-wdbc"] {
      let catalog = DataCatalog(directory: directory, environment: [:])
      let error = #expect(throws: DataError.self) { try catalog.load("breast-cancer-wdbc") }
      #expect(error?.code == .digestMismatch)
      #expect(error?.file?.hasSuffix("/wdbc.data") == true)
      #expect(error?.message.contains("d606af411f3e5be8a317a5a8b652b425") == true)
      #expect(error?.message.contains(file("1,M,2\n").digest) == true)
    }
  }

  @Test("A file that inflates to more than the known size is refused before it does")
  func bomb() throws {
    let scratch = try ScratchDirectory()
    try scratch.write(
      gzipped([UInt8](repeating: 0, count: 200_000)), to: "breast-cancer-wdbc/wdbc.data.gz")
    let catalog = DataCatalog(directory: scratch.path, environment: [:])
    let error = #expect(throws: DataError.self) { try catalog.load("breast-cancer-wdbc") }
    #expect(error?.code == .tooLarge)
  }

  @Test("An unknown name is an error with the known ones")
  func unknown() {
    let error = #expect(throws: DataError.self) { try DataCatalog(environment: [:]).load("mnits") }
    #expect(error?.code == .unknownSet)
    #expect(error?.message.contains("fashion-mnist, mnist,") == true)
  }

  @Test("Every known set has a name of its own, and digests of 64 digits")
  func knownSets() {
    #expect(Set(KnownSet.all.map(\.name)).count == KnownSet.all.count)
    for file in KnownSet.all.flatMap({ $0.variants.joined() }) {
      #expect(file.digest == nil || file.digest?.count == 64)
      #expect(file.size > 0)
    }
  }

  @Test("Digits are divided by every rule, and what cannot be is an error that says why")
  func federated() throws {
    let data = try DataCatalog(environment: [:]).load("digits")
    let rules: [SplitRule] = [
      .iid, .shards(perClient: 2), .dirichlet(alpha: 0.5, minimum: 10), .quantity(alpha: 1),
    ]
    for rule in rules {
      let set = try data.federated(split: rule, clients: 20, holdBack: 0.2, seed: 1)
      #expect(set.clientCount == 20)
      #expect(set.centralTest?.count == 359)
      let statistics = PartitionStatistics(of: set)
      #expect(statistics.exampleCount == 1438)
      #expect(statistics.labelCounts.reduce(0, +) == 1438)
      #expect(
        statistics.clients
          == PartitionStatistics(
            of: try data.federated(split: rule, clients: 20, holdBack: 0.2, seed: 1)
          ).clients)
    }
    func message(_ rule: SplitRule, clients: Int?, holdBack: Double = 0) -> String {
      #expect(throws: DataError.self) {
        try data.federated(split: rule, clients: clients, holdBack: holdBack, seed: 1)
      }?.message ?? ""
    }
    #expect(message(.by("writer"), clients: nil).contains("no natural keys"))
    #expect(message(.iid, clients: nil).contains("number of clients"))
    #expect(message(.iid, clients: 2000).contains("1438 examples among 2000"))
    #expect(message(.iid, clients: 20, holdBack: 1).contains("0..<1"))
  }

  @Test("The synthetic sets come divided")
  func synthetic() throws {
    let catalog = DataCatalog(environment: [:])
    let (set, digests) = try catalog.federated(
      "synthetic-on-demand", split: .by("device"), clients: 50, alpha: 0.5, beta: 0.5, seed: 1)
    #expect(set.clientCount == 50 && digests.isEmpty)
    #expect(throws: DataError.self) {
      try catalog.federated("synthetic", split: .shards(perClient: 2), seed: 1)
    }
    #expect(throws: DataError.self) {
      try catalog.federated("synthetic", split: .iid, alpha: -1, seed: 1)
    }
    #expect(throws: DataError.self) {
      try catalog.federated("digits", split: .iid, clients: 5, alpha: 1, seed: 1)
    }
    #expect(throws: DataError.self) { try catalog.load("synthetic") }
  }
}
