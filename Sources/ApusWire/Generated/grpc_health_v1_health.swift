// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Made from protocols/grpc/health/v1/health.proto by scripts/protocols; not to be edited.
// swift-format-ignore-file

internal import ApusProtocols

extension Proto {
  package struct HealthCheckRequest: Hashable, Sendable {
    package var service: String = ""

    package init() {}
  }
}

extension Proto {
  package struct HealthCheckResponse: Hashable, Sendable {
    package struct ServingStatus: RawRepresentable, Hashable, Sendable {
      package let rawValue: Int32

      package init(rawValue: Int32) { self.rawValue = rawValue }

      package static let unknown = ServingStatus(rawValue: 0)
      package static let serving = ServingStatus(rawValue: 1)
      package static let notServing = ServingStatus(rawValue: 2)
      /// Only from Watch.
      package static let serviceUnknown = ServingStatus(rawValue: 3)
    }

    package var status: Proto.HealthCheckResponse.ServingStatus = Proto.HealthCheckResponse.ServingStatus(rawValue: 0)

    package init() {}
  }
}

extension Proto.HealthCheckRequest: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Grpc__Health__V1__HealthCheckRequest>) { grpc__health__v1__health_check_request__init(c) }

  func fill(_ c: UnsafeMutablePointer<Grpc__Health__V1__HealthCheckRequest>, _ arena: MessageArena) {
    c.pointee.service = arena.string(service)
  }

  init(copying c: UnsafePointer<Grpc__Health__V1__HealthCheckRequest>) throws(WireError) {
    service = try copied(string: c.pointee.service)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.HealthCheckResponse: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Grpc__Health__V1__HealthCheckResponse>) { grpc__health__v1__health_check_response__init(c) }

  func fill(_ c: UnsafeMutablePointer<Grpc__Health__V1__HealthCheckResponse>, _ arena: MessageArena) {
    c.pointee.status = .init(rawValue: UInt32(bitPattern: status.rawValue))
  }

  init(copying c: UnsafePointer<Grpc__Health__V1__HealthCheckResponse>) throws(WireError) {
    status = Proto.HealthCheckResponse.ServingStatus(rawValue: Int32(bitPattern: c.pointee.status.rawValue))
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

package enum HealthMethods {
  package static let check = Method<Proto.HealthCheckRequest, Proto.HealthCheckResponse>(
    "/grpc.health.v1.Health/Check", .unary)
  package static let watch = Method<Proto.HealthCheckRequest, Proto.HealthCheckResponse>(
    "/grpc.health.v1.Health/Watch", .serverStreaming)

  /// The paths of all calls.
  package static let paths = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
  ]
}
