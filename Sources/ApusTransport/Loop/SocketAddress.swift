// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import CUV

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An IP address and a port.
struct SocketAddress: Sendable {
  private var storage: sockaddr_storage

  init(_ storage: sockaddr_storage) { self.storage = storage }

  /// Of the form that libuv fills in.
  private init?(_ fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<Int32>) -> Int32) {
    var storage = sockaddr_storage()
    var length = Int32(MemoryLayout<sockaddr_storage>.size)
    let status = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { fill($0, &length) }
    }
    guard status == 0 else { return nil }
    self.storage = storage
  }

  init?(remoteOf socket: UnsafePointer<uv_tcp_t>) {
    self.init { uv_tcp_getpeername(socket, $0, $1) }
  }

  init?(localOf socket: UnsafePointer<uv_tcp_t>) {
    self.init { uv_tcp_getsockname(socket, $0, $1) }
  }

  func withSockAddr<Result>(_ body: (UnsafePointer<sockaddr>) -> Result) -> Result {
    withUnsafePointer(to: storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
    }
  }

  var port: Int {
    withSockAddr { address in
      address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        Int(UInt16(bigEndian: $0.pointee.sin_port))
      }
    }
  }

  /// The IP address alone.
  var host: String {
    var text = [CChar](repeating: 0, count: 64)
    withSockAddr { address in
      if address.pointee.sa_family == sa_family_t(AF_INET6) {
        address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          _ = uv_ip6_name($0, &text, text.count)
        }
      } else {
        address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          _ = uv_ip4_name($0, &text, text.count)
        }
      }
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Looks a name up, off the loop's thread; `completion` is called on it.
  static func resolve(
    _ host: String, port: Int, on loop: EventLoop,
    completion: @escaping (Result<[SocketAddress], TransportError>) -> Void
  ) {
    let lookup = Lookup(completion)
    lookup.begin(host, port: port, on: loop)
  }
}

extension SocketAddress: CustomStringConvertible {
  var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// One question to the system's resolver.
private final class Lookup {
  private let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
  private let completion: (Result<[SocketAddress], TransportError>) -> Void
  private var host = ""

  init(_ completion: @escaping (Result<[SocketAddress], TransportError>) -> Void) {
    self.completion = completion
  }

  deinit { request.deallocate() }

  func begin(_ host: String, port: Int, on loop: EventLoop) {
    self.host = host
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    let retained = Unmanaged.passRetained(self)
    request.pointee.data = retained.toOpaque()
    let status = uv_getaddrinfo(
      loop.handle, request,
      { request, status, found in
        guard let data = request?.pointee.data else { return }
        Unmanaged<Lookup>.fromOpaque(data).takeRetainedValue().finish(status, found)
      }, host, String(port), &hints)
    if status != 0 {
      retained.release()
      finish(status, nil)
    }
  }

  private func finish(_ status: Int32, _ found: UnsafeMutablePointer<addrinfo>?) {
    defer { uv_freeaddrinfo(found) }
    var addresses: [SocketAddress] = []
    var next = found
    while let entry = next {
      var storage = sockaddr_storage()
      let length = min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
      if let address = entry.pointee.ai_addr {
        withUnsafeMutableBytes(of: &storage) {
          $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: length))
        }
        addresses.append(SocketAddress(storage))
      }
      next = entry.pointee.ai_next
    }
    if status == 0, !addresses.isEmpty {
      completion(.success(addresses))
    } else {
      completion(
        .failure(
          TransportError(.address, "The host \(host) was not found: \(uvMessage(status)).")))
    }
  }
}
