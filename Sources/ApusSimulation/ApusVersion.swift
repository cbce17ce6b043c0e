// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The version of Apus.
public enum ApusVersion {
  /// As `CHANGELOG.md` has it.
  public static let current = "0.1.0"
}
