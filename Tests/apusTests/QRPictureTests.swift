// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusCommands
import Foundation
import OwnThreads
import Testing

@testable import apus

@Suite("QR pictures", .ownThread)
struct QRPictureTests {
  static let invitation =
    "apus://[2001:db8::1]:8443/?token=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8&ca=sha256:"
    + String(repeating: "0123456789abcdef", count: 4)

  static let zbarimg = ["/usr/bin/zbarimg", "/opt/homebrew/bin/zbarimg"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// The squares that lines of half blocks show, true where they are light; with 4 columns for each line's end.
  private static func squares(of lines: [String]) -> [[Bool]] {
    lines.flatMap { line in
      var upper: [Bool] = []
      var lower: [Bool] = []
      for character in line where "\u{2588}\u{2580}\u{2584} ".contains(character) {
        upper.append(character == "\u{2588}" || character == "\u{2580}")
        lower.append(character == "\u{2588}" || character == "\u{2584}")
      }
      return [upper, lower]
    }
  }

  @Test("The picture has three finders and light squares all around")
  func findersAndMargin() throws {
    let picture = try #require(QRPicture(of: Self.invitation))
    // The last line's lower half may lie below the picture.
    let squares = Array(
      Self.squares(of: picture.lines(usesColor: false)).prefix(picture.width))
    #expect(squares.count == picture.width)
    #expect(squares.allSatisfy { $0.count == picture.width })
    // The columns at both sides, and the lines above and below.
    #expect(squares.allSatisfy { $0.first == true && $0.last == true })
    #expect(squares.first?.allSatisfy(\.self) == true)
    let size = picture.squares.count
    #expect((size - 17) % 4 == 0)
    let finder = [
      "#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######",
    ].map { $0.map { $0 == "#" } }
    for (top, left) in [(0, 0), (0, size - 7), (size - 7, 0)] {
      let corner = picture.squares[top..<top + 7].map { Array($0[left..<left + 7]) }
      #expect(corner == finder)
    }
    // With colours it says which square is light, whatever the terminal's are.
    let plain = picture.lines(usesColor: false)
    let colored = picture.lines(usesColor: true)
    #expect(zip(plain, colored).allSatisfy { $1.contains($0) && $1.hasSuffix("\u{1B}[0m") })
  }

  @Test("A reader of QR codes reads the invitation off the terminal", .enabled(if: zbarimg != nil))
  func decodes() throws {
    let picture = try #require(QRPicture(of: Self.invitation))
    let squares = Self.squares(of: picture.lines(usesColor: false))
    // On a white page, as a portable bitmap; 4 dots a square.
    let scale = 4
    var image = Data("P1\n\(picture.width * scale) \(squares.count * scale)\n".utf8)
    for row in squares {
      let line = row.map { String(repeating: $0 ? "0 " : "1 ", count: scale) }.joined() + "\n"
      for _ in 0..<scale { image += Data(line.utf8) }
    }
    let place = try Workplace()
    let file = try place.write(image, to: "code.pbm")
    let process = Process()
    process.executableURL = URL(filePath: Self.zbarimg ?? "")
    process.arguments = ["--quiet", "--raw", file]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text == Self.invitation + "\n")
  }
}
