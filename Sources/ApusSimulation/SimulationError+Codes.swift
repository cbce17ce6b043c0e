// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

extension SimulationError.Code {
  /// A data set is missing, or its files are not what they should be.
  public static let data = Self(rawValue: "data")
  /// Model and data do not fit each other.
  public static let modelMismatch = Self(rawValue: "model-mismatch")
  /// The model's workspaces do not fit in memory.
  public static let outOfMemory = Self(rawValue: "out-of-memory")
  /// There is something where a new run was to go.
  public static let outputExists = Self(rawValue: "output-exists")
  /// A file of a run cannot be written or read.
  public static let outputUnwritable = Self(rawValue: "output-unwritable")
  /// A directory is not a run's, or is of another recipe, data or version.
  public static let notARun = Self(rawValue: "not-a-run")
  /// Another process works in a run's directory.
  public static let runIsBusy = Self(rawValue: "run-is-busy")
  /// A loss is not finite.
  public static let diverged = Self(rawValue: "diverged")
  /// The processor has not got the instruction set that was asked for.
  public static let instructionSet = Self(rawValue: "instruction-set")
  /// A directory is not an experiment's.
  public static let notAnExperiment = Self(rawValue: "not-an-experiment")
}
