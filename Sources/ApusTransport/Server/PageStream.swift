// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusWire

/// A GET on a connection: an answer in one piece, for people and for what gathers metrics.
// Sendable: touched by its loop's thread only; other threads post.
final class PageStream: @unchecked Sendable, StreamConsumer {
  private var stream: HTTP2Stream?
  private weak var connection: Connection?
  private let peer: Peer
  private let pages: [String: @Sendable (Peer) async -> PlainPage]

  init(
    _ stream: HTTP2Stream, on connection: Connection, peer: Peer,
    pages: [String: @Sendable (Peer) async -> PlainPage]
  ) {
    self.stream = stream
    self.connection = connection
    self.peer = peer
    self.pages = pages
  }

  func streamDidReceive(headers: Metadata, isLast: Bool) {
    guard let stream, let connection else { return }
    let path = headers.first { $0.name == ":path" }?.value ?? ""
    let isHead = headers.contains { $0.name == ":method" && $0.value == "HEAD" }
    guard peer.identity != nil else {
      return connection.session.respond(on: stream, headers: [(":status", "403")], isLast: true)
    }
    guard let page = pages[path] else {
      return connection.session.respond(on: stream, headers: [(":status", "404")], isLast: true)
    }
    Task { [peer, loop = connection.loop] in
      let page = await page(peer)
      loop.post { self.answer(with: page, isHead: isHead) }
    }
  }

  private func answer(with page: PlainPage, isHead: Bool) {
    guard let stream, let connection else { return }
    let headers: Metadata = [
      (":status", "200"), ("content-type", page.contentType),
      ("content-length", String(page.body.count)),
    ]
    let isLast = isHead || page.body.isEmpty
    if !isLast {
      stream.enqueue(page.body)
      stream.end(with: nil)
    }
    connection.session.respond(on: stream, headers: headers, isLast: isLast)
    connection.setNeedsFlush()
  }

  func streamDidReceive(data: UnsafeRawBufferPointer) {
    // Nobody asked for a body; it stays owed, so that there can be only a window of it.
  }

  func streamDidEnd() {}

  func streamDidClose(code: UInt32, lost: ConnectionLoss?) { stream = nil }

  func streamDidTake(_ count: Int) {}
}
