// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusNumerics

extension ParameterLayout {
  /// SHA-256 of "name:extent,extent,…;" for each array in order: 32 bytes.
  package var digest: [UInt8] {
    var hash = SHA256()
    for entry in entries {
      let extents = entry.shape.dimensions.map(String.init).joined(separator: ",")
      let text = Array("\(entry.name):\(extents);".utf8)
      text.withUnsafeBytes { hash.update($0) }
    }
    return hash.finalize()
  }

  /// Where the arrays are in a blob that has the flat vector.
  package func tensors(as format: NumberFormat) -> [Proto.Tensor] {
    entries.map { entry in
      Proto.Tensor {
        $0.name = entry.name
        $0.type = format.dataType
        $0.shape = entry.shape.dimensions.map { UInt64($0) }
        $0.offset = UInt64(entry.offset * format.byteCount)
        $0.length = UInt64(entry.shape.count * format.byteCount)
      }
    }
  }
}
