// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusData

extension DataCatalog {
  /// Loads a set that has files.
  ///
  /// Every file's digest is compared with the known one.
  /// - Throws: `unknown-set`, `missing-set`, `digest-mismatch`, and what reading throws.
  public func load(_ name: String) throws(DataError) -> LoadedData {
    let set = try KnownSet.named(name)
    guard !set.variants.isEmpty else {
      throw DataError(
        .unsupported, "\(name) is computed, not loaded: ask for it as a federated data set.")
    }
    var files: [FileContents] = []
    var digests: [String: String] = [:]
    for found in try find(set) {
      let (contents, digest) = try found.read()
      files.append(contents)
      digests["\(found.file.folder)/\(found.file.name)"] = digest
    }
    var data = try Self.read(name, from: files)
    data.digests = digests
    return data
  }

  /// Clients with their examples, and the digests of the files that they come from.
  ///
  /// - Parameters:
  ///   - name: of a known set.
  ///   - split: who gets what; for the synthetic sets `.by("device")`, or `.iid` for devices alike.
  ///   - clients: how many; nil where the split tells, and for the 30 devices of the synthetic set.
  ///   - holdBack: the part of every client's examples that is kept for measuring; synthetic
  ///     devices always keep a tenth, as in the paper.
  ///   - alpha: of the synthetic sets: how much models differ; 1 where it is nil.
  ///   - beta: of the synthetic sets: how much inputs differ; 1 where it is nil.
  ///   - seed: the same seed gives the same data.
  /// - Returns: the clients, and the SHA-256 of each file, inflated.
  /// - Throws: `impossible-split`, and what ``load(_:)`` throws.
  public func federated(
    _ name: String, split: SplitRule, clients: Int? = nil, holdBack: Double = 0,
    alpha: Double? = nil, beta: Double? = nil, seed: UInt64
  ) throws(DataError) -> (dataset: FederatedDataset, digests: [String: String]) {
    if try KnownSet.named(name).variants.isEmpty {
      let dataset = try Self.synthetic(
        name, split: split, devices: clients ?? 30, alpha: alpha ?? 1, beta: beta ?? 1, seed: seed)
      return (dataset, [:])
    }
    guard alpha == nil, beta == nil else {
      throw DataError(
        .impossibleSplit, "Only the synthetic sets have an alpha and a beta; \(name) has none.")
    }
    let data = try load(name)
    let dataset = try data.federated(split: split, clients: clients, holdBack: holdBack, seed: seed)
    return (dataset, data.digests)
  }

  private static func synthetic(
    _ name: String, split: SplitRule, devices: Int, alpha: Double, beta: Double, seed: UInt64
  ) throws(DataError) -> FederatedDataset {
    guard devices > 0, alpha >= 0, beta >= 0, alpha.isFinite, beta.isFinite else {
      throw DataError(
        .impossibleSplit,
        "\(name) needs 1 device or more, and an alpha and a beta of at least 0; "
          + "not \(devices), \(alpha) and \(beta).")
    }
    guard split == .iid || split == .by("device") else {
      throw DataError(
        .impossibleSplit,
        "\(name) comes divided: its split is by \"device\", or \"iid\" for devices alike.")
    }
    let data = SyntheticData(alpha: alpha, beta: beta, isIID: split == .iid)
    return name == "synthetic-on-demand"
      ? data.federatedOnDemand(devices: devices, seed: seed)
      : data.federated(devices: devices, seed: seed)
  }

  // The files are in the order that the set lists them in.
  private static func read(
    _ name: String, from files: [FileContents]
  ) throws(DataError) -> LoadedData {
    switch name {
    case "digits": try digits(files)
    case "mnist": try images(name, files)
    case "fashion-mnist": try fashion(files)
    case "mnist-writers": try writers(files)
    case "cifar10":
      LoadedData(
        name, train: try CIFARImages.table(parsing: files.dropLast()),
        test: try CIFARImages.table(parsing: Array(files.suffix(1))))
    case "adult-census": try adult(files)
    case "breast-cancer-wdbc": try wdbc(files)
    case "wisdm-har": try wisdm(files)
    case "shakespeare": try shakespeare(files)
    case "omniglot": try omniglot(files)
    default: throw DataError(.unknownSet, "There is no reader for the data set \(name).")
    }
  }
}
