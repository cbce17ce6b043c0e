// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// Characters as classes: 0 for padding and for characters that are not known, then the known ones
/// in the order of their code points.
public struct CharacterVocabulary: Hashable, Sendable {
  /// The known characters; the first is class 1.
  public let scalars: [Unicode.Scalar]
  private let classOf: [Unicode.Scalar: Int32]

  /// The characters of a text.
  public init(of text: some Sequence<Unicode.Scalar>) {
    scalars = Set(text).sorted()
    classOf = Dictionary(
      uniqueKeysWithValues: scalars.enumerated().map { ($1, Int32($0 + 1)) })
  }

  /// How many classes there are, class 0 among them.
  public var count: Int { scalars.count + 1 }

  /// The class of a character.
  public func index(of scalar: Unicode.Scalar) -> Int32 { classOf[scalar] ?? 0 }

  /// The character of a class; nil for class 0 and for what is no class.
  public func scalar(at index: Int32) -> Unicode.Scalar? {
    index > 0 && index < count ? scalars[Int(index) - 1] : nil
  }
}

/// Texts cut into stretches of equal length, each place to be answered with the character after it.
///
/// A text's last stretch is padded with class 0, whose targets are -1 and do not count.
public struct CharacterSequences: Sendable {
  private let vocabulary: CharacterVocabulary
  private let length: Int
  private var tokens: [Int32] = []
  private var targets: [Int32] = []
  /// How many stretches there are.
  public private(set) var count = 0

  /// - Parameters:
  ///   - vocabulary: the classes.
  ///   - length: characters in a stretch, at least 1: what a recurrent network is unrolled for.
  public init(vocabulary: CharacterVocabulary, length: Int) {
    precondition(length > 0, "A stretch of text has at least one character, not \(length).")
    self.vocabulary = vocabulary
    self.length = length
  }

  /// Adds the stretches of a text.
  ///
  /// - Returns: how many; none for a text of less than two characters.
  @discardableResult
  public mutating func append(_ text: String) -> Int {
    let classes = text.unicodeScalars.map(vocabulary.index(of:))
    var added = 0
    for start in stride(from: 0, to: classes.count - 1, by: length) {
      let end = min(start + length, classes.count - 1)
      let padding = length - (end - start)
      tokens += classes[start..<end]
      tokens += repeatElement(0, count: padding)
      targets += classes[(start + 1)...end]
      targets += repeatElement(-1, count: padding)
      added += 1
    }
    count += added
    return added
  }

  /// The stretches as examples of shape [length].
  public func table() -> ExampleTable {
    ExampleTable(
      count: count, inputShape: [length], inputs: .tokens(tokens),
      targets: .sequences(targets, length: length, classCount: vocabulary.count))
  }
}
