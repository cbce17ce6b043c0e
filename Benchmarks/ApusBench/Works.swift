// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Everything that is measured, by name.
struct Works {
  typealias Measurement = (_ name: String, _ timer: Timer) throws -> Figure

  let all: [(name: String, measure: Measurement)]

  init(_ simulations: Simulations) {
    // Processes come first: what the others allocate would count as their memory.
    all = [
      (
        "start-2nn",
        { name, _ in try simulations.start(name, recipe: "round-2nn") }
      ),
      (
        "round-2nn",
        { try simulations.rounds($0, recipe: "round-2nn", guess: 0.04, timer: $1) }
      ),
      (
        "round-cnn",
        { try simulations.rounds($0, recipe: "round-cnn", guess: 2, timer: $1) }
      ),
      ("flute", { name, _ in try simulations.wholeRun(name, recipe: "flute") }),
      (
        "participants-100000",
        { name, _ in try simulations.participants(name, recipe: "participants", count: 100_000) }
      ),
      (
        "participants-1000000",
        { name, _ in try simulations.participants(name, recipe: "participants", count: 1_000_000) }
      ),
      ("fma", { MachineLimits.multiplyAdds($0, timer: $1) }),
      ("product-own", { MachineLimits.product($0, byOpenBLAS: false, timer: $1) }),
      ("product-openblas", { MachineLimits.product($0, byOpenBLAS: true, timer: $1) }),
      ("step-2nn-10", { try TrainingSteps(model: .nn2, batchSize: 10).measure($0, timer: $1) }),
      ("step-2nn-50", { try TrainingSteps(model: .nn2, batchSize: 50).measure($0, timer: $1) }),
      ("step-cnn-10", { try TrainingSteps(model: .cnn, batchSize: 10).measure($0, timer: $1) }),
      ("step-cnn-50", { try TrainingSteps(model: .cnn, batchSize: 50).measure($0, timer: $1) }),
      ("triad", { MachineLimits.triad($0, timer: $1) }),
      ("axpy", { MachineLimits.axpy($0, timer: $1) }),
      ("sum-1.66m-singly", { try ExactSums(count: cnn, method: .singly).measure($0, timer: $1) }),
      ("sum-1.66m-folded", { try ExactSums(count: cnn, method: .folded).measure($0, timer: $1) }),
      ("sum-1.66m-axpy", { try ExactSums(count: cnn, method: .axpy).measure($0, timer: $1) }),
      ("sum-22m-singly", { try ExactSums(count: large, method: .singly).measure($0, timer: $1) }),
      ("sum-22m-folded", { try ExactSums(count: large, method: .folded).measure($0, timer: $1) }),
      ("sum-22m-axpy", { try ExactSums(count: large, method: .axpy).measure($0, timer: $1) }),
    ]
  }
}

/// Parameters of the convolutional network for MNIST.
private let cnn = 1_663_370
/// Parameters of a small language model's encoder.
private let large = 22_000_000
