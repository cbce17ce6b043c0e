// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusTransport
internal import ApusWire
internal import Foundation

/// `apus-bench upload HUB HOST:PORT MEGABYTES TIMES`: an operator's upload to a durable acknowledgement, timed.
enum UploadTiming {
  static func run(hub: String, host: String, port: Int, megabytes: Int, times: Int) async throws {
    let identity = try Identity.load(from: hub + "/operator")
    let channel = try GRPCChannel(
      host: host, port: port, trust: .authorities(identity.authorities.map(\.der)),
      identity: identity.tlsMaterial())
    var generator = SystemRandomNumberGenerator()
    var seconds: [Double] = []
    for _ in 0..<times {
      // Another blob every time, or there would be nothing to send.
      var bytes = [UInt8](repeating: 0, count: megabytes * 1_000_000)
      bytes.withUnsafeMutableBytes { bytes in
        for place in stride(from: 0, to: bytes.count - 8, by: 8) {
          bytes.storeBytes(of: generator.next(), toByteOffset: place, as: UInt64.self)
        }
      }
      let manifest = BlobManifest(of: bytes)
      let clock = ContinuousClock()
      let start = clock.now
      var request = Proto.BeginUploadRequest()
      request.manifest = Proto.BlobManifest(manifest)
      _ = try await channel.call(BlobsMethods.beginUpload, request, timeout: .seconds(60))
      try await BlobUpload(manifest, channel).send(bytes)
      seconds.append((clock.now - start) / .seconds(1))
    }
    await channel.close()
    try Figure(
      "upload", unit: "s", samples: seconds,
      also: ["megabytesPerSecond": Double(megabytes) / seconds.median]
    ).printed()
  }
}
