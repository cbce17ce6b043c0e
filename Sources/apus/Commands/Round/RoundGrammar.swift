// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusCommands
internal import ApusCoordination
internal import ApusWire

/// What the commands about rounds have in common.
enum RoundGrammar {
  static let round = Argument("ROUND", .text, .one, "A round, counted from 1.")

  /// Prints one round.
  static func print(_ info: Proto.RoundInfo, on console: Console) throws {
    let round = RoundDescription(info)
    guard console.format == .text else { return try console.print(json: round) }
    let attempt = round.attempt > 1 ? ", attempt \(round.attempt)" : ""
    let why = round.abandonment.map { ": \($0)" } ?? ""
    console.print("round     \(round.round)\(attempt), \(round.state)\(why)")
    console.print(
      "devices   \(round.invited) invited, \(round.accepted) accepted, \(round.dropped) dropped, "
        + "\(round.rejected) rejected, \(round.notNeeded) not needed")
    for (reason, count) in round.rejections.sorted(by: { $0.key < $1.key }) {
      console.print("          \(Cell.count(count)) rejected: \(reason)")
    }
    for (reason, count) in round.givenBack.sorted(by: { $0.key < $1.key }) {
      console.print("          \(Cell.count(count)) gave their work back: \(reason)")
    }
    console.print("examples  \(Cell.count(round.totalWeight))")
    if round.accuracy != nil || round.loss != nil {
      console.print(
        "accuracy  \(Cell.percent(round.accuracy)), loss \(Cell.fixed(round.loss, digits: 4)), "
          + "devices' loss \(Cell.fixed(round.trainingLoss, digits: 4))")
    }
    console.print("bytes     \(Cell.bytes(round.bytesDown)) down, \(Cell.bytes(round.bytesUp)) up")
    let phases = [
      ("selecting", round.seconds.select), ("collecting", round.seconds.collect),
      ("folding", round.seconds.fold), ("measuring", round.seconds.evaluate),
      ("publishing", round.seconds.publish),
    ]
    console.print(
      "seconds   "
        + phases.map { "\(Cell.fixed($0.1, digits: 3)) \($0.0)" }.joined(separator: ", "))
  }
}
