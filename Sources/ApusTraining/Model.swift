// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// A function of symbols, traced once.
///
/// A model declares its layers as stored properties, from whose names its parameters get theirs, and
/// says in `callAsFunction` how they are connected.
public protocol Model: Sendable {
  /// The model's output, for example a score per class before softmax.
  func callAsFunction(_ input: Symbol) -> Symbol
}

/// A declaration with an identity: hyperparameters and no weights.
///
/// A layer is a class so that calling one layer twice shares its weights.
public protocol Layer: AnyObject, Sendable {
  func callAsFunction(_ input: Symbol) -> Symbol
}
