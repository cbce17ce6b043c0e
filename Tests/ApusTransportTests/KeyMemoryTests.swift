// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
  import ApusWire
  import COpenSSL
  import Foundation
  import Testing

  @testable import ApusTransport

  /// How often a process has a private key in its memory, all of which is looked at.
  @Suite("Private keys in memory")
  struct KeyMemoryTests {
    @Test("What is not overwritten is found, in each of a key's forms")
    func leftovers() async throws {
      await #expect(processExitsWith: .success) {
        let key = try PrivateKey.generate()
        let traces = try KeyTraces(of: key)
        let before = try traces.counts()
        precondition(before == .init(number: 1), "\(before)")
        let der = try key.pkcs8()
        let text = PEM.text("PRIVATE KEY", der)
        let after = try traces.counts()
        // Ours, and what libcrypto leaves of its own: it overwrites what it computes with, not all that it writes.
        precondition(after.number == 1 && after.der >= 1 && after.pem == 1, "\(after)")
        withExtendedLifetime((key, der, text)) {}
      }
    }

    @Test(
      "A key that is loaded and used by TLS is in memory once, and not at all when it is let go")
    func oneKey() async throws {
      let (nest, house) = (try Nest(), try Household())
      let hosts = ["127.0.0.1"].compactMap { HostName($0) }
      try house.identity(.server, hosts: hosts).save(to: nest.path("server"))
      try house.identity(.device).save(to: nest.path("device"))
      await #expect(processExitsWith: .success) { [path = nest.path as String] in
        func use() async throws -> [KeyTraces] {
          let server = try Identity.load(from: path + "/server")
          let device = try Identity.load(from: path + "/device")
          let traces = [try KeyTraces(of: server.key), try KeyTraces(of: device.key)]
          var router = CallRouter()
          router.register(raw: "/test/Who") { (call) async throws(RPCError) in
            try await call.send(Array((call.head.peer.identity?.id ?? "").utf8))
          }
          let serving = try GRPCServer(
            ServerConfiguration(
              host: "127.0.0.1", port: 0, material: server.tlsMaterial(),
              clientAuthorities: server.authorities.map(\.der)),
            handler: router, identify: Certificate.identify)
          let channel = try GRPCChannel(
            host: "127.0.0.1", port: try await serving.start(),
            trust: .authorities(device.authorities.map(\.der)), identity: device.tlsMaterial())
          let answer = try await channel.unary("/test/Who", [])
          precondition(answer == Array(Household.deviceID.utf8))
          for trace in traces {
            let counts = try trace.counts()
            precondition(counts.number == 1 && counts.pem == 0, "\(counts)")
            // What libcrypto read the key from, in memory that it has given back.
            precondition(counts.der <= 1, "\(counts)")
          }
          await channel.close()
          await serving.stop()
          return traces
        }
        for trace in try await use() {
          let isGone = await eventually {
            (try? trace.counts()).map { $0.number == 0 && $0.pem == 0 } ?? false
          }
          let counts = try trace.counts()
          precondition(isGone, "\(counts)")
        }
      }
    }
  }

  /// What a P-256 key looks like in memory: what it is looked for by is in this process once too, and is not counted.
  struct KeyTraces {
    struct Counts: Equatable {
      /// As libcrypto computes with it: the number's words, the lowest first.
      var number = 0
      /// As the DER of its file has it: the number's bytes, the highest first.
      var der = 0
      /// The first 24 letters of the second line of its file.
      var pem = 0
    }

    private let number: UnsafeMutableRawBufferPointer
    private let der: UnsafeMutableRawBufferPointer
    private let pem: UnsafeMutableRawBufferPointer

    init(of key: PrivateKey) throws {
      number = .allocate(byteCount: 32, alignment: 16)
      der = .allocate(byteCount: 32, alignment: 16)
      pem = .allocate(byteCount: 25, alignment: 16)
      var value: OpaquePointer?
      let isRead = EVP_PKEY_get_bn_param(key.handle, "priv", &value) == 1
      precondition(isRead)
      defer { BN_clear_free(value) }
      let bytes = der.bindMemory(to: UInt8.self)
      BN_bn2binpad(value, bytes.baseAddress, 32)
      for place in 0..<32 { number[place] = der[31 - place] }
      // The number is in bytes 36 to 67 (RFC 5915 in RFC 5208), and bytes 48 to 65 begin the second line.
      EVP_EncodeBlock(
        pem.bindMemory(to: UInt8.self).baseAddress, bytes.baseAddress.map { $0 + 12 }, 18)
    }

    func counts() throws -> Counts {
      let memory = try ProcessMemory()
      var counts = Counts()
      for region in try ProcessMemory.regions() {
        counts.number += memory.count(of: number, in: region)
        counts.der += memory.count(of: der, in: region)
        counts.pem += memory.count(
          of: UnsafeMutableRawBufferPointer(rebasing: pem[..<24]), in: region)
      }
      return counts
    }
  }

  /// This process's memory as a file: what another thread gives back meanwhile cannot be read, where a pointer would trap.
  private final class ProcessMemory {
    private let file: Int32
    private let window = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)

    init() throws {
      file = open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
      if file < 0 { throw CocoaError(.fileReadUnknown) }
    }

    deinit {
      OPENSSL_cleanse(window.baseAddress, window.count)
      window.deallocate()
      close(file)
    }

    /// How often `needle` is in a region, itself and this window not counted.
    func count(of needle: UnsafeMutableRawBufferPointer, in region: Range<UInt>) -> Int {
      // Memory is full of zeros: a byte that is none is looked for.
      guard let own = needle.baseAddress, let anchor = needle.firstIndex(where: { $0 > 1 }),
        let start = window.baseAddress
      else { return 0 }
      var count = 0
      for base in stride(
        from: region.lowerBound, to: region.upperBound, by: window.count - needle.count + 1)
      {
        let size = pread(
          file, start, min(window.count, Int(region.upperBound - base)), off_t(base))
        var place = anchor
        while place < size, let hit = memchr(start + place, Int32(needle[anchor]), size - place) {
          let begin = start.distance(to: hit) - anchor
          place = begin + anchor + 1
          guard begin + needle.count <= size, memcmp(start + begin, own, needle.count) == 0 else {
            continue
          }
          let address = base + UInt(begin)
          let ours = UInt(bitPattern: start)..<UInt(bitPattern: start) + UInt(window.count)
          if address != UInt(bitPattern: own), !ours.contains(address) { count += 1 }
        }
      }
      return count
    }

    /// All memory that can be written.
    static func regions() throws -> [Range<UInt>] {
      let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
      return maps.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        guard fields[1].hasPrefix("rw"), ends.count == 2 else { return nil }
        return ends[0]..<ends[1]
      }
    }
  }
#endif
