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
    let vectors = update.value.vectors
    guard vectors.map(\.count) == lengths else {
      throw AlgorithmError(
        .wrongLength,
        "An update has vectors of \(vectors.map(\.count)) numbers; expected \(lengths). "
          + "The client trained another model.")
    }
    do {
      try sum.add(
        vectors.count == 1 ? vectors[0] : Self.joined(vectors),
        weight: rule.weight(forDeclared: update.weight))
    } catch {
      throw AlgorithmError(rejecting: error)
    }
  }

  /// Takes over what another sum of the same lengths and bounds has.
  public mutating func merge(_ other: WeightedSum) throws(AlgorithmError) {
    do {
      try sum.merge(other.sum)
    } catch {
      throw AlgorithmError(rejecting: error)
    }
  }

  /// Σ weight · update / Σ weight, each number rounded once.
  ///
  /// - Precondition: something was added.
  public func mean() -> Update {
    precondition(contributionCount > 0, "There is no mean of nothing.")
    let mean = sum.mean()
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

  private static func joined(_ vectors: [ParameterVector]) -> ParameterVector {
    var joined = ParameterVector(count: vectors.reduce(0) { $0 + $1.count })
    joined.withUnsafeMutableBufferPointer { all in
      var end = 0
      for vector in vectors {
        vector.withUnsafeBufferPointer { numbers in
          _ = all[end...].update(fromContentsOf: numbers)
        }
        end += vector.count
      }
    }
    return joined
  }
}

extension AlgorithmError {
  /// The reason keeps its code.
  fileprivate init(rejecting error: NumericsError) {
    self.init(Code(rawValue: error.code.rawValue), error.message, cause: error)
  }
}
