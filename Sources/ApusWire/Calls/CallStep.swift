// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a call may cost.
package struct CallLimits: Hashable, Sendable {
  /// Room for the largest chunk of a blob, 4 MiB, and what is around it.
  package static let usualMessageSize = (4 << 20) + (1 << 16)

  /// Bytes in a message, framing excluded.
  package var messageSize: Int

  package init(messageSize: Int = CallLimits.usualMessageSize) { self.messageSize = messageSize }
}

/// What is to be done next, in this order, for a call.
package enum CallStep: Sendable {
  /// Server: the handler is to start.
  case begin(path: String, metadata: Metadata, timeout: Duration?)
  /// A message for the handler or the caller.
  case message([UInt8])
  /// Server: the caller has said that there are no more messages.
  case endOfMessages
  /// To the peer, pseudo headers first; `isLast` ends the stream.
  case headers(Metadata, isLast: Bool)
  /// To the peer: the prefix of a message, a message, or nothing where only the stream is ended.
  case data([UInt8], isLast: Bool)
  /// To the peer; ends the stream.
  case trailers(Metadata)
  /// To the peer: RST_STREAM with this code.
  case reset(UInt32)
  /// How the call ended, nil for OK; comes once, for calls that never began too.
  ///
  /// Server: what still runs of the handler is to be cancelled. Only steps to the peer follow.
  case finished(RPCError?)
}

/// Why a stream is reset: RFC 9113 §7.
package enum ResetCode {
  package static let noError: UInt32 = 0
  package static let refusedStream: UInt32 = 7
  package static let cancel: UInt32 = 8
  package static let enhanceYourCalm: UInt32 = 11
  package static let inadequateSecurity: UInt32 = 12
}

extension RPCError {
  /// What a reset stream means to the caller: doc/PROTOCOL-HTTP2.md, "Errors".
  static func of(reset code: UInt32) -> RPCError {
    switch code {
    case ResetCode.refusedStream:
      RPCError(.unavailable, "the server refused the stream; nothing was done")
    case ResetCode.cancel: RPCError(.cancelled, "the peer cancelled the call")
    case ResetCode.enhanceYourCalm: RPCError(.resourceExhausted, "the server asks for fewer calls")
    case ResetCode.inadequateSecurity:
      RPCError(.permissionDenied, "the server finds the connection not safe enough")
    default: RPCError(.internal, "the peer reset the stream with HTTP/2 code \(code)")
    }
  }

  /// What an HTTP status without a gRPC status means: doc/http-grpc-status-mapping.md.
  static func of(httpStatus: Int) -> RPCError {
    let code: StatusCode =
      switch httpStatus {
      case 400: .internal
      case 401: .unauthenticated
      case 403: .permissionDenied
      case 404: .unimplemented
      case 429, 502, 503, 504: .unavailable
      default: .unknown
      }
    return RPCError(code, "the server answered HTTP \(httpStatus) and no gRPC status")
  }
}
