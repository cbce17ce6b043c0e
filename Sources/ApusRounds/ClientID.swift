// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Who takes part: a device's number in the aggregator's books, a client's in a simulation.
public struct ClientID: RawRepresentable, Hashable, Comparable, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public init(_ number: UInt64) { rawValue = number }

  public static func < (a: ClientID, b: ClientID) -> Bool { a.rawValue < b.rawValue }
}

extension ClientID: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: UInt64) { rawValue = value }
}

extension ClientID: Codable {
  public init(from decoder: any Decoder) throws {
    rawValue = try decoder.singleValueContainer().decode(UInt64.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}

extension ClientID: CustomStringConvertible {
  public var description: String { "client \(rawValue)" }
}
