// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CApus

/// Which of the processor's instructions the kernels are compiled for; results differ in their last bits.
///
/// The process takes the best one of the machine unless it is told otherwise, once, before it computes:
///
/// ```swift
/// try InstructionSet.portable.use()
/// ```
public enum InstructionSet: String, CaseIterable, Hashable, Sendable, Codable {
  /// Rounded operation by operation as written, without OpenBLAS: the same bytes on every processor.
  case portable
  /// What every processor of the kind has, with OpenBLAS for the products.
  case baseline
  /// x86-64-v3: vectors of eight numbers and fused multiply-add.
  case avx2
  /// x86-64-v4: vectors of sixteen numbers.
  case avx512

  /// The sets that this machine can run, the best one last.
  public static var available: [InstructionSet] {
    (0..<allCases.count).compactMap { kernels(ofSet: $0).flatMap(Self.init) }
  }

  /// The best set that this machine can run.
  public static var best: InstructionSet { available.last ?? .portable }

  /// The set that the process computes with.
  public static var inUse: InstructionSet { InstructionSet(apus_kernels_in_use()) ?? .portable }

  /// Makes the whole process compute with this set.
  ///
  /// Call it before anything is computed and before any `Program` is made: programs are planned for the
  /// set in use.
  ///
  /// - Throws: ``NumericsError/Code/unavailable``, naming the sets that there are.
  public func use() throws(NumericsError) {
    for ordinal in Self.allCases.indices {
      guard let kernels = Self.kernels(ofSet: ordinal), Self(kernels) == self else { continue }
      apus_use_kernels(kernels)
      return
    }
    let available = Self.available.map(\.rawValue).joined(separator: ", ")
    throw NumericsError(
      .unavailable,
      "This processor has no instruction set \(rawValue); it has \(available).")
  }

  private static func kernels(ofSet ordinal: Int) -> UnsafePointer<apus_kernels>? {
    apus_kernels_of_set(Int32(ordinal))
  }

  private init?(_ kernels: UnsafePointer<apus_kernels>) {
    self.init(rawValue: String(cString: kernels.pointee.set_name))
  }
}
