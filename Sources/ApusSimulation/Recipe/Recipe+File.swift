// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

extension Recipe {
  /// Reads a recipe's file.
  ///
  /// - Parameters:
  ///   - file: a path.
  ///   - overrides: `key.path=value` each, put in place before anything is read.
  /// - Throws: `unreadable-recipe` or `invalid-recipe`.
  public init(contentsOf file: String, setting overrides: [String] = []) throws(SimulationError) {
    let bytes: Data
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
      defer { try? handle.close() }
      // One byte more than is allowed, so that a pipe or a disk image does not fill the memory.
      bytes = try handle.read(upToCount: Self.largestFile + 1) ?? Data()
    } catch {
      var isDirectory: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory)
      let reason =
        !exists ? "no such file" : isDirectory.boolValue ? "a directory" : "cannot be read"
      throw SimulationError(
        .unreadableRecipe, "\(file): \(reason), expected a recipe (recipe.json5)", cause: error)
    }
    try self.init(parsing: bytes, file: file, setting: overrides)
  }
}
