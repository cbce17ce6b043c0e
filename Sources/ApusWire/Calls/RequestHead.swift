// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a request's headers say, if they are those of a gRPC call: doc/PROTOCOL-HTTP2.md, "Requests".
struct RequestHead {
  /// Why headers are not taken.
  enum Refusal: Error {
    /// Not gRPC at all, so that HTTP answers.
    case http(status: Int, headers: Metadata, why: String)
    /// gRPC with something wrong.
    case status(RPCError)
  }

  var path = ""
  var timeout: Duration?
  /// Without what HTTP and gRPC keep to themselves.
  var metadata: Metadata = []

  init(_ headers: Metadata) throws(Refusal) {
    var (method, contentType, trailers) = ("", "", "")
    for (name, value) in headers {
      switch name {
      case ":method": method = value
      case ":path": path = value
      case "content-type": contentType = value
      case "te": trailers = value
      case "grpc-encoding" where value != "identity":
        throw .status(
          RPCError(
            .unimplemented, "messages are compressed with \(value); only identity is known here",
            reason: "unknown-encoding"))
      case "grpc-timeout":
        guard let parsed = GRPCTimeout.parse(value) else {
          throw .status(RPCError(.invalidArgument, "grpc-timeout cannot be read"))
        }
        timeout = parsed
      default:
        if !name.hasPrefix(":"), !name.hasPrefix("grpc-") { metadata.append((name, value)) }
      }
    }
    guard method == "POST" else {
      throw .http(status: 405, headers: [("allow", "POST")], why: "a gRPC call is a POST")
    }
    guard Self.isGRPC(contentType) else {
      throw .http(
        status: 415, headers: [("accept", "application/grpc")],
        why: "a gRPC call has the content type application/grpc")
    }
    guard path.hasPrefix("/") else {
      throw .http(status: 400, headers: [], why: "a call has a path")
    }
    guard trailers == "trailers" else {
      throw .status(
        RPCError(
          .invalidArgument, "te: trailers is missing; without it the status may get lost on the way"
        ))
    }
  }

  /// Protobuf is the only encoding of messages here; grpc-web and others are protocols of their own.
  static func isGRPC(_ contentType: String) -> Bool {
    let type = contentType.prefix { $0 != ";" }.lowercased()
    return type == "application/grpc" || type == "application/grpc+proto"
  }
}
