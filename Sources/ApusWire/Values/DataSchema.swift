// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusData
package import ApusNumerics
package import ApusTraining

/// What examples must look like for a plan.
package struct DataSchema: Hashable, Sendable {
  /// What a model is to answer.
  package enum Targets: Hashable, Sendable {
    /// One class an example, of so many.
    case classes(Int)
    /// Numbers of this shape.
    case values(Shape)
    /// One class for each of so many places.
    case sequences(length: Int, classes: Int)
  }

  package var input: InputSignature
  package var targets: Targets

  package init(input: InputSignature, targets: Targets) {
    self.input = input
    self.targets = targets
  }

  /// What these examples look like.
  package init(of table: ExampleTable) {
    let kind: InputSignature.Kind = if case .tokens = table.inputs { .tokens } else { .numbers }
    input = InputSignature(table.inputShape, kind: kind)
    targets =
      switch table.targets {
      case .classes(_, let count): .classes(count)
      case .values(_, let shape): .values(shape)
      case .sequences(_, let length, let count): .sequences(length: length, classes: count)
      }
  }

  /// Whether these examples can be used: inputs alike, targets alike, and no class that is not expected.
  package func matches(_ table: ExampleTable) -> Bool {
    let other = DataSchema(of: table)
    guard input == other.input else { return false }
    switch (targets, other.targets) {
    case (.classes(let most), .classes(let count)): return count <= most
    case (.values(let shape), .values(let found)): return shape == found
    case (.sequences(let length, let most), .sequences(let found, let count)):
      return length == found && count <= most
    default: return false
    }
  }
}

extension DataSchema {
  /// - Throws: `malformed` where something is missing, `invalid-value` for what no examples can be like.
  package init(_ proto: Proto.DataSchema) throws(WireError) {
    guard let input = proto.input else { throw .missing("the input", of: "a data schema") }
    self.input = try InputSignature(input)
    switch proto.targets {
    case .classes(let count): targets = .classes(try WireRange.count(count, "classes"))
    case .values(let shape):
      let shape = try Shape(shape)
      guard let count = shape.checkedCount, 1...WireRange.largest ~= count else {
        throw WireError(.invalidValue, "targets cannot have the shape \(shape)")
      }
      targets = .values(shape)
    case .sequences(let sequences):
      targets = .sequences(
        length: try WireRange.count(sequences.length, "places"),
        classes: try WireRange.count(sequences.classes, "classes"))
    case nil: throw .missing("the targets", of: "a data schema")
    }
  }
}

extension Proto.DataSchema {
  package init(_ schema: DataSchema) {
    self.init()
    input = Proto.InputSignature(schema.input)
    targets =
      switch schema.targets {
      case .classes(let count): .classes(UInt32(clamping: count))
      case .values(let shape): .values(Proto.Shape(shape))
      case .sequences(let length, let classes):
        .sequences(
          Proto.SequenceTargets {
            $0.length = UInt32(clamping: length)
            $0.classes = UInt32(clamping: classes)
          })
      }
  }
}
