// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

/// The binary files of CIFAR-10: one byte of label, then 1,024 bytes each of red, green and blue.
///
/// > A. Krizhevsky. "Learning multiple layers of features from tiny images." 2009.
public enum CIFARImages {
  private static let side = 32
  private static let channels = 3
  private static let pixelBytes = side * side * channels
  private static let recordBytes = pixelBytes + 1
  private static let classCount = 10

  /// Images of 32 × 32 × 3 (channels last) from the records of some files, one after the other.
  ///
  /// - Parameter files: inflated.
  /// - Returns: examples whose pixels are bytes in 0...1, in steps of 1/255.
  /// - Throws: `malformed` for half a record, `unknown-category` for a label above 9.
  public static func table(parsing files: [FileContents]) throws(DataError) -> ExampleTable {
    var classes: [Int32] = []
    for file in files {
      let bytes = file.region.bytes
      guard bytes.count % recordBytes == 0, bytes.count / recordBytes <= Int32.max else {
        throw DataError(
          .malformed, file: file.name,
          "has \(bytes.count) bytes, which is no multiple of the \(recordBytes) of a CIFAR-10 "
            + "record. Was it cut off, or is it CIFAR-100?")
      }
      for first in stride(from: 0, to: bytes.count, by: recordBytes) {
        guard bytes[first] < classCount else {
          throw DataError(
            .unknownCategory, file: file.name,
            "the label of record \(first / recordBytes) is \(bytes[first]); "
              + "expected 0..<\(classCount).")
        }
        classes.append(Int32(bytes[first]))
      }
    }
    let pixels = ByteRegion(count: classes.count * pixelBytes) { pixels in
      guard var next = pixels.baseAddress else { return }
      for file in files {
        guard let base = file.region.bytes.baseAddress else { continue }
        for first in stride(from: 0, to: file.region.count, by: recordBytes) {
          apus_interleave_planes(side * side, channels, base + first + 1, next)
          next += pixelBytes
        }
      }
    }
    return ExampleTable(
      count: classes.count, inputShape: [side, side, channels],
      inputs: .bytes(pixels, scale: 1 / 255, offset: 0),
      targets: .classes(classes, classCount: classCount))
  }
}
