// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The examples of a device: a folder with an `apus-data.json5` (``LocalDataFile``), or files that speak for
/// themselves.
///
/// Without that file a folder has either one pair of IDX files, one with `images` or `inputs` in its name
/// and one with `labels` or `targets` (of several pairs the one of `train`), or one CSV file with a
/// column called `label`, `class`, `target` or `value`. A path may name such a CSV file itself.
public enum LocalData {
  /// Reads a device's examples.
  ///
  /// - Parameters:
  ///   - path: a folder, an `apus-data.json5`, or a CSV file.
  ///   - settings: `key=value` each, as in `apus-data.json5`, which come before what that says.
  /// - Returns: a table with at least one example.
  /// - Throws: `missing-file`, `file-system`, `malformed`, `unsupported`, `count-mismatch`,
  ///   `unknown-category`, `missing-value` and what the formats' readers throw; each names the file and what
  ///   was expected.
  public static func load(
    _ path: String, setting settings: [String] = []
  ) throws(DataError) -> ExampleTable {
    let (folder, file) = try describe(path, settings)
    let table =
      if file.isTable {
        try LocalTable(file, in: folder).examples()
      } else {
        try LocalArrays(file, in: folder).examples()
      }
    guard table.count > 0 else {
      throw DataError(
        .missingValue, file: join(folder, file.inputs), "has no examples; expected at least one.")
    }
    return table
  }

  /// What a path names: its folder, and what is in it.
  private static func describe(
    _ path: String, _ settings: [String]
  ) throws(DataError) -> (folder: String, file: LocalDataFile) {
    guard !isDirectory(path) else {
      let file = join(path, LocalDataFile.name)
      if exists(file) { return (path, try parse(file, settings)) }
      return (path, try LocalDataFile(guessing: names(in: path), folder: path, setting: settings))
    }
    guard exists(path) else {
      throw DataError(
        .missingFile, file: path,
        "there is no such folder; expected one with \(LocalDataFile.name) and the files that it names."
      )
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    let name = path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    if name.hasSuffix(".json5") { return (folder, try parse(path, settings)) }
    return (folder, try LocalDataFile(guessing: [name], folder: folder, setting: settings))
  }

  private static func parse(
    _ path: String, _ settings: [String]
  ) throws(DataError) -> LocalDataFile {
    let contents = try FileContents(of: path, limit: 1 << 20)
    guard let text = String(validating: contents.region.bytes, as: UTF8.self) else {
      throw DataError(.malformed, file: path, "is not UTF-8 text; expected JSON5.")
    }
    return try LocalDataFile(parsing: text, file: path, setting: settings)
  }

  // MARK: Files

  /// A file of a folder; an absolute name is one.
  static func join(_ folder: String, _ name: String) -> String {
    name.hasPrefix("/") ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  private static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The files of a folder that are not hidden, sorted.
  private static func names(in folder: String) throws(DataError) -> [String] {
    guard let directory = opendir(folder) else {
      throw DataError(
        .fileSystem, file: folder,
        "the system refused to list it: \(String(cString: strerror(errno))).")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}

extension LocalDataFile {
  /// What files without an `apus-data.json5` say by their names.
  init(
    guessing names: [String], folder: String, setting settings: [String]
  ) throws(DataError) {
    func files(_ words: [String]) -> [String] {
      let found = names.filter { name in
        !Self.isTable(name) && words.contains { name.lowercased().contains($0) }
      }
      let train = found.filter { $0.lowercased().hasPrefix("train") }
      return train.count == 1 ? train : found
    }
    var members: [String] = []
    let (inputs, targets) = (files(["images", "inputs"]), files(["labels", "targets"]))
    let tables = names.filter(Self.isTable)
    if inputs.count == 1, targets.count == 1 {
      members = ["inputs=\(inputs[0])", "targets=\(targets[0])"]
    } else if tables.count == 1, inputs.isEmpty {
      members = ["inputs=\(tables[0])"]
      let columns = try LocalTable.header(of: LocalData.join(folder, tables[0]), separator: ",")
      if !settings.contains(where: { $0.hasPrefix("label=") || $0.hasPrefix("value=") }) {
        guard let column = ["label", "class", "target", "value"].first(where: columns.contains)
        else {
          throw DataError(
            .malformed, file: LocalData.join(folder, tables[0]), line: 1,
            "the header is \(columns.prefix(20).joined(separator: ", ")); expected a column label, "
              + "class, target or value, or \(Self.name) beside it that names one.")
        }
        members.append("\(column == "value" ? "value" : "label")=\(column)")
      }
    } else if !settings.contains(where: { $0.hasPrefix("inputs=") }) {
      throw DataError(
        .missingFile, file: folder,
        "has no \(Self.name), and its files do not speak for themselves; expected one IDX file with "
          + "images or inputs in its name and one with labels or targets, or one CSV file.")
    }
    let keys = Set(settings.map { $0.prefix { $0 != "=" } })
    try self.init(
      parsing: "{}", file: LocalData.join(folder, Self.name),
      setting: members.filter { !keys.contains($0.prefix { $0 != "=" }) } + settings)
  }
}
