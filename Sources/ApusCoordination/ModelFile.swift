// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
package import ApusWire
internal import Foundation

/// A version of a model as a safetensors file, with where it comes from in its metadata.
package struct ModelFile: Sendable {
  package let model: Proto.ModelInfo
  private let manifest: BlobManifest
  private let layout: ParameterLayout

  /// - Throws: ``CoordinationError`` (`damaged`) where what the aggregator tells of the model makes no sense.
  package init(_ model: Proto.ModelInfo) throws(CoordinationError) {
    guard let blob = model.blob else {
      throw CoordinationError(.damaged, "version \(model.version) has no numbers")
    }
    do { manifest = try BlobManifest(blob) } catch {
      throw CoordinationError(.damaged, "version \(model.version): \(error.message)", cause: error)
    }
    var layout = ParameterLayout()
    var end: UInt64 = 0
    for tensor in model.tensors {
      let extents = tensor.shape.map { Int(clamping: $0) }
      guard tensor.type == .float32, tensor.offset == end, tensor.name != "__metadata__",
        layout[tensor.name] == nil, let count = Shape(extents).checkedCount,
        UInt64(count) <= UInt64.max / 4, UInt64(count) * 4 == tensor.length,
        case let (next, overflows) = end.addingReportingOverflow(tensor.length), !overflows
      else {
        throw CoordinationError(
          .damaged,
          "version \(model.version): the array \(tensor.name.prefix(100)) is described wrongly")
      }
      layout.append(tensor.name, Shape(extents))
      end = next
    }
    guard end == manifest.size else {
      throw CoordinationError(
        .damaged, "version \(model.version) has \(manifest.size) bytes, and its arrays \(end)")
    }
    self.model = model
    self.layout = layout
  }

  /// What the file says of itself.
  ///
  /// - Parameters:
  ///   - task: whose model it is.
  ///   - federation: which federation's.
  /// - Returns: pairs of texts, as the format has them.
  package func metadata(task: Proto.TaskInfo, federation: String) -> [String: String] {
    let description = ModelDescription(model)
    var metadata = [
      "format": "apus-model", "digest": description.modelDigest, "federation": federation,
      "task": task.taskId, "name": task.name, "version": "\(description.version)",
      "created": description.created, "contributions": "\(description.contributions)",
    ]
    if !task.recipe.isEmpty {
      metadata["recipe"] = Array(task.recipe.utf8).withUnsafeBytes { SHA256.hexDigest(of: $0) }
    }
    metadata["round"] = description.round.map { "\($0)" }
    metadata["parent"] = description.parent.map { "\($0)" }
    metadata["rollbackOf"] = description.rollbackOf.map { "\($0)" }
    metadata["contributionsDigest"] = description.contributionsDigest
    metadata["accuracy"] = description.accuracy.map { "\($0)" }
    metadata["loss"] = description.loss.map { "\($0)" }
    return metadata
  }

  /// Downloads the numbers into a file, which appears whole or not at all.
  ///
  /// - Parameters:
  ///   - path: of the file; one that is there is replaced.
  ///   - metadata: what it says of itself.
  ///   - client: where the numbers are.
  ///   - onProgress: told of the bytes that are here.
  /// - Throws: ``CoordinationError``: `damaged` where the numbers have another digest than the version has,
  ///   `file-system`, and what downloading throws.
  /// - Allocates: a chunk, whatever the model's size.
  package nonisolated(nonsending) func write(
    to path: String, metadata: [String: String], from client: CoordinatorClient,
    onProgress: (UInt64) -> Void = { _ in }
  ) async throws(CoordinationError) {
    let file = try PartialFile(for: path)
    var hash = SHA256()
    var count: UInt64 = 0
    try file.append(Safetensors.beginning(layout, metadata: metadata))
    try await client.download(manifest) { bytes throws(CoordinationError) in
      hash.update(bytes)
      try file.append(bytes)
      count += UInt64(bytes.count)
      onProgress(count)
    }
    guard hash.finalize() == model.modelDigest else {
      throw CoordinationError(
        .damaged, "\(path): the numbers that came have another digest than version \(model.version)"
      )
    }
    try file.finish()
  }
}

/// A file that is written bit by bit under another name; what is not finished is removed.
private final class PartialFile {
  private let path: String
  private let temporary: String
  private let handle: FileHandle
  private var isFinished = false

  init(for path: String) throws(CoordinationError) {
    self.path = path
    let url = URL(fileURLWithPath: path)
    temporary =
      url.deletingLastPathComponent().path + "/.\(url.lastPathComponent.prefix(100))."
      + String(UInt64.random(in: .min ... .max), radix: 36) + ".tmp"
    guard FileManager.default.createFile(atPath: temporary, contents: nil),
      let handle = FileHandle(forWritingAtPath: temporary)
    else {
      throw CoordinationError(
        .fileSystem, "\(path): cannot be made: \(String(cString: strerror(errno)))")
    }
    self.handle = handle
  }

  deinit {
    try? handle.close()
    if !isFinished { try? FileManager.default.removeItem(atPath: temporary) }
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(CoordinationError) {
    try check { try handle.write(contentsOf: Data(bytes)) }
  }

  func append(_ bytes: [UInt8]) throws(CoordinationError) {
    try check { try handle.write(contentsOf: Data(bytes)) }
  }

  func finish() throws(CoordinationError) {
    try check {
      try handle.synchronize()
      try handle.close()
    }
    guard rename(temporary, path) == 0 else {
      throw CoordinationError(
        .fileSystem, "\(path): cannot be written: \(String(cString: strerror(errno)))")
    }
    isFinished = true
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    try check { try DurableFile.synchronize(directory: directory) }
  }

  private func check(_ body: () throws -> Void) throws(CoordinationError) {
    do { try body() } catch {
      throw CoordinationError(
        .fileSystem, "\(path): cannot be written: \(error.localizedDescription)", cause: error)
    }
  }
}
