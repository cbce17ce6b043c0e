// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusNumerics

/// The values that recipes write: optimizers and schedules.
struct RecipeValueTests {
  private func decode<Value: Decodable>(_ text: String) throws -> Value {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return try decoder.decode([Value].self, from: Data("[\(text)]".utf8))[0]
  }

  private func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  @Test("Optimizers are read as recipes write them")
  func readsOptimizers() throws {
    let expected: [(String, OptimizerChoice)] = [
      ("'sgd'", .sgd()), ("{ sgd: {} }", .sgd()),
      (
        "{ sgd: { momentum: 0.9, nesterov: true, weightDecay: 1e-4 } }",
        .sgd(momentum: 0.9, nesterov: true, weightDecay: 1e-4)
      ),
      ("'adam'", .adam()), ("{ adam: { epsilon: 1e-7 } }", .adam(epsilon: 1e-7)),
      ("'adamw'", .adamW()), ("{ adamw: { weightDecay: 0 } }", .adamW(weightDecay: 0)),
    ]
    for (text, choice) in expected { #expect(try decode(text) == choice) }
  }

  @Test("Schedules are read as recipes write them")
  func readsSchedules() throws {
    let expected: [(String, LearningRateSchedule)] = [
      ("'constant'", .constant), ("{ constant: {} }", .constant),
      ("{ exponential: { decay: 0.99 } }", .exponential(decay: 0.99)),
      ("{ step: { every: 10, factor: 0.5 } }", .step(every: 10, factor: 0.5)),
      ("{ cosine: { rounds: 100 } }", .cosine(rounds: 100, minimum: 0)),
      (
        "{ warmup: { rounds: 5, then: { cosine: { rounds: 9, minimum: 0.1 } } } }",
        .warmup(rounds: 5, then: .cosine(rounds: 9, minimum: 0.1))
      ),
    ]
    for (text, schedule) in expected { #expect(try decode(text) == schedule) }
  }

  @Test("What is written is read back the same")
  func roundTrips() throws {
    let optimizers: [OptimizerChoice] = [
      .sgd(), .sgd(momentum: 0.9), .sgd(momentum: 0.5, nesterov: true, weightDecay: 0.1), .adam(),
      .adam(beta1: 0.8, beta2: 0.9, epsilon: 0, weightDecay: 1), .adamW(), .adamW(weightDecay: 0),
    ]
    for choice in optimizers { #expect(try decode(encode(choice)) == choice) }
    let schedules: [LearningRateSchedule] = [
      .constant, .exponential(decay: 0.9), .step(every: 3, factor: 0.1),
      .cosine(rounds: 7, minimum: 0.25), .warmup(rounds: 2, then: .step(every: 1, factor: 0.5)),
    ]
    for schedule in schedules { #expect(try decode(encode(schedule)) == schedule) }
    #expect(try encode(OptimizerChoice.sgd()) == "\"sgd\"")
    #expect(
      try encode(LearningRateSchedule.exponential(decay: 0.5)) == #"{"exponential":{"decay":0.5}}"#)
  }

  @Test(
    "A mistake is an error that names its key",
    arguments: [
      ("{ sgd: { momentun: 0.9 } }", "momentun"), ("'sgdd'", "sgdd"),
      ("{ sgd: {}, adam: {} }", "2 keys"), ("{}", "0 keys"),
      ("{ sgd: { momentum: 1 } }", "momentum"),
      ("{ sgd: { nesterov: true } }", "nesterov"), ("{ adam: { beta2: -0.1 } }", "beta2"),
      ("{ adam: { momentum: 0.1 } }", "momentum"), ("{ adam: { epsilon: -1 } }", "epsilon"),
      ("{ adamw: { weightDecay: -1 } }", "weightDecay"), ("{ adam: { beta1: null } }", "beta1"),
      ("{ sgd: { momentum: '0.9' } }", "momentum"), ("7", "Dictionary"),
    ])
  func refusesOptimizers(text: String, word: String) {
    let error = #expect(throws: DecodingError.self) { try decode(text) as OptimizerChoice }
    #expect(error.map { String(describing: $0) }?.contains(word) == true)
  }

  @Test(
    "A mistake in a schedule is an error that names its key",
    arguments: [
      ("'step'", "every"), ("'linear'", "linear"), ("{ constant: { a: 1 } }", "\"a\""),
      ("{ exponential: { decay: 0 } }", "decay"), ("{ exponential: { decay: 1.1 } }", "decay"),
      ("{ exponential: { } }", "decay"), ("{ step: { every: 0, factor: 0.5 } }", "every"),
      ("{ step: { every: 2.5, factor: 0.5 } }", "every"),
      ("{ cosine: { rounds: 10, minimum: 2 } }", "minimum"),
      ("{ cosine: { rounds: 10, minimun: 0 } }", "minimun"),
      ("{ warmup: { rounds: 0 } }", "rounds"),
      ("{ warmup: { rounds: 1, then: { warmup: { rounds: 1 } } } }", "then"),
    ])
  func refusesSchedules(text: String, word: String) {
    let error = #expect(throws: DecodingError.self) { try decode(text) as LearningRateSchedule }
    #expect(error.map { String(describing: $0) }?.contains(word) == true)
  }

  @Test("Values out of range are refused in code too")
  func validates() {
    let choices: [OptimizerChoice] = [
      .sgd(momentum: .nan), .adam(beta1: 1), .adamW(epsilon: .infinity),
    ]
    for choice in choices {
      #expect(throws: NumericsError.self) { try choice.validated() }
    }
    #expect(throws: NumericsError.self) {
      try LearningRateSchedule.warmup(rounds: 3, then: .exponential(decay: .nan)).validated()
    }
  }

  @Test("Schedules have the factors of their definitions")
  func factors() {
    func factors(_ schedule: LearningRateSchedule) -> [Float] {
      (0..<6).map { schedule.factor(atRound: $0) }
    }
    #expect(factors(.constant) == [1, 1, 1, 1, 1, 1])
    #expect(factors(.exponential(decay: 0.5)) == [1, 0.5, 0.25, 0.125, 0.0625, 0.03125])
    #expect(factors(.step(every: 2, factor: 0.5)) == [1, 1, 0.5, 0.5, 0.25, 0.25])
    #expect(factors(.cosine(rounds: 4, minimum: 0.5))[0] == 1)
    #expect(factors(.cosine(rounds: 4, minimum: 0.5))[2] == 0.75)
    #expect(factors(.cosine(rounds: 4, minimum: 0.5))[4...] == [0.5, 0.5])
    #expect(
      factors(.warmup(rounds: 4, then: .exponential(decay: 0.5))) == [0.25, 0.5, 0.75, 1, 1, 0.5])
    #expect(
      abs(LearningRateSchedule.exponential(decay: 0.99).factor(atRound: 321) - 0.0397098) < 1e-6)
  }
}
