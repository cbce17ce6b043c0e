// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

/// Which loop a function of two broadcast values takes.
enum BinaryKernel {
  enum Layout: Hashable {
    /// Both are shaped as the result.
    case flat
    /// One is shaped as the result, the other is repeated in its rows, of `count` elements.
    case rows(full: Int, count: Int)
    /// One is shaped as the result, the other has one number for each `count` of its elements.
    case columns(full: Int, count: Int)
    case strided

    init(_ operands: [Signature], _ result: Signature) {
      if operands[0] == result, operands[1] == result {
        self = .flat
        return
      }
      for (full, other) in [(0, 1), (1, 0)] where operands[full] == result {
        let small = operands[other]
        if result.repeatsRows(of: small) {
          self = .rows(full: full, count: small.count)
          return
        }
        let leading = small.shape.dimensions.reversed().drop { $0 == 1 }.reversed()
        if small.isBatched == result.isBatched, small.shape.rank == result.shape.rank,
          result.shape.dimensions.starts(with: leading)
        {
          self = .columns(full: full, count: result.count / small.count)
          return
        }
      }
      self = .strided
    }
  }

  static func kernelOperator(_ function: BinaryFunction, isSwapped: Bool) -> apus_operator {
    switch function {
    case .add: .add
    case .subtract: isSwapped ? .subtract_from : .subtract
    case .multiply: .multiply
    case .divide: isSwapped ? .divide_into : .divide
    }
  }
}
