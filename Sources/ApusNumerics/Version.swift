// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Which Apus this is.
public enum ApusVersion {
  /// Major, minor and patch, as semver.org says.
  public static let current = "0.1.0"
}
