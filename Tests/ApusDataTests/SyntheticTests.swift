// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import Testing

@testable import ApusData

struct SyntheticTests {
  func features(_ client: ClientDataset) -> [Float] {
    guard case .numbers(let numbers) = client.table.inputs else { return [] }
    let stride = client.table.inputShape.count
    return client.indices.flatMap { numbers[Int($0) * stride..<(Int($0) + 1) * stride] }
  }

  func labels(_ client: ClientDataset) -> [Int32] {
    client.indices.compactMap { client.table.labels?[Int($0)] }
  }

  @Test("Devices have 50 examples or more, nine tenths of them for training")
  func sizes() {
    var data = SyntheticData(alpha: 1, beta: 1)
    data.dimension = 4  // sizes do not depend on it
    let set = data.federated(seed: 1)
    #expect(set.clientCount == 30)
    let clients = (0..<30).map(set.client)
    var counts = Set<Int>()
    for client in clients {
      let count = client.train.count + client.test.count
      counts.insert(count)
      #expect(count >= 50)
      #expect(client.train.count == count * 9 / 10)
      #expect(Set(client.train.indices).isDisjoint(with: client.test.indices))
    }
    #expect(counts.count > 15)
    #expect(set.centralTest?.count == clients.reduce(0) { $0 + $1.test.count })
  }

  @Test("The same seed gives the same data, whatever the number of devices")
  func seeded() {
    var data = SyntheticData(alpha: 1, beta: 0)
    data.examplesPerDevice = 20
    let (a, b) = (data.federated(devices: 3, seed: 5), data.federated(devices: 2, seed: 5))
    #expect(features(a.client(1).train) == features(b.client(1).train))
    #expect(labels(a.client(1).train) == labels(b.client(1).train))
    #expect(features(a.client(0).train) != features(a.client(1).train))
    let other = data.federated(devices: 2, seed: 6)
    #expect(features(a.client(0).train) != features(other.client(0).train))
  }

  @Test("A million devices cost nothing until they are asked for, and then are what they would be")
  func onDemand() {
    let data = SyntheticData(alpha: 0.5, beta: 0.5)
    let set = data.federatedOnDemand(devices: 1_000_000, seed: 5)
    #expect(set.clientCount == 1_000_000)
    #expect(set.centralTest?.count == 200)
    let client = set.client(999_999)
    #expect(client.train.count == 18 && client.test.count == 2)
    #expect(features(client.train) == features(set.client(999_999).train))

    var fixed = data
    fixed.examplesPerDevice = 20
    let atOnce = fixed.federated(devices: 2, seed: 5)
    #expect(features(atOnce.client(1).test) == features(set.client(1).test))
    #expect(labels(atOnce.client(1).test) == labels(set.client(1).test))
  }

  @Test("Features have the variances j^-1.2, about a centre that beta moves")
  func moments() {
    var data = SyntheticData(alpha: 0, beta: 0, isIID: true)
    data.examplesPerDevice = 4000
    let x = features(data.federated(devices: 1, seed: 2).client(0).train)
    for (j, expected) in [(0, 1), (1, 0.43528), (59, 0.0073497)] {
      let column = stride(from: j, to: x.count, by: 60).map { Double(x[$0]) }
      let mean = column.reduce(0, +) / Double(column.count)
      let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(column.count)
      #expect(abs(mean) < 4 * (expected / 3600).squareRoot())
      #expect(abs(variance / expected - 1) < 0.1)
    }
  }

  @Test(
    "Alpha moves models and beta moves inputs; without them devices still differ, IID ones do not")
  func heterogeneity() {
    /// The deviation among devices of the mean of all features.
    func spread(_ data: SyntheticData) -> Double {
      var data = data
      data.examplesPerDevice = 10
      let set = data.federated(devices: 40, seed: 3)
      let means = (0..<40).map { device in
        let x = features(set.client(device).train)
        return x.reduce(0) { $0 + Double($1) } / Double(x.count)
      }
      let mean = means.reduce(0, +) / 40
      return (means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 40).squareRoot()
    }
    // The mean of v has deviation √(β² + 1/60): β is a deviation, so that 0.5 gives 0.52, not 0.72.
    #expect(abs(spread(SyntheticData(alpha: 0, beta: 0.5)) - 0.52) < 0.13)
    #expect(abs(spread(SyntheticData(alpha: 0, beta: 0)) - 0.13) < 0.05)
    #expect(spread(SyntheticData(alpha: 9, beta: 9, isIID: true)) < 0.02)
  }

  @Test("Devices alike share one model: a linear rule learnt on one holds on the others")
  func sharedModel() {
    func agreement(isIID: Bool) -> Double {
      // Labels of the most common class on device 0, compared with the other devices' histograms.
      var data = SyntheticData(alpha: 0, beta: 0, isIID: isIID)
      data.examplesPerDevice = 200
      let set = data.federated(devices: 6, seed: 4)
      let histograms = (0..<6).map { device in
        labels(set.client(device).train).reduce(into: [Double](repeating: 0, count: 10)) {
          $0[Int($1)] += 1.0 / 180
        }
      }
      let overlaps = histograms.dropFirst().map { zip($0, histograms[0]).map(min).reduce(0, +) }
      return overlaps.reduce(0, +) / 5
    }
    #expect(agreement(isIID: true) > 0.85)
    #expect(agreement(isIID: false) < 0.6)
  }
}
