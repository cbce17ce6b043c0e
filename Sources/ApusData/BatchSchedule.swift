// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// The batches of some passes over a client's examples, every pass in a new random order.
///
/// - Allocates: one array of the client's indices, when iteration starts; nothing per batch.
public struct BatchSchedule: Sequence, Sendable {
  private let examples: ClientDataset
  private let size: Int
  private let epochs: Int
  private let random: RandomStream

  /// - Parameters:
  ///   - examples: whose.
  ///   - size: at least 1; nil for all examples in one batch.
  ///   - epochs: passes over the data.
  ///   - random: the same stream gives the same batches.
  init(of examples: ClientDataset, size: Int?, epochs: Int, shuffledBy random: RandomStream) {
    precondition(size ?? 1 > 0, "A batch has at least one example, not \(size ?? 0).")
    self.examples = examples
    self.size = Swift.min(size ?? Int.max, Swift.max(examples.count, 1))
    self.epochs = epochs
    self.random = random
  }

  /// Starts with the first pass.
  public func makeIterator() -> Iterator { Iterator(self) }

  /// One walk through the batches.
  ///
  /// A batch shares the iterator's order of rows; one that is kept beyond its pass makes the next
  /// pass begin with a copy of that order.
  public struct Iterator: IteratorProtocol {
    private enum Use {
      static let order = 0
      static let step = 1
    }

    private let table: ExampleTable
    private var order: [Int32]
    private let size: Int
    private let epochs: Int
    private let random: RandomStream
    private var epoch = 0
    private var step = 0
    private var position = 0

    fileprivate init(_ schedule: BatchSchedule) {
      table = schedule.examples.table
      order = Array(schedule.examples.indices)
      size = schedule.size
      epochs = order.isEmpty ? 0 : schedule.epochs
      random = schedule.random
      position = order.count
      epoch = -1
    }

    /// The next batch; nil after the last of the last pass.
    public mutating func next() -> Batch? {
      if position >= order.count {
        epoch += 1
        guard epoch < epochs else { return nil }
        var stream = random.split(Use.order).split(epoch)
        stream.shuffle(&order)
        position = 0
      }
      let end = Swift.min(position + size, order.count)
      defer {
        position = end
        step += 1
      }
      return Batch(
        table, indices: order[position..<end], random: random.split(Use.step).split(step))
    }
  }
}
