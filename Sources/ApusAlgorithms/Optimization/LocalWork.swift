// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Checks the hyperparameters of a client's local steps.
func checkLocalWork(
  of algorithm: String, localEpochs: Int, batchSize: Int?, learningRate: Float
) throws(AlgorithmError) {
  try AlgorithmError.check(
    localEpochs >= 1, algorithm, "localEpochs", is: localEpochs, expected: "at least 1")
  if let batchSize {
    try AlgorithmError.check(
      batchSize >= 1, algorithm, "batchSize", is: batchSize,
      expected: "at least 1, or \"all\" for all of a client's examples in one batch")
  }
  try checkRate(of: algorithm, learningRate)
}

/// Checks a learning rate.
func checkRate(of algorithm: String, _ rate: Float) throws(AlgorithmError) {
  try AlgorithmError.check(
    rate > 0 && rate.isFinite, algorithm, "learningRate", is: rate,
    expected: "a finite number above 0")
}
