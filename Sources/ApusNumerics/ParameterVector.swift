// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The numbers of a model, in one contiguous run of memory that begins on a cache line.
///
/// It is a value: copies share memory until one of them is written to.
public struct ParameterVector: Sendable {
  /// - Note: `@unchecked Sendable` holds because memory is only written through a uniquely
  ///   referenced storage, inside a mutating method of the one vector that owns it.
  @usableFromInline
  final class Storage: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Float>
    private let memory: UnsafeMutableRawPointer

    init(count: Int) {
      // Aligned by hand: glibc before 2.38 does not find the place of a freed aligned block again, and a
      // vector a client would make the heap grow.
      guard let memory = malloc(Swift.max(count, 1) * MemoryLayout<Float>.stride + 64) else {
        preconditionFailure("No memory for a vector of \(count) numbers.")
      }
      self.memory = memory
      base = memory.alignedUp(toMultipleOf: 64).bindMemory(
        to: Float.self, capacity: Swift.max(count, 1))
    }

    deinit { free(memory) }
  }

  @usableFromInline var storage: Storage
  public let count: Int

  /// - Allocates: `count` × 4 bytes.
  public init(repeating value: Float = 0, count: Int) {
    precondition(count >= 0, "A vector cannot have \(count) elements.")
    storage = Storage(count: count)
    self.count = count
    storage.base.initialize(repeating: value, count: count)
  }

  public init(_ values: some Collection<Float>) {
    storage = Storage(count: values.count)
    count = values.count
    _ = UnsafeMutableBufferPointer(start: storage.base, count: count).initialize(from: values)
  }

  @inlinable
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "Index out of range.")
      return storage.base[index]
    }
    set {
      precondition(index >= 0 && index < count, "Index out of range.")
      makeUnique()
      storage.base[index] = newValue
    }
  }

  @inlinable
  public func withUnsafeBufferPointer<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeBufferPointer(start: storage.base, count: count))
  }

  @inlinable
  public mutating func withUnsafeMutableBufferPointer<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    makeUnique()
    return try body(UnsafeMutableBufferPointer(start: storage.base, count: count))
  }

  @inlinable
  mutating func makeUnique() {
    if !isKnownUniquelyReferenced(&storage) { copyStorage() }
  }

  @usableFromInline
  mutating func copyStorage() {
    let copy = Storage(count: count)
    copy.base.initialize(from: storage.base, count: count)
    storage = copy
  }
}

extension ParameterVector: Equatable {
  /// Whether both have the same numbers, bit for bit but for the sign of zero and NaN.
  public static func == (a: ParameterVector, b: ParameterVector) -> Bool {
    a.count == b.count && (0..<a.count).allSatisfy { a.storage.base[$0] == b.storage.base[$0] }
  }
}

extension ParameterVector: CustomStringConvertible {
  public var description: String {
    let shown = (0..<Swift.min(count, 4)).map { String(self[$0]) }.joined(separator: ", ")
    return "\(count) numbers: \(shown)\(count > 4 ? ", …" : "")"
  }
}
