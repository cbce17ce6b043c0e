// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import DataFixtures
import Testing

struct BatchScheduleTests {
  let client = ClientDataset(numberedTable(40), indices: (0..<23).map { Int32($0) }[...])

  func rows(of size: Int?, epochs: Int, seed: UInt64 = 1) -> [[Int32]] {
    client.batches(of: size, epochs: epochs, shuffledBy: RandomStream(seed: seed))
      .map { Array($0.indices) }
  }

  @Test("Every example comes once an epoch, and the last batch has what is left")
  func everyExampleOnce() {
    let batches = rows(of: 5, epochs: 3)
    #expect(batches.map(\.count) == [5, 5, 5, 5, 3, 5, 5, 5, 5, 3, 5, 5, 5, 5, 3])
    for epoch in 0..<3 {
      #expect(batches[epoch * 5..<epoch * 5 + 5].joined().sorted() == (0..<23).map { Int32($0) })
    }
  }

  @Test("Every epoch has an order of its own; the same seed has the same orders")
  func orders() {
    let batches = rows(of: 23, epochs: 3)
    #expect(batches[0] != batches[1] && batches[1] != batches[2] && batches[0] != batches[2])
    #expect(batches == rows(of: 23, epochs: 3))
    #expect(batches != rows(of: 23, epochs: 3, seed: 2))
  }

  @Test("More epochs go on where fewer end")
  func prefix() {
    #expect(rows(of: 7, epochs: 2) == Array(rows(of: 7, epochs: 4).prefix(8)))
  }

  @Test("Without a size, or with a huge one, an epoch is one batch", arguments: [nil, 23, Int.max])
  func wholeEpochs(size: Int?) {
    #expect(rows(of: size, epochs: 2).map(\.count) == [23, 23])
  }

  @Test("A client without examples, or no epochs, give no batches")
  func nothing() {
    let empty = ClientDataset(numberedTable(3), indices: [])
    let batches = empty.batches(of: 2, epochs: 5, shuffledBy: RandomStream(seed: 1))
    #expect(batches.map(\.count).isEmpty)
    #expect(rows(of: 5, epochs: 0).isEmpty)
  }

  @Test("The batches of an epoch share one array of rows")
  func sharedStorage() {
    let batches = Array(client.batches(of: 5, epochs: 2, shuffledBy: RandomStream(seed: 1)))
    let starts = batches.map { batch in
      batch.indices.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    }
    for epoch in 0..<2 {
      for step in 0..<5 { #expect(starts[epoch * 5 + step] == starts[epoch * 5] + UInt(step * 20)) }
    }
    // Kept batches keep their rows, though the order is shuffled on.
    #expect(batches.map { Array($0.indices) } == rows(of: 5, epochs: 2))
  }

  @Test("Every step has random numbers of its own")
  func stepStreams() {
    let streams = client.batches(of: 5, epochs: 3, shuffledBy: RandomStream(seed: 1)).map(\.random)
    #expect(Set(streams).count == 15)
  }

  @Test("Bytes become numbers, targets follow their examples")
  func gather() {
    let region = ByteRegion(count: 6) { bytes in
      for place in 0..<6 { bytes[place] = UInt8(place * 50) }
    }
    let table = ExampleTable(
      count: 3, inputShape: [2], inputs: .bytes(region, scale: 0.1, offset: 1),
      targets: .classes([7, 8, 9], classCount: 10))
    var inputs = [Float](repeating: 0, count: 4)
    var targets = [Int32](repeating: 0, count: 2)
    table.gather([2, 0], inputs: &inputs, targets: &targets)
    #expect(zip(inputs, [21, 26, 1, 6]).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(targets == [9, 7])
  }

  @Test("A selection of a table has the rows asked for, whatever they are made of")
  func selecting() {
    let region = ByteRegion(count: 6) { bytes in
      for place in 0..<6 { bytes[place] = UInt8(place) }
    }
    let images = ExampleTable(
      count: 3, inputShape: [2], inputs: .bytes(region, scale: 1, offset: 0),
      targets: .values([1, 2, 3], shape: [1])
    ).selecting([2, 0, 2])
    guard case .bytes(let selected, _, _) = images.inputs else { return #expect(Bool(false)) }
    #expect(array(selected) == [4, 5, 0, 1, 4, 5])
    guard case .values([3, 1, 3], _) = images.targets else { return #expect(Bool(false)) }

    let text = ExampleTable(
      count: 2, inputShape: [2], inputs: .tokens([1, 2, 3, 4]),
      targets: .sequences([2, 3, 4, -1], length: 2, classCount: 5)
    ).selecting([1])
    guard case .tokens([3, 4]) = text.inputs, case .sequences([4, -1], 2, 5) = text.targets else {
      return #expect(Bool(false))
    }
  }
}
