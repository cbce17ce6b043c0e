// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// Checks the hyperparameters of a client's local steps.
func checkLocalWork(
  of algorithm: String, localEpochs: Int, batchSize: Int?, learningRate: Float,
  optimizer: OptimizerChoice, schedule: LearningRateSchedule
) throws(AlgorithmError) {
  try AlgorithmError.check(
    localEpochs >= 1, algorithm, "localEpochs", is: localEpochs, expected: "at least 1")
  if let batchSize {
    try AlgorithmError.check(
      batchSize >= 1, algorithm, "batchSize", is: batchSize,
      expected: "at least 1, or \"all\" for all of a client's examples in one batch")
  }
  try checkRate(of: algorithm, learningRate, schedule)
  do {
    _ = try optimizer.validated()
  } catch {
    throw AlgorithmError(.invalidValue, "\(algorithm).optimizer: \(error.message)", cause: error)
  }
}

/// Checks a learning rate and how it changes.
func checkRate(
  of algorithm: String, _ rate: Float, _ schedule: LearningRateSchedule
) throws(AlgorithmError) {
  try AlgorithmError.check(
    rate > 0 && rate.isFinite, algorithm, "learningRate", is: rate,
    expected: "a finite number above 0")
  do {
    _ = try schedule.validated()
  } catch {
    throw AlgorithmError(.invalidValue, "\(algorithm).schedule: \(error.message)", cause: error)
  }
}
