// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusData
public import Foundation

/// Finds and loads the data sets that Apus knows, wherever this machine has them.
///
/// It looks in the directory that it is told, in `$APUS_DATA` (one directory, or several between
/// colons), in `apus/data` of the user's cache, and where Debian's packages put data sets; with
/// `mnist` in the folder `mnist` there, or in the directory itself if that is called `mnist`.
public struct DataCatalog: Sendable {
  /// The directories that are looked in, the first first.
  public let places: [String]

  /// - Parameters:
  ///   - directory: the first place to look; nil for none.
  ///   - environment: where `APUS_DATA`, `XDG_CACHE_HOME` and `HOME` are.
  public init(
    directory: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    var places = directory.map { [$0] } ?? []
    places += (environment["APUS_DATA"] ?? "").split(separator: ":").map(String.init)
    if let cache = environment["XDG_CACHE_HOME"].flatMap({ $0.isEmpty ? nil : $0 })
      ?? environment["HOME"].map({ "\($0)/.cache" })
    {
      places.append("\(cache)/apus/data")
    }
    self.places = places + ["/usr/share/datasets"]
  }

  /// Where a set is.
  public enum Location: Hashable, Sendable {
    /// The directory of the first of its files.
    case directory(String)
    /// It comes with Apus.
    case bundled
    /// It is computed.
    case computed
    /// It is not on this machine.
    case missing
  }

  /// Where a set is; its files are not opened.
  public func location(of set: KnownSet) -> Location {
    if set.variants.isEmpty { return .computed }
    guard let files = try? find(set), let path = files.first?.path else { return .missing }
    if set.name == "digits", path == Self.bundledDigits { return .bundled }
    return .directory((path as NSString).deletingLastPathComponent)
  }

  /// A file of a set, found.
  struct FoundFile {
    let file: KnownSet.File
    let path: String
  }

  /// Paths for all files of a set.
  ///
  /// - Throws: `missing-set`.
  func find(_ set: KnownSet) throws(DataError) -> [FoundFile] {
    for variant in set.variants {
      if let found = find(variant) { return found }
    }
    if set.name == "digits", let path = Self.bundledDigits, let file = set.variants.first?.first {
      return [FoundFile(file: file, path: path)]
    }
    throw missing(set)
  }

  private func find(_ files: [KnownSet.File]) -> [FoundFile]? {
    var found: [FoundFile] = []
    for (folder, files) in Dictionary(grouping: files, by: \.folder) {
      let complete = directories(for: folder).lazy.compactMap { Self.find(files, in: $0) }.first
      guard let complete else { return nil }
      found += complete
    }
    // In the order that was asked for, whatever the order of the dictionary.
    return files.compactMap { file in found.first { $0.file == file } }
  }

  /// All of the files in one directory, or nil.
  private static func find(_ files: [KnownSet.File], in directory: String) -> [FoundFile]? {
    var found: [FoundFile] = []
    for file in files {
      let plain = "\(directory)/\(file.name)"
      let path = [plain, "\(plain).gz"].first { FileManager.default.fileExists(atPath: $0) }
      guard let path else { return nil }
      found.append(FoundFile(file: file, path: path))
    }
    return found
  }

  private func directories(for folder: String) -> [String] {
    places.flatMap { place in
      let isFolder = (place as NSString).lastPathComponent == folder
      return (isFolder ? [place] : []) + ["\(place)/\(folder)"]
    }
  }

  private func missing(_ set: KnownSet) -> DataError {
    let folders = Set(set.variants.joined().map(\.folder)).sorted()
    let looked = folders.flatMap(directories(for:)).map { directory in
      FileManager.default.fileExists(atPath: directory)
        ? "  \(directory) (does not have all files)" : "  \(directory) (is not there)"
    }
    let files = (set.variants.first ?? []).map {
      "  \($0.folder)/\($0.name)[.gz]  \($0.digest ?? "any")"
    }
    return DataError(
      .missingSet,
      """
      The data set \(set.name) is not on this machine.
      Get it: \(set.origin). Licence: \(set.licence).
      Its files, with the SHA-256 of what they inflate to:
      \(files.joined(separator: "\n"))
      Looked in:
      \(looked.joined(separator: "\n"))
      Put the files into one of these, or name their directory with --data-dir or APUS_DATA.
      """)
  }

  /// The digits that come with Apus; nil where a program was moved without its resources.
  static var bundledDigits: String? {
    // Beside the program, where SwiftPM puts them, first: `Bundle.module` stops the program if it
    // finds nothing.
    let beside = Bundle.main.bundleURL
      .appendingPathComponent("apus_ApusCatalog.resources/digits/digits.csv.gz").path
    if FileManager.default.fileExists(atPath: beside) { return beside }
    return Bundle.module.url(
      forResource: "digits.csv", withExtension: "gz", subdirectory: "digits")?
      .path
  }
}

extension DataCatalog.FoundFile {
  /// The file's bytes, inflated to no more than its known size, if they are the known ones.
  ///
  /// - Throws: `digest-mismatch`, and what reading throws.
  func read() throws(DataError) -> (contents: FileContents, digest: String) {
    let contents = try FileContents(of: path, limit: file.size)
    let digest = contents.digest
    guard file.digest == nil || digest == file.digest, contents.region.count == file.size else {
      throw DataError(
        .digestMismatch, file: path,
        "is not the known \(file.folder)/\(file.name): expected \(file.size) bytes of SHA-256 "
          + "\(file.digest ?? "any"), found \(contents.region.count) of \(digest) "
          + "(inflated). Get the file again.")
    }
    return (contents, digest)
  }
}
