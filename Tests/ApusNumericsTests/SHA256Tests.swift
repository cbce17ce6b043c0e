// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusNumerics

struct SHA256Tests {
  @Test("The examples of FIPS 180-4 come out")
  func examples() {
    func digest(_ text: String) -> String {
      Array(text.utf8).withUnsafeBytes { SHA256.hexDigest(of: $0) }
    }
    #expect(
      digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  @Test("Bytes in pieces have the digest of the whole")
  func pieces() {
    let bytes = (0..<1000).map { UInt8($0 & 255) }
    var hash = SHA256()
    for start in stride(from: 0, to: 1000, by: 77) {
      bytes[start..<min(start + 77, 1000)].withUnsafeBytes { hash.update($0) }
    }
    #expect(SHA256.hexadecimal(hash.finalize()) == bytes.withUnsafeBytes(SHA256.hexDigest))
  }

  @Test("The digest of a vector is that of its little-endian bytes")
  func vector() {
    // printf '\0\0\x80\x3f\0\0\0\xc0' | sha256sum
    let expected = Array<UInt8>([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0])
      .withUnsafeBytes(SHA256.hexDigest)
    #expect(ParameterVector([1, -2]).digest == expected)
    #expect(ParameterVector([1, 2]).digest != expected)
  }
}
