// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

public import ApusTraining

/// The models that recipes name.
public enum ModelCatalog {
  private static let models: [(name: String, make: @Sendable (Int) -> any Model)] = [
    ("logistic", { Logistic(classes: $0) }),
    ("mcmahan-2nn", { McMahan2NN(classes: $0) }),
    ("mcmahan-cnn", { McMahanCNN(classes: $0) }),
  ]

  /// What can be asked for.
  public static var names: [String] { models.map(\.name) }

  /// The model of this name for so many classes; nil where there is none.
  public static func model(named name: String, classes: Int) -> (any Model)? {
    models.first { $0.name == name }?.make(classes)
  }
}
