// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import DataFixtures
import Foundation
import Testing

@testable import ApusData

struct SplitPictureTests {
  func dataset(clients: Int, classCount: Int = 10) throws -> FederatedDataset {
    let table = numberedTable(clients * 12, classCount: classCount)
    let partition = try Partition.dirichlet(
      labels: table.labels ?? [], clients: clients, alpha: 1, minimum: 0,
      shuffledBy: RandomStream(seed: 1))
    return FederatedDataset("a <b> & c", dividing: table, by: partition)
  }

  @Test("Clients' sizes and labels are counted, held back or not")
  func statistics() {
    let table = numberedTable(8, labels: [0, 0, 1, 1, 2, 2, 2, 0], classCount: 4)
    let set = FederatedDataset(
      "s", dividing: table, by: Partition([[0, 1, 2, 3], [4, 5, 6]]).holdingBack(fraction: 0.3))
    let statistics = PartitionStatistics(of: set)
    #expect(statistics.clients.map(\.trainCount) == [3, 2])
    #expect(statistics.clients.map(\.testCount) == [1, 1])
    #expect(statistics.clients.map(\.labelCounts) == [[2, 2, 0, 0], [0, 0, 3, 0]])
    #expect(statistics.clients.map(\.presentClassCount) == [2, 1])
    #expect(statistics.labelCounts == [2, 2, 3, 0])
    #expect(statistics.sizes == (3, 4, 4))
  }

  @Test("A limit takes clients evenly from all")
  func limit() throws {
    let statistics = PartitionStatistics(of: try dataset(clients: 10), limit: 4)
    #expect(statistics.clients.map(\.index) == [0, 2, 5, 7])
    #expect(statistics.clientCount == 10)
  }

  @Test(
    "The picture is well-formed XML with a title, a summary and a legend",
    arguments: [(1, 10), (10, 10), (120, 10), (700, 10), (20, 15), (20, 60)])
  func wellFormed(clients: Int, classCount: Int) throws {
    let svg = SplitPicture(of: try dataset(clients: clients, classCount: classCount)).svg
    #expect(svg.contains("<title id=\"split-title\">a &lt;b&gt; &amp; c</title>"))
    #expect(svg.contains(clients > 600 ? "600 of 700 clients" : "\(clients) clients, "))
    #expect(!svg.contains("nan") && !svg.contains("inf"))
    let document = svg.replacing("&lt;", with: "").replacing("&gt;", with: "")
    // Every tag is closed by itself or by its own end.
    var open: [Substring] = []
    for tag in document.matches(of: /<(\/?)([a-z]+)[^<>]*?(\/?)>/) {
      if tag.output.1.isEmpty && tag.output.3.isEmpty { open.append(tag.output.2) }
      if !tag.output.1.isEmpty { #expect(open.popLast() == tag.output.2) }
    }
    #expect(open.isEmpty)
  }

  @Test("The bars of a class have the areas of its counts")
  func areas() {
    let table = numberedTable(6, labels: [0, 0, 0, 1, 1, 1], classCount: 2)
    let set = FederatedDataset("s", dividing: table, by: Partition([[0, 1, 2, 3], [4, 5]]))
    let svg = SplitPicture(of: set).svg
    // The axis goes to 4 in 300 pixels: 75 pixels an example.
    let heights = svg.matches(of: /<path fill="(#[0-9a-f]+)"[^>]* d="([^"]*)"/).map { path in
      path.output.2.matches(of: /v([0-9.]+)/).compactMap { Double($0.output.1) }
    }
    #expect(heights == [[225], [75, 150]])
  }

  @Test("Data without classes have plain bars, and no clients no bars")
  func withoutClasses() {
    let table = ExampleTable(
      count: 2, inputShape: [1], inputs: .numbers([1, 2]), targets: .values([1, 2], shape: [1]))
    let set = FederatedDataset("s", dividing: table, by: Partition([[0], [1]]))
    #expect(SplitPicture(of: set).svg.contains("2 clients, 1 examples each"))
    let none = FederatedDataset("s", dividing: table, by: Partition([]))
    #expect(SplitPicture(of: none).svg.contains("0 clients"))
  }
}
