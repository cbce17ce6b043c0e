// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusAlgorithms
internal import ApusNumerics
internal import Foundation

/// The file that a round's sum is kept in: the sum, and whose updates are in it, as one.
///
/// Layout, integers little-endian: "APXFOLD1"; how many devices (UInt64); their numbers (UInt64 each, padded by
/// nothing); the sum as `ExactSum` encodes it; SHA-256 of all that.
package struct FoldCheckpoint: Sendable {
  let path: String

  private static let magic = Array("APXFOLD1".utf8)

  /// - Parameters:
  ///   - directory: there already.
  ///   - round: names the file.
  package init(in directory: String, for round: RoundKey) {
    path = "\(directory)/\(round.task)-\(round.round)-\(round.attempt).fold"
  }

  /// Replaces the file, whole or not at all.
  func write(
    _ sum: borrowing WeightedSum<ParameterVector>, devices: [UInt64]
  ) throws(AggregatorError) {
    var head = Self.magic
    for number in [UInt64(devices.count)] + devices {
      withUnsafeBytes(of: number.littleEndian) { head.append(contentsOf: $0) }
    }
    let path = path
    let result = head.withUnsafeBytes { head in
      sum.withEncodedPieces { pieces in
        let pieces = [head] + pieces
        var hash = SHA256()
        for piece in pieces { hash.update(piece) }
        return hash.finalize().withUnsafeBytes { digest in
          Result { () throws(NumericsError) in
            try DurableFile.write(pieces: pieces + [digest], to: path)
          }
        }
      }
    }
    if case .failure(let error) = result {
      throw AggregatorError(.fileSystem, error.message, cause: error)
    }
  }

  /// What the file has; nil where there is none, or no sound one.
  func read(parameterCount: Int) -> (devices: [UInt64], sum: WeightedSum<ParameterVector>)? {
    guard let data = try? Data(contentsOf: URL(filePath: path), options: .alwaysMapped) else {
      return nil
    }
    return data.withUnsafeBytes { bytes in
      guard bytes.count >= 48, bytes[..<8].elementsEqual(Self.magic) else { return nil }
      let body = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 32)])
      var hash = SHA256()
      hash.update(body)
      guard bytes[body.count...].elementsEqual(hash.finalize()) else { return nil }
      func word(_ index: Int) -> UInt64 {
        UInt64(littleEndian: body.loadUnaligned(fromByteOffset: 8 + 8 * index, as: UInt64.self))
      }
      let count = word(0)
      guard count <= UInt64((body.count - 16) / 8) else { return nil }
      let devices = (0..<Int(count)).map { word(1 + $0) }
      let rest = UnsafeRawBufferPointer(rebasing: body[(16 + 8 * Int(count))...])
      guard let sum = try? WeightedSum<ParameterVector>(decoding: rest, lengths: [parameterCount])
      else { return nil }
      return (devices, sum)
    }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}
