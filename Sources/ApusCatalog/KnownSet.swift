// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusData

/// A data set that Apus knows by name: what it is, where it comes from, and which files it consists
/// of.
public struct KnownSet: Hashable, Sendable {
  /// One file, stored as it is or compressed by gzip with `.gz` after its name.
  public struct File: Hashable, Sendable {
    /// The folder below a data directory.
    public let folder: String
    /// Without `.gz`.
    public let name: String
    /// Bytes, not compressed.
    public let size: Int
    /// The SHA-256 of the bytes, not compressed; nil where it is not known.
    public let digest: String?

    init(_ folder: String, _ name: String, _ size: Int, _ digest: String?) {
      self.folder = folder
      self.name = name
      self.size = size
      self.digest = digest
    }
  }

  public let name: String
  /// What it is, in a line.
  public let summary: String
  /// Where to get it.
  public let origin: String
  public let licence: String
  /// What its examples can be divided by, besides the splits that any data have.
  public let keys: [String]
  /// The files, none for sets that are computed.
  ///
  /// Where there are several lists, the first that is complete is taken.
  public let variants: [[File]]

  init(
    _ name: String, _ summary: String, origin: String, licence: String, keys: [String] = [],
    variants: [[File]] = []
  ) {
    self.name = name
    self.summary = summary
    self.origin = origin
    self.licence = licence
    self.keys = keys
    self.variants = variants
  }
}

extension KnownSet {
  /// All of them, in the order to list them.
  public static let all: [KnownSet] = [
    KnownSet(
      "digits", "1,797 images of digits, 8 × 8; 10 classes; comes with Apus",
      origin: "part of Apus (UCI data set 80, as scikit-learn has it)", licence: "CC BY 4.0",
      variants: [digitsFiles]),
    KnownSet(
      "fashion-mnist", "70,000 images of clothes, 28 × 28; 10 classes",
      origin: "apt-get install dataset-fashion-mnist, or github.com/zalandoresearch/fashion-mnist",
      licence: "MIT", variants: [fashionFiles]),
    KnownSet(
      "mnist", "70,000 images of digits, 28 × 28; 10 classes",
      origin: "the four original files of LeCun, Cortes and Burges; many mirrors have them",
      licence: "CC BY-SA 3.0", variants: [mnistFiles]),
    KnownSet(
      "mnist-writers", "MNIST, of which it is known who wrote each digit: 539 train writers",
      origin: "MNIST, and writers from github.com/facebookresearch/qmnist (column 2 of its labels)",
      licence: "CC BY-SA 3.0 and BSD 3-Clause", keys: ["writer"],
      variants: [mnistFiles + writerFiles]),
    KnownSet(
      "cifar10", "images of things, 32 × 32 × 3; 10 classes; all 60,000, or a part of 5,000",
      origin: "cs.toronto.edu/~kriz/cifar.html, the binary version", licence: "none stated",
      variants: [cifarFiles, cifarPartFiles]),
    KnownSet(
      "adult-census", "48,842 people's income above 50K or not; 6 numbers, 8 words",
      origin: "UCI data set 2 (archive.ics.uci.edu/dataset/2/adult)", licence: "CC BY 4.0",
      keys: ["education", "occupation", "workclass"], variants: [adultFiles]),
    KnownSet(
      "breast-cancer-wdbc", "569 tumours, malignant or benign; 30 numbers",
      origin: "UCI data set 17 (archive.ics.uci.edu/dataset/17)", licence: "CC BY 4.0",
      variants: [wdbcFiles]),
    KnownSet(
      "wisdm-har", "5,418 ten-second windows of 36 people's movements; 43 numbers, 6 classes",
      origin: "WISDM activity prediction v1.1, transformed (cis.fordham.edu/wisdm)",
      licence: "as its readme.txt says; cite Kwapisz et al. 2010", keys: ["user"],
      variants: [wisdmFiles]),
    KnownSet(
      "shakespeare", "37 plays by speaking role, 1,233 roles; the next character",
      origin: "the Moby edition, as tab-separated play, role, place, text",
      licence: "public domain",
      keys: ["role"], variants: [shakespeareFiles]),
    KnownSet(
      "omniglot", "4,840 drawings of 242 characters, 28 × 28, by 160 hands",
      origin: "github.com/brendenlake/omniglot, background_small1 and 2, resized to 28 × 28 IDX",
      licence: "MIT", keys: ["drawer"], variants: [omniglotFiles]),
    KnownSet(
      "synthetic", "Synthetic(alpha, beta) of the FedProx paper; 60 numbers, 10 classes",
      origin: "computed from the seed", licence: "none needed", keys: ["device"]),
    KnownSet(
      "synthetic-on-demand", "the same with 20 examples a device, made when a device takes part",
      origin: "computed from the seed", licence: "none needed", keys: ["device"]),
  ]

  /// The set of this name.
  ///
  /// - Throws: `unknown-set`, with the names that there are.
  public static func named(_ name: String) throws(DataError) -> KnownSet {
    guard let set = all.first(where: { $0.name == name }) else {
      throw DataError(
        .unknownSet,
        "There is no data set \"\(name)\"; "
          + "expected one of \(all.map(\.name).joined(separator: ", "))."
      )
    }
    return set
  }
}

// Sizes and digests are of the files without their compression.
extension KnownSet {
  private static let digitsFiles = [
    File(
      "digits", "digits.csv", 264_712,
      "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8")
  ]
  private static let fashionFiles = idxFiles(
    "fashion-mnist",
    [
      "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
      "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
      "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
      "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ])
  private static let mnistFiles = idxFiles(
    "mnist",
    [
      "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ])
  private static let writerFiles = [
    File(
      "mnist-writers", "train-writers-idx1-short", 120_008,
      "d35a9f2f67cffc42cffa71f2ea3836057010e277931851a38fa1d336c9b60df4"),
    File(
      "mnist-writers", "t10k-writers-idx1-short", 20_008,
      "73ea42627e35f032384d76b5a63c6aaadec08acaa425def0f7321e13231927ca"),
  ]
  private static let cifarFiles =
    (1...5).map { File("cifar10", "data_batch_\($0).bin", 30_730_000, nil) }
    + [File("cifar10", "test_batch.bin", 30_730_000, nil)]
  private static let cifarPartFiles = [
    File(
      "cifar10", "train_4000.bin", 12_292_000,
      "0993cf8b8e43bc207603aef9787006995746513f5e3fa5a52e06d1b069926330"),
    File(
      "cifar10", "test_1000.bin", 3_073_000,
      "8314c96d7cd65618193bab23acdd5d4c4af15bf6dd00a1781d55beedf3be1ef5"),
  ]
  private static let adultFiles = [
    File(
      "adult-census", "adult.data", 3_974_305,
      "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d"),
    File(
      "adult-census", "adult.test", 2_003_153,
      "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05"),
  ]
  private static let wdbcFiles = [
    File(
      "breast-cancer-wdbc", "wdbc.data", 124_103,
      "d606af411f3e5be8a317a5a8b652b425aaf0ff38ca683d5327ffff94c3695f4a")
  ]
  private static let wisdmFiles = [
    File(
      "wisdm-har", "WISDM_ar_v1.1_transformed.arff", 1_197_772,
      "8cb3fbbad6398ac4b817cc7b98f387efa89ac24b26d1270a5e7a1049a8f9c31a")
  ]
  private static let shakespeareFiles = [
    File(
      "shakespeare", "moby_plays_by_role.tsv", 7_866_782,
      "aa0d912eba6029a3abfa7869bea13621bb2db12fef2bb69145f79e9e446fda1b")
  ]
  private static let omniglotFiles = [
    File(
      "omniglot", "omniglot28-images-idx3-ubyte", 3_794_576,
      "40a8a98954793328d5750a05bf99c18f503dff96c6f4417d64b7f90f7c3b87cf"),
    File(
      "omniglot", "omniglot28-labels-idx1-short", 9688,
      "1426afdaae05ddbdfb4aeb9a3499258509c45cd929392f5f54b49afc917cd515"),
    File(
      "omniglot", "omniglot28-clients-idx1-short", 9688,
      "8d67fbd28e786e9e267ecac59472835bcc5a33f80b83cba785a88e8c185d07a9"),
  ]

  /// The four files of MNIST and its likes.
  private static func idxFiles(_ folder: String, _ digests: [String]) -> [File] {
    zip(
      [
        ("train-images-idx3-ubyte", 47_040_016), ("train-labels-idx1-ubyte", 60_008),
        ("t10k-images-idx3-ubyte", 7_840_016), ("t10k-labels-idx1-ubyte", 10_008),
      ], digests
    ).map { File(folder, $0.0, $0.1, $1) }
  }
}
