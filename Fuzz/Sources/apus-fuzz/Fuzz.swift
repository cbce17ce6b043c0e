// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

// The main function is libFuzzer's: it calls the first of these once, then the second with one input
// after the other.

/// Chooses the reader that `APUS_FUZZ_TARGET` names.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutableRawPointer?
) -> CInt {
  let name = ProcessInfo.processInfo.environment["APUS_FUZZ_TARGET"] ?? ""
  let all = readers + wireReaders + identityReaders
  guard let reader = all.first(where: { $0.name == name }) else {
    let names = all.map(\.name).joined(separator: ", ")
    FileHandle.standardError.write(Data("Set APUS_FUZZ_TARGET to one of: \(names)\n".utf8))
    exit(2)
  }
  chosen = reader
  return 0
}

/// Feeds one input to the reader.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  chosen?.read(Array(UnsafeBufferPointer(start: bytes, count: count)))
  return 0
}

// Written once before the first input, by the thread that reads it.
nonisolated(unsafe) private var chosen: Reader?
