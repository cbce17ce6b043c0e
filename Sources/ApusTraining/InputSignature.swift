// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusNumerics

/// What one example's input looks like.
public struct InputSignature: Codable, Hashable, Sendable {
  /// What the words of the input are.
  public enum Kind: String, Codable, Sendable {
    /// `Float32` numbers.
    case numbers
    /// `Int32` indices into a vocabulary.
    case tokens
  }

  /// The shape of one example; the batch is implied.
  public let shape: Shape
  public let kind: Kind

  public init(_ shape: Shape, kind: Kind = .numbers) {
    self.shape = shape
    self.kind = kind
  }

  /// Sequences of indices into a vocabulary.
  public static func tokens(_ length: Int) -> InputSignature {
    InputSignature([length], kind: .tokens)
  }
}

extension InputSignature: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Int...) { self.init(Shape(elements)) }
}

extension InputSignature: CustomStringConvertible {
  public var description: String { "\(shape) \(kind.rawValue)" }
}
