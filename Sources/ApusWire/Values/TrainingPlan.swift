// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

package import ApusAlgorithms
package import ApusTraining

/// What a device trains: data, no code.
package struct TrainingPlan: Hashable, Sendable {
  /// Of the messages; others are refused.
  private static let version: UInt32 = 1

  package var graph: Graph
  package var loss: Loss
  package var algorithm: AlgorithmChoice
  package var dataSchema: DataSchema
  /// How an update's numbers are to be written.
  package var updateFormat: NumberFormat
  /// Whether an update's chunks may be packed.
  package var isPacked: Bool

  package init(
    graph: Graph, loss: Loss, algorithm: AlgorithmChoice, dataSchema: DataSchema,
    updateFormat: NumberFormat = .float32, isPacked: Bool = false
  ) {
    self.graph = graph
    self.loss = loss
    self.algorithm = algorithm
    self.dataSchema = dataSchema
    self.updateFormat = updateFormat
    self.isPacked = isPacked
  }

  /// Reads a plan, and believes nothing in it.
  ///
  /// That the loss goes with the output and the targets, and how much memory it takes, a `Program` says.
  ///
  /// - Throws: `malformed`, `invalid-value`, or `unsupported` for what may be known elsewhere.
  package init(_ proto: Proto.Plan) throws(WireError) {
    guard proto.version == Self.version else {
      throw WireError(
        .unsupported, "the plan is of version \(proto.version); \(Self.version) is known here")
    }
    guard let graph = proto.graph, let data = proto.data, let algorithm = proto.algorithm else {
      throw .missing("its graph, data schema or algorithm", of: "a plan")
    }
    guard let loss = Loss(proto.loss) else {
      throw WireError(.unsupported, "the plan's loss is not known here")
    }
    guard let format = NumberFormat(proto.updateType) else {
      throw WireError(.unsupported, "the plan asks for updates in a type that is not known here")
    }
    guard proto.updateEncoding == .none || proto.updateEncoding == .zstd else {
      throw WireError(.unsupported, "the plan asks for updates packed in a way not known here")
    }
    self.init(
      graph: try Graph(graph), loss: loss, algorithm: try AlgorithmChoice(algorithm),
      dataSchema: try DataSchema(data), updateFormat: format,
      isPacked: proto.updateEncoding == .zstd)
    guard self.graph.input == dataSchema.input else {
      throw WireError(
        .invalidValue,
        "the plan's model takes \(self.graph.input), its data schema has \(dataSchema.input)")
    }
  }

  /// Reads the bytes of a plan's blob; throws as the other initializer, and what decoding throws.
  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    try self.init(Proto.Plan(decoding: bytes))
  }

  /// Reads the bytes of a plan's blob; throws as the other initializer, and what decoding throws.
  package init(decoding bytes: [UInt8]) throws(WireError) {
    try self.init(Proto.Plan(decoding: bytes))
  }

  /// The bytes of a plan's blob; the same for equal plans.
  package func encoded() -> [UInt8] { Proto.Plan(self).encoded() }
}

extension Proto.Plan {
  package init(_ plan: TrainingPlan) {
    self.init()
    version = 1
    graph = Proto.Graph(plan.graph)
    loss = Proto.Loss(plan.loss)
    algorithm = Proto.Algorithm(plan.algorithm)
    data = Proto.DataSchema(plan.dataSchema)
    updateType = plan.updateFormat.dataType
    updateEncoding = plan.isPacked ? .zstd : .none
  }
}

extension Loss {
  init?(_ proto: Proto.Loss) {
    switch proto {
    case .softmaxCrossEntropy: self = .softmaxCrossEntropy
    case .sigmoidCrossEntropy: self = .sigmoidCrossEntropy
    case .meanSquaredError: self = .meanSquaredError
    default: return nil
    }
  }
}

extension Proto.Loss {
  init(_ loss: Loss) {
    self =
      switch loss {
      case .softmaxCrossEntropy: .softmaxCrossEntropy
      case .sigmoidCrossEntropy: .sigmoidCrossEntropy
      case .meanSquaredError: .meanSquaredError
      }
  }
}
