// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusTransport

@Suite("Invitations")
struct IdentityInvitationTests {
  static let token = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
  static let digest = String(repeating: "0123456789abcdef", count: 4)
  static let tail = "/?token=\(token)&ca=sha256:\(digest)"

  @Test(
    "An invitation reads back as it was written",
    arguments: [
      "hub.example.org:8443", "192.0.2.1:1", "[2001:db8::1]:65535", "[::1]:8443", "localhost:8443",
      "a:1",
    ])
  func roundTrip(place: String) throws {
    let url = "apus://\(place)\(Self.tail)"
    let invitation = try Invitation(url: url)
    #expect(invitation.url == url)
    #expect(invitation.token.bytes == Array(0..<32))
    #expect(invitation.authorityDigest.first == 0x01)
    #expect(try Invitation(url: invitation.url) == invitation)
  }

  @Test("The parameters may come in any order, and an address in its long form")
  func orderAndForm() throws {
    let invitation = try Invitation(
      url: "apus://[2001:0db8:0:0:0:0:0:1]:8443/?ca=sha256:\(Self.digest)&token=\(Self.token)")
    #expect(invitation.host == .ipv6("2001:db8::1"))
    #expect(invitation.url == "apus://[2001:db8::1]:8443\(Self.tail)")
  }

  @Test(
    "What is wrong is named, and the token is not",
    arguments: [
      ("https://hub:8443\(tail)", "does not begin with apus://"),
      ("apus://hub:8443?token=\(token)&ca=sha256:\(digest)", "no /? behind the port"),
      // Found by fuzzing: what seems to be the host was told, with the token in it.
      ("apus://hub:8443?token=\(token)&ca=sha256:\(digest)/", "no /? behind the port"),
      ("apus://hub?token=\(token):8443/?ca=sha256:\(digest)", "no /? behind the port"),
      ("apus://hub:8443/token=\(token)", "no ? behind the slash"),
      ("apus://hub\(tail)", "the port is missing"),
      ("apus://hub:0\(tail)", "not a number in 1...65535"),
      ("apus://hub:65536\(tail)", "not a number in 1...65535"),
      ("apus://hub:+443\(tail)", "not a number in 1...65535"),
      ("apus://hub:08443\(tail)", "not a number in 1...65535"),
      ("apus://:8443\(tail)", "neither a host's name nor an address"),
      ("apus://hu_b:8443\(tail)", "neither a host's name nor an address"),
      ("apus://user@hub:8443\(tail)", "neither a host's name nor an address"),
      ("apus://1.2.3.400:8443\(tail)", "neither a host's name nor an address"),
      ("apus://2001:db8::1:8443\(tail)", "stands in brackets"),
      ("apus://[hub]:8443\(tail)", "only an IPv6 address stands in brackets"),
      ("apus://[2001:db8::1%eth0]:8443\(tail)", "neither a host's name nor an address"),
      ("apus://[::1:8443\(tail)", "bracket is not closed"),
      ("apus://[::1]8443\(tail)", "the port is missing"),
      ("apus://hub:8443/?ca=sha256:\(digest)", "the token is missing"),
      ("apus://hub:8443/?token=\(token)", "the digest of the authority, is missing"),
      ("apus://hub:8443/?token=\(token)&token=\(token)&ca=sha256:\(digest)", "two tokens"),
      ("apus://hub:8443\(tail)&ca=sha256:\(digest)", "two values of ca"),
      ("apus://hub:8443\(tail)&x=1", "other than token and ca"),
      ("apus://hub:8443/?tokn=\(token)&ca=sha256:\(digest)", "other than token and ca"),
      ("apus://hub:8443\(tail)#part", "64 lower-case hexadecimal digits"),
      ("apus://hub:8443/?token=\(token)A&ca=sha256:\(digest)", "43 characters of base64url"),
      (
        "apus://hub:8443/?token=\(token.dropLast())&ca=sha256:\(digest)",
        "43 characters of base64url"
      ),
      // The last letter has bits that 32 bytes do not have.
      (
        "apus://hub:8443/?token=\(token.dropLast())9&ca=sha256:\(digest)",
        "43 characters of base64url"
      ),
      (
        "apus://hub:8443/?token=\(token.dropLast())+&ca=sha256:\(digest)",
        "43 characters of base64url"
      ),
      ("apus://hub:8443/?token=\(token)&ca=\(digest)", "64 lower-case hexadecimal digits"),
      ("apus://hub:8443/?token=\(token)&ca=sha256:\(digest.uppercased())", "64 lower-case"),
      ("apus://hub:8443\(tail) ", "blanks"), ("apus://hub:8443\(tail)\n", "blanks"),
      ("apus://h\u{fc}b:8443\(tail)", "characters that do not belong"), ("", "does not begin"),
      ("apus://" + String(repeating: "a", count: 2_000), "too long"),
    ])
  func problemsAreNamed(url: String, problem: String) {
    do {
      _ = try Invitation(url: url)
      Issue.record("\(url) was taken")
    } catch {
      #expect(error.code == .badInvitation)
      #expect(error.message.contains(problem), "\(error.message)")
      #expect(!error.message.contains(Self.token.dropLast()), "the token is in the message")
    }
  }

  @Test("Tokens differ, and are never printed")
  func tokens() throws {
    let (first, second) = (try Token.make(), try Token.make())
    #expect(first != second)
    #expect(Token(text: first.text) == first)
    #expect(!"\(first)".contains(first.text))
    #expect(!String(reflecting: first).contains(first.text))
    var text = ""
    dump(first, to: &text)
    #expect(first.text.count == 43 && first.digest.count == 32 && first.digest != second.digest)
  }

  @Test("An address is a host and a port", arguments: ["hub:8443", "[::1]:1", "192.0.2.1:65535"])
  func addresses(text: String) throws {
    #expect("\(try ServerAddress(text))" == text)
  }
}
