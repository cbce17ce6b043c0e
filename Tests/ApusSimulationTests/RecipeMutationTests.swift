// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusNumerics
import ApusSimulation
import OwnThreads
import Testing

@Suite(.ownThread) struct RecipeMutationTests {
  /// Pieces that recipes are made of, and pieces that break them.
  private static let pieces: [[UInt8]] = [
    "{", "}", "[", "]", ",", ":", "\"", "'", "\\", "\\u", "//", "/*", "*/", "\n", "\r", "0x", "-",
    "1e999", "NaN", "Infinity", "null", "true", "{}", "[]", "\"iid\"", "by", "9223372036854775808",
    "-0", "\u{2028}", "é", "\u{FEFF}", "dirichlet: { alpha: 1 }", "rounds", "0.0000001",
  ].map { Array($0.utf8) }

  @Test(
    "Thousands of damaged recipes are taken or refused, and every refusal says where",
    arguments: Array(RecipeExamples.all.enumerated().map { ($0.offset, $0.element) }))
  func survives(index: Int, text: String) {
    var random = RandomStream(seed: UInt64(index) + 11)
    var takenCount = 0
    for _ in 0..<1_200 {
      var bytes = Array(text.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
      do {
        let recipe = try Recipe(parsing: bytes, file: "r.json5")
        takenCount += 1
        #expect((try? Recipe(parsing: recipe.encoded().utf8, file: "r.json5")) == recipe)
      } catch {
        #expect(error.code == .invalidRecipe && error.message.hasPrefix("r.json5"))
      }
    }
    // Some damage falls into comments and spaces.
    #expect(takenCount > 0 && takenCount < 1_200)
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout RandomStream) {
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    let end = min(bytes.count, place + Int.random(in: 1...12, using: &random))
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes.removeSubrange(place..<end)
    case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
    case 3: bytes.insert(contentsOf: Self.pieces.randomElement(using: &random) ?? [], at: place)
    case 4:
      bytes.replaceSubrange(place..<end, with: Self.pieces.randomElement(using: &random) ?? [])
    default: if place > bytes.count / 2 { bytes.removeSubrange(place...) }
    }
  }
}
