// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// Updates added up as they come, exactly: in whatever order and in however many parts, the mean has the
/// same bits.
public struct WeightedSum<Update: VectorSpace>: Sendable {
  /// The lengths of an update's vectors.
  public let lengths: [Int]
  /// Of all vectors of an update, one after the other: an update goes in as a whole or not at all.
  private var sum: ExactSum

  /// - Parameters:
  ///   - lengths: as ``FederatedAlgorithm/updateLengths(parameterCount:)`` says.
  ///   - bounds: of what an update may hold; what is outside is rejected.
  /// - Throws: why such bounds cannot be kept exactly.
  public init(lengths: [Int], bounds: ExactSum.Bounds) throws(AlgorithmError) {
    self.lengths = lengths
    do {
      sum = try ExactSum(count: lengths.reduce(0, +), bounds: bounds)
    } catch {
      throw AlgorithmError(rejecting: error)
    }
  }

  /// The weights of what was added.
  public var totalWeight: Int { sum.totalWeight }

  /// How many updates were added.
  public var contributionCount: Int { sum.contributionCount }

  /// Adds an update, or rejects it and stays what it was.
  ///
  /// - Parameters:
  ///   - update: its vectors as long as ``lengths`` says.
  ///   - rule: says how much it counts.
  /// - Throws: why it is rejected; the code is the reason, for example `not-finite`.
  public mutating func add(
    _ update: Weighted<Update>, by rule: some LinearAggregationRule<Update>
  ) throws(AlgorithmError) {
    let numbers = try joined(update.value)
    do {
      try sum.add(numbers, weight: rule.weight(forDeclared: update.weight))
    } catch {
      throw AlgorithmError(rejecting: error)
    }
  }

  /// How many updates are worth adding together.
  public static var foldWidth: Int { ExactSum.foldWidth }

  /// Adds updates that wait together, in one pass over the sum; what is rejected changes nothing.
  ///
  /// - Parameters:
  ///   - updates: at most ``foldWidth``.
  ///   - rule: says how much they count.
  /// - Returns: for each update why it is rejected; nil where it was added.
  public mutating func add(
    folding updates: [Weighted<Update>], by rule: some LinearAggregationRule<Update>
  ) -> [AlgorithmError?] {
    do throws(AlgorithmError) {
      let contributions = try updates.map { update throws(AlgorithmError) in
        (try joined(update.value), rule.weight(forDeclared: update.weight))
      }
      do {
        try sum.add(folding: contributions)
      } catch {
        throw AlgorithmError(rejecting: error)
      }
      return updates.map { _ in nil }
    } catch {
      // One of them spoils the pass: add the others one by one.
      return updates.map { update in
        do throws(AlgorithmError) {
          try add(update, by: rule)
          return nil
        } catch {
          return error
        }
      }
    }
  }

  /// Makes it the sum of nothing, in the memory that it has.
  public mutating func removeAll() { sum.removeAll() }

  /// Takes over what another sum of the same lengths and bounds has.
  public mutating func merge(_ other: WeightedSum) throws(AlgorithmError) {
    do {
      try sum.merge(other.sum)
    } catch {
      throw AlgorithmError(rejecting: error)
    }
  }

  /// Σ weight · update / Σ weight; nil while nothing was added.
  public func mean() -> Update? {
    guard let mean = sum.mean() else { return nil }
    if lengths.count == 1 { return Update(vectors: [mean]) }
    var (vectors, end): ([ParameterVector], Int) = ([], 0)
    mean.withUnsafeBufferPointer { numbers in
      for length in lengths {
        vectors.append(ParameterVector(numbers[end..<end + length]))
        end += length
      }
    }
    return Update(vectors: vectors)
  }

  /// Adds updates from memory that others keep, on several threads: see `ExactSum`.
  ///
  /// - Parameters:
  ///   - sources: at most ``foldWidth``; their weights are those that were declared.
  ///   - rule: says how much they count.
  ///   - forEach: runs the work, see `ExactSum.add(folding:sharedBy:)`.
  /// - Throws: why one of them is rejected; none was added then.
  package mutating func add(
    folding sources: [ExactSum.Source], by rule: some LinearAggregationRule<Update>,
    sharedBy forEach: (_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> Void
  ) throws(AlgorithmError) {
    do {
      try sum.add(
        folding: sources.map { source in
          ExactSum.Source(
            source.numbers, count: source.count,
            weight: rule.weight(forDeclared: source.weight))
        }, sharedBy: forEach)
    } catch {
      throw AlgorithmError(rejecting: error)
    }
  }

  /// The bytes that ``init(decoding:lengths:)`` reads; equal sums have equal bytes.
  public func encoded() -> [UInt8] { sum.encoded() }

  /// Lends the bytes of ``encoded()`` in pieces.
  package func withEncodedPieces<Result>(
    _ body: ([UnsafeRawBufferPointer]) -> Result
  ) -> Result {
    sum.withEncodedPieces(body)
  }

  /// The sum that ``encoded()`` made these bytes of.
  ///
  /// - Parameters:
  ///   - bytes: of one stored sum.
  ///   - lengths: of an update's vectors.
  /// - Throws: `malformed` or `unsupported` as `ExactSum` says; `wrong-length` where it is a sum of others.
  public init(
    decoding bytes: UnsafeRawBufferPointer, lengths: [Int]
  ) throws(AlgorithmError) {
    do {
      sum = try ExactSum(decoding: bytes)
    } catch {
      throw AlgorithmError(rejecting: error)
    }
    self.lengths = lengths
    guard sum.count == lengths.reduce(0, +) else {
      throw AlgorithmError(
        .wrongLength, "The stored sum has \(sum.count) numbers; expected vectors of \(lengths).")
    }
  }

  /// What updates were agreed to keep to.
  public var bounds: ExactSum.Bounds { sum.bounds }

  /// The vectors of an update, one after the other; not copied where there is one.
  private func joined(_ update: Update) throws(AlgorithmError) -> ParameterVector {
    let vectors = update.vectors
    guard vectors.map(\.count) == lengths else {
      throw AlgorithmError(
        .wrongLength,
        "An update has vectors of \(vectors.map(\.count)) numbers; expected \(lengths). "
          + "The client trained another model.")
    }
    return vectors.count == 1 ? vectors[0] : ParameterVector(joining: vectors)
  }
}

extension AlgorithmError {
  /// The reason keeps its code.
  fileprivate init(rejecting error: NumericsError) {
    self.init(Code(rawValue: error.code.rawValue), error.message, cause: error)
  }
}
