// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0
//
// Made from protocols/apus/v1/plan.proto by scripts/protocols; not to be edited.
// swift-format-ignore-file

internal import ApusProtocols

extension Proto {
  /// What a device trains: data, no code. A device checks all of it (shapes, sizes, operations, its own data) before it
  /// allocates anything.
  package struct Plan: Hashable, Sendable {
    /// 1.
    package var version: UInt32 = 0
    package var graph: Proto.Graph? = nil
    package var loss: Proto.Loss = Proto.Loss(rawValue: 0)
    package var algorithm: Proto.Algorithm? = nil
    package var data: Proto.DataSchema? = nil
    /// How an update's numbers are to be written: FLOAT32, BFLOAT16 or FLOAT16.
    package var updateType: Proto.DataType = Proto.DataType(rawValue: 0)
    /// Whether an update's chunks may be packed.
    package var updateEncoding: Proto.Encoding = Proto.Encoding(rawValue: 0)

    package init() {}
  }
}

extension Proto {
  /// What a model computes. Nodes are in an order in which each only uses earlier ones.
  package struct Graph: Hashable, Sendable {
    package var nodes: [Proto.Node] = []
    package var parameters: [Proto.Parameter] = []
    package var input: Proto.InputSignature? = nil
    /// The node that is the model's output.
    package var output: UInt32 = 0

    package init() {}
  }
}

extension Proto {
  package struct Shape: Hashable, Sendable {
    /// Outermost first; empty for a single number.
    package var extents: [UInt64] = []

    package init() {}
  }
}

extension Proto {
  package struct Node: Hashable, Sendable {
    package var operation: Proto.Operation? = nil
    /// Earlier nodes.
    package var inputs: [UInt32] = []
    /// Of one example, or of the one value there is for all.
    package var shape: Proto.Shape? = nil
    /// Whether each example has a value of its own.
    package var isBatched: Bool = false

    package init() {}
  }
}

extension Proto {
  package struct Parameter: Hashable, Sendable {
    /// For example hidden.weight.
    package var name: String = ""
    package var shape: Proto.Shape? = nil
    package var initializer: Proto.Initializer? = nil
    /// Whether it is used and not trained.
    package var isFrozen: Bool = false

    package init() {}
  }
}

extension Proto {
  package struct Initializer: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      case constant(Float)
      /// Uniform in -bound ..< bound.
      case uniformBound(Float)
      /// Normal of mean 0.
      case normalDeviation(Float)
    }

    package var kind: Kind? = nil

    package init() {}
  }
}

extension Proto {
  package struct InputSignature: Hashable, Sendable {
    package struct Kind: RawRepresentable, Hashable, Sendable {
      package let rawValue: Int32

      package init(rawValue: Int32) { self.rawValue = rawValue }

      package static let numbers = Kind(rawValue: 0)
      /// Indices into a vocabulary.
      package static let tokens = Kind(rawValue: 1)
    }

    package var shape: Proto.Shape? = nil
    package var kind: Proto.InputSignature.Kind = Proto.InputSignature.Kind(rawValue: 0)

    package init() {}
  }
}

extension Proto {
  /// Axes and shapes are those of one example; the batch is implied and comes before them.
  package struct Operation: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      case input(Proto.Empty)
      /// An index into Graph.parameters.
      case parameter(UInt32)
      case constant(Float)
      case unary(Proto.Unary)
      case binary(Proto.Binary)
      case product(Proto.Product)
      /// Over the last axis.
      case softmax(Proto.Empty)
      /// Over the last axis.
      case logSoftmax(Proto.Empty)
      case reduction(Proto.Reduction)
      case reshape(Proto.Shape)
      /// Axis i of the result is axis axes[i] of the input.
      case transpose(Proto.Axes)
      case slice(Proto.Slice)
      /// Along this axis.
      case concatenation(UInt32)
      case padding(Proto.PaddingAmounts)
      /// Rows of the first input at the indices that the second one has.
      case gather(Proto.Empty)
      case convolution(Proto.Convolution)
      case maxPool(Proto.Window)
      case averagePool(Proto.Window)
      /// Over the last count axes.
      case layerNormalization(Proto.Normalization)
      /// Over count groups of channels, the last axis.
      case groupNormalization(Proto.Normalization)
      case dropout(Proto.Dropout)
    }

    package var kind: Kind? = nil

    package init() {}
  }
}

extension Proto {
  package struct Empty: Hashable, Sendable {
    package init() {}
  }
}

extension Proto {
  package struct Axes: Hashable, Sendable {
    package var axes: [UInt32] = []

    package init() {}
  }
}

extension Proto {
  package struct Unary: Hashable, Sendable {
    package struct Function: RawRepresentable, Hashable, Sendable {
      package let rawValue: Int32

      package init(rawValue: Int32) { self.rawValue = rawValue }

      package static let unspecified = Function(rawValue: 0)
      package static let negate = Function(rawValue: 1)
      package static let exp = Function(rawValue: 2)
      package static let log = Function(rawValue: 3)
      package static let sqrt = Function(rawValue: 4)
      /// x to the power of argument.
      package static let power = Function(rawValue: 5)
      package static let relu = Function(rawValue: 6)
      /// x where x > 0, else argument times x.
      package static let leakyRelu = Function(rawValue: 7)
      package static let sigmoid = Function(rawValue: 8)
      package static let tanh = Function(rawValue: 9)
      /// With the error function.
      package static let gelu = Function(rawValue: 10)
      /// Approximated with tanh.
      package static let geluTanh = Function(rawValue: 11)
      package static let silu = Function(rawValue: 12)
    }

    package var function: Proto.Unary.Function = Proto.Unary.Function(rawValue: 0)
    package var argument: Float = 0

    package init() {}
  }
}

extension Proto {
  package struct Binary: Hashable, Sendable {
    package struct Function: RawRepresentable, Hashable, Sendable {
      package let rawValue: Int32

      package init(rawValue: Int32) { self.rawValue = rawValue }

      package static let unspecified = Function(rawValue: 0)
      package static let add = Function(rawValue: 1)
      package static let subtract = Function(rawValue: 2)
      package static let multiply = Function(rawValue: 3)
      package static let divide = Function(rawValue: 4)
    }

    package var function: Proto.Binary.Function = Proto.Binary.Function(rawValue: 0)

    package init() {}
  }
}

extension Proto {
  /// The matrix product over the last two axes.
  package struct Product: Hashable, Sendable {
    package var transposingLeft: Bool = false
    package var transposingRight: Bool = false

    package init() {}
  }
}

extension Proto {
  package struct Reduction: Hashable, Sendable {
    package struct Function: RawRepresentable, Hashable, Sendable {
      package let rawValue: Int32

      package init(rawValue: Int32) { self.rawValue = rawValue }

      package static let unspecified = Function(rawValue: 0)
      package static let sum = Function(rawValue: 1)
      package static let mean = Function(rawValue: 2)
      package static let max = Function(rawValue: 3)
    }

    package var function: Proto.Reduction.Function = Proto.Reduction.Function(rawValue: 0)
    /// Neighbours, rising; they remain, with extent 1.
    package var axes: [UInt32] = []

    package init() {}
  }
}

extension Proto {
  /// lower[i] ..< upper[i] of each axis i.
  package struct Slice: Hashable, Sendable {
    package var lower: [UInt64] = []
    package var upper: [UInt64] = []

    package init() {}
  }
}

extension Proto {
  /// Zeros before and after what is there, on each axis.
  package struct PaddingAmounts: Hashable, Sendable {
    package var before: [UInt64] = []
    package var after: [UInt64] = []

    package init() {}
  }
}

extension Proto {
  package struct Extent: Hashable, Sendable {
    package var height: UInt32 = 0
    package var width: UInt32 = 0

    package init() {}
  }
}

extension Proto {
  /// How a window moves over an image of height x width x channels.
  package struct Window: Hashable, Sendable {
    package var size: Proto.Extent? = nil
    package var stride: Proto.Extent? = nil
    /// Rows above, columns to the left.
    package var paddingBefore: Proto.Extent? = nil
    /// Rows below, columns to the right.
    package var paddingAfter: Proto.Extent? = nil

    package init() {}
  }
}

extension Proto {
  package struct Convolution: Hashable, Sendable {
    package var window: Proto.Window? = nil
    package var groups: UInt32 = 0

    package init() {}
  }
}

extension Proto {
  package struct Normalization: Hashable, Sendable {
    package var count: UInt32 = 0
    package var epsilon: Float = 0

    package init() {}
  }
}

extension Proto {
  package struct Dropout: Hashable, Sendable {
    /// In 0..<1.
    package var rate: Float = 0
    /// Tells the dropouts of a graph apart.
    package var ordinal: UInt32 = 0

    package init() {}
  }
}

extension Proto {
  package struct Loss: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let unspecified = Loss(rawValue: 0)
    package static let softmaxCrossEntropy = Loss(rawValue: 1)
    package static let sigmoidCrossEntropy = Loss(rawValue: 2)
    package static let meanSquaredError = Loss(rawValue: 3)
  }
}

extension Proto {
  /// What a client does in a round. Each is written down where it is implemented, with its paper.
  package struct Algorithm: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      case fedavg(Proto.LocalTraining)
      case fedprox(Proto.LocalTraining)
      case fedsgd(Proto.LocalTraining)
    }

    package var kind: Kind? = nil

    package init() {}
  }
}

extension Proto {
  package struct LocalTraining: Hashable, Sendable {
    /// Passes over the examples, at least 1; FedSGD: 0.
    package var localEpochs: UInt32 = 0
    /// 0 for all examples in one batch.
    package var batchSize: UInt32 = 0
    /// Above 0.
    package var learningRate: Float = 0
    package var optimizer: Proto.Optimizer? = nil
    package var schedule: Proto.Schedule? = nil
    /// FedProx's mu; 0 elsewhere.
    package var proximalStrength: Float = 0

    package init() {}
  }
}

extension Proto {
  package struct Optimizer: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      case sgd(Proto.SGD)
      case adam(Proto.Adam)
      case adamw(Proto.Adam)
    }

    package var kind: Kind? = nil

    package init() {}
  }
}

extension Proto {
  package struct SGD: Hashable, Sendable {
    package var momentum: Float = 0
    package var nesterov: Bool = false
    package var weightDecay: Float = 0

    package init() {}
  }
}

extension Proto {
  package struct Adam: Hashable, Sendable {
    package var beta1: Float = 0
    package var beta2: Float = 0
    package var epsilon: Float = 0
    package var weightDecay: Float = 0

    package init() {}
  }
}

extension Proto {
  /// A factor to the learning rate, from round to round.
  package struct Schedule: Hashable, Sendable {
    package indirect enum Kind: Hashable, Sendable {
      case constant(Proto.Empty)
      /// The decay a round.
      case exponential(Float)
      case step(Proto.StepSchedule)
      case cosine(Proto.CosineSchedule)
      case warmup(Proto.WarmupSchedule)
    }

    package var kind: Kind? = nil

    package init() {}
  }
}

extension Proto {
  package struct StepSchedule: Hashable, Sendable {
    package var every: UInt32 = 0
    package var factor: Float = 0

    package init() {}
  }
}

extension Proto {
  package struct CosineSchedule: Hashable, Sendable {
    package var rounds: UInt32 = 0
    package var minimum: Float = 0

    package init() {}
  }
}

extension Proto {
  package struct WarmupSchedule: Hashable, Sendable {
    package var rounds: UInt32 = 0
    /// At most 8 deep.
    package var then: Proto.Schedule? = nil

    package init() {}
  }
}

extension Proto {
  /// What examples must look like for a plan.
  package struct DataSchema: Hashable, Sendable {
    package enum Targets: Hashable, Sendable {
      /// One class an example, of so many.
      case classes(UInt32)
      /// Numbers of this shape.
      case values(Proto.Shape)
      case sequences(Proto.SequenceTargets)
    }

    package var input: Proto.InputSignature? = nil
    package var targets: Targets? = nil

    package init() {}
  }
}

extension Proto {
  /// One class for each place of an example.
  package struct SequenceTargets: Hashable, Sendable {
    package var length: UInt32 = 0
    package var classes: UInt32 = 0

    package init() {}
  }
}

extension Proto.Plan: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Plan>) { apus__v1__plan__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Plan>, _ arena: MessageArena) {
    c.pointee.version = version
    if let value = graph {
      c.pointee.graph = arena.message(value)
    }
    c.pointee.loss = .init(rawValue: UInt32(bitPattern: loss.rawValue))
    if let value = algorithm {
      c.pointee.algorithm = arena.message(value)
    }
    if let value = data {
      c.pointee.data = arena.message(value)
    }
    c.pointee.update_type = .init(rawValue: UInt32(bitPattern: updateType.rawValue))
    c.pointee.update_encoding = .init(rawValue: UInt32(bitPattern: updateEncoding.rawValue))
  }

  init(copying c: UnsafePointer<Apus__V1__Plan>) throws(WireError) {
    version = c.pointee.version
    graph = try copied(message: c.pointee.graph)
    loss = Proto.Loss(rawValue: Int32(bitPattern: c.pointee.loss.rawValue))
    algorithm = try copied(message: c.pointee.algorithm)
    data = try copied(message: c.pointee.data)
    updateType = Proto.DataType(rawValue: Int32(bitPattern: c.pointee.update_type.rawValue))
    updateEncoding = Proto.Encoding(rawValue: Int32(bitPattern: c.pointee.update_encoding.rawValue))
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Graph: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Graph>) { apus__v1__graph__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Graph>, _ arena: MessageArena) {
    (c.pointee.n_nodes, c.pointee.nodes) = arena.messages(nodes)
    (c.pointee.n_parameters, c.pointee.parameters) = arena.messages(parameters)
    if let value = input {
      c.pointee.input = arena.message(value)
    }
    c.pointee.output = output
  }

  init(copying c: UnsafePointer<Apus__V1__Graph>) throws(WireError) {
    nodes = try copied(messages: c.pointee.n_nodes, c.pointee.nodes)
    parameters = try copied(messages: c.pointee.n_parameters, c.pointee.parameters)
    input = try copied(message: c.pointee.input)
    output = c.pointee.output
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Shape: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Shape>) { apus__v1__shape__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Shape>, _ arena: MessageArena) {
    (c.pointee.n_extents, c.pointee.extents) = arena.numbers(extents)
  }

  init(copying c: UnsafePointer<Apus__V1__Shape>) throws(WireError) {
    extents = copied(numbers: c.pointee.n_extents, c.pointee.extents)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Node: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Node>) { apus__v1__node__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Node>, _ arena: MessageArena) {
    if let value = operation {
      c.pointee.operation = arena.message(value)
    }
    (c.pointee.n_inputs, c.pointee.inputs) = arena.numbers(inputs)
    if let value = shape {
      c.pointee.shape = arena.message(value)
    }
    c.pointee.is_batched = isBatched ? 1 : 0
  }

  init(copying c: UnsafePointer<Apus__V1__Node>) throws(WireError) {
    operation = try copied(message: c.pointee.operation)
    inputs = copied(numbers: c.pointee.n_inputs, c.pointee.inputs)
    shape = try copied(message: c.pointee.shape)
    isBatched = c.pointee.is_batched != 0
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Parameter: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Parameter>) { apus__v1__parameter__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Parameter>, _ arena: MessageArena) {
    c.pointee.name = arena.string(name)
    if let value = shape {
      c.pointee.shape = arena.message(value)
    }
    if let value = initializer {
      c.pointee.initializer = arena.message(value)
    }
    c.pointee.is_frozen = isFrozen ? 1 : 0
  }

  init(copying c: UnsafePointer<Apus__V1__Parameter>) throws(WireError) {
    name = try copied(string: c.pointee.name)
    shape = try copied(message: c.pointee.shape)
    initializer = try copied(message: c.pointee.initializer)
    isFrozen = c.pointee.is_frozen != 0
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Initializer: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Initializer>) { apus__v1__initializer__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Initializer>, _ arena: MessageArena) {
    switch kind {
    case nil: break
    case .constant(let value):
      c.pointee.kind_case = .init(rawValue: 1)
      c.pointee.constant = value
    case .uniformBound(let value):
      c.pointee.kind_case = .init(rawValue: 2)
      c.pointee.uniform_bound = value
    case .normalDeviation(let value):
      c.pointee.kind_case = .init(rawValue: 3)
      c.pointee.normal_deviation = value
    }
  }

  init(copying c: UnsafePointer<Apus__V1__Initializer>) throws(WireError) {
    switch c.pointee.kind_case.rawValue {
    case 1: kind = .constant(c.pointee.constant)
    case 2: kind = .uniformBound(c.pointee.uniform_bound)
    case 3: kind = .normalDeviation(c.pointee.normal_deviation)
    default: kind = nil
    }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.InputSignature: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__InputSignature>) { apus__v1__input_signature__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__InputSignature>, _ arena: MessageArena) {
    if let value = shape {
      c.pointee.shape = arena.message(value)
    }
    c.pointee.kind = .init(rawValue: UInt32(bitPattern: kind.rawValue))
  }

  init(copying c: UnsafePointer<Apus__V1__InputSignature>) throws(WireError) {
    shape = try copied(message: c.pointee.shape)
    kind = Proto.InputSignature.Kind(rawValue: Int32(bitPattern: c.pointee.kind.rawValue))
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Operation: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Operation>) { apus__v1__operation__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Operation>, _ arena: MessageArena) {
    switch kind {
    case nil: break
    case .input(let value):
      c.pointee.kind_case = .init(rawValue: 1)
      c.pointee.input = arena.message(value)
    case .parameter(let value):
      c.pointee.kind_case = .init(rawValue: 2)
      c.pointee.parameter = value
    case .constant(let value):
      c.pointee.kind_case = .init(rawValue: 3)
      c.pointee.constant = value
    case .unary(let value):
      c.pointee.kind_case = .init(rawValue: 4)
      c.pointee.unary = arena.message(value)
    case .binary(let value):
      c.pointee.kind_case = .init(rawValue: 5)
      c.pointee.binary = arena.message(value)
    case .product(let value):
      c.pointee.kind_case = .init(rawValue: 6)
      c.pointee.product = arena.message(value)
    case .softmax(let value):
      c.pointee.kind_case = .init(rawValue: 7)
      c.pointee.softmax = arena.message(value)
    case .logSoftmax(let value):
      c.pointee.kind_case = .init(rawValue: 8)
      c.pointee.log_softmax = arena.message(value)
    case .reduction(let value):
      c.pointee.kind_case = .init(rawValue: 9)
      c.pointee.reduction = arena.message(value)
    case .reshape(let value):
      c.pointee.kind_case = .init(rawValue: 10)
      c.pointee.reshape = arena.message(value)
    case .transpose(let value):
      c.pointee.kind_case = .init(rawValue: 11)
      c.pointee.transpose = arena.message(value)
    case .slice(let value):
      c.pointee.kind_case = .init(rawValue: 12)
      c.pointee.slice = arena.message(value)
    case .concatenation(let value):
      c.pointee.kind_case = .init(rawValue: 13)
      c.pointee.concatenation = value
    case .padding(let value):
      c.pointee.kind_case = .init(rawValue: 14)
      c.pointee.padding = arena.message(value)
    case .gather(let value):
      c.pointee.kind_case = .init(rawValue: 15)
      c.pointee.gather = arena.message(value)
    case .convolution(let value):
      c.pointee.kind_case = .init(rawValue: 16)
      c.pointee.convolution = arena.message(value)
    case .maxPool(let value):
      c.pointee.kind_case = .init(rawValue: 17)
      c.pointee.max_pool = arena.message(value)
    case .averagePool(let value):
      c.pointee.kind_case = .init(rawValue: 18)
      c.pointee.average_pool = arena.message(value)
    case .layerNormalization(let value):
      c.pointee.kind_case = .init(rawValue: 19)
      c.pointee.layer_normalization = arena.message(value)
    case .groupNormalization(let value):
      c.pointee.kind_case = .init(rawValue: 20)
      c.pointee.group_normalization = arena.message(value)
    case .dropout(let value):
      c.pointee.kind_case = .init(rawValue: 21)
      c.pointee.dropout = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__Operation>) throws(WireError) {
    switch c.pointee.kind_case.rawValue {
    case 1: kind = try .input(copied(present: c.pointee.input))
    case 2: kind = .parameter(c.pointee.parameter)
    case 3: kind = .constant(c.pointee.constant)
    case 4: kind = try .unary(copied(present: c.pointee.unary))
    case 5: kind = try .binary(copied(present: c.pointee.binary))
    case 6: kind = try .product(copied(present: c.pointee.product))
    case 7: kind = try .softmax(copied(present: c.pointee.softmax))
    case 8: kind = try .logSoftmax(copied(present: c.pointee.log_softmax))
    case 9: kind = try .reduction(copied(present: c.pointee.reduction))
    case 10: kind = try .reshape(copied(present: c.pointee.reshape))
    case 11: kind = try .transpose(copied(present: c.pointee.transpose))
    case 12: kind = try .slice(copied(present: c.pointee.slice))
    case 13: kind = .concatenation(c.pointee.concatenation)
    case 14: kind = try .padding(copied(present: c.pointee.padding))
    case 15: kind = try .gather(copied(present: c.pointee.gather))
    case 16: kind = try .convolution(copied(present: c.pointee.convolution))
    case 17: kind = try .maxPool(copied(present: c.pointee.max_pool))
    case 18: kind = try .averagePool(copied(present: c.pointee.average_pool))
    case 19: kind = try .layerNormalization(copied(present: c.pointee.layer_normalization))
    case 20: kind = try .groupNormalization(copied(present: c.pointee.group_normalization))
    case 21: kind = try .dropout(copied(present: c.pointee.dropout))
    default: kind = nil
    }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Empty: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Empty>) { apus__v1__empty__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Empty>, _ arena: MessageArena) {
  }

  init(copying c: UnsafePointer<Apus__V1__Empty>) throws(WireError) {
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Axes: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Axes>) { apus__v1__axes__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Axes>, _ arena: MessageArena) {
    (c.pointee.n_axes, c.pointee.axes) = arena.numbers(axes)
  }

  init(copying c: UnsafePointer<Apus__V1__Axes>) throws(WireError) {
    axes = copied(numbers: c.pointee.n_axes, c.pointee.axes)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Unary: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Unary>) { apus__v1__unary__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Unary>, _ arena: MessageArena) {
    c.pointee.function = .init(rawValue: UInt32(bitPattern: function.rawValue))
    c.pointee.argument = argument
  }

  init(copying c: UnsafePointer<Apus__V1__Unary>) throws(WireError) {
    function = Proto.Unary.Function(rawValue: Int32(bitPattern: c.pointee.function.rawValue))
    argument = c.pointee.argument
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Binary: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Binary>) { apus__v1__binary__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Binary>, _ arena: MessageArena) {
    c.pointee.function = .init(rawValue: UInt32(bitPattern: function.rawValue))
  }

  init(copying c: UnsafePointer<Apus__V1__Binary>) throws(WireError) {
    function = Proto.Binary.Function(rawValue: Int32(bitPattern: c.pointee.function.rawValue))
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Product: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Product>) { apus__v1__product__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Product>, _ arena: MessageArena) {
    c.pointee.transposing_left = transposingLeft ? 1 : 0
    c.pointee.transposing_right = transposingRight ? 1 : 0
  }

  init(copying c: UnsafePointer<Apus__V1__Product>) throws(WireError) {
    transposingLeft = c.pointee.transposing_left != 0
    transposingRight = c.pointee.transposing_right != 0
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Reduction: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Reduction>) { apus__v1__reduction__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Reduction>, _ arena: MessageArena) {
    c.pointee.function = .init(rawValue: UInt32(bitPattern: function.rawValue))
    (c.pointee.n_axes, c.pointee.axes) = arena.numbers(axes)
  }

  init(copying c: UnsafePointer<Apus__V1__Reduction>) throws(WireError) {
    function = Proto.Reduction.Function(rawValue: Int32(bitPattern: c.pointee.function.rawValue))
    axes = copied(numbers: c.pointee.n_axes, c.pointee.axes)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Slice: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Slice>) { apus__v1__slice__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Slice>, _ arena: MessageArena) {
    (c.pointee.n_lower, c.pointee.lower) = arena.numbers(lower)
    (c.pointee.n_upper, c.pointee.upper) = arena.numbers(upper)
  }

  init(copying c: UnsafePointer<Apus__V1__Slice>) throws(WireError) {
    lower = copied(numbers: c.pointee.n_lower, c.pointee.lower)
    upper = copied(numbers: c.pointee.n_upper, c.pointee.upper)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.PaddingAmounts: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__PaddingAmounts>) { apus__v1__padding_amounts__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__PaddingAmounts>, _ arena: MessageArena) {
    (c.pointee.n_before, c.pointee.before) = arena.numbers(before)
    (c.pointee.n_after, c.pointee.after) = arena.numbers(after)
  }

  init(copying c: UnsafePointer<Apus__V1__PaddingAmounts>) throws(WireError) {
    before = copied(numbers: c.pointee.n_before, c.pointee.before)
    after = copied(numbers: c.pointee.n_after, c.pointee.after)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Extent: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Extent>) { apus__v1__extent__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Extent>, _ arena: MessageArena) {
    c.pointee.height = height
    c.pointee.width = width
  }

  init(copying c: UnsafePointer<Apus__V1__Extent>) throws(WireError) {
    height = c.pointee.height
    width = c.pointee.width
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Window: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Window>) { apus__v1__window__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Window>, _ arena: MessageArena) {
    if let value = size {
      c.pointee.size = arena.message(value)
    }
    if let value = stride {
      c.pointee.stride = arena.message(value)
    }
    if let value = paddingBefore {
      c.pointee.padding_before = arena.message(value)
    }
    if let value = paddingAfter {
      c.pointee.padding_after = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__Window>) throws(WireError) {
    size = try copied(message: c.pointee.size)
    stride = try copied(message: c.pointee.stride)
    paddingBefore = try copied(message: c.pointee.padding_before)
    paddingAfter = try copied(message: c.pointee.padding_after)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Convolution: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Convolution>) { apus__v1__convolution__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Convolution>, _ arena: MessageArena) {
    if let value = window {
      c.pointee.window = arena.message(value)
    }
    c.pointee.groups = groups
  }

  init(copying c: UnsafePointer<Apus__V1__Convolution>) throws(WireError) {
    window = try copied(message: c.pointee.window)
    groups = c.pointee.groups
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Normalization: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Normalization>) { apus__v1__normalization__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Normalization>, _ arena: MessageArena) {
    c.pointee.count = count
    c.pointee.epsilon = epsilon
  }

  init(copying c: UnsafePointer<Apus__V1__Normalization>) throws(WireError) {
    count = c.pointee.count
    epsilon = c.pointee.epsilon
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Dropout: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Dropout>) { apus__v1__dropout__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Dropout>, _ arena: MessageArena) {
    c.pointee.rate = rate
    c.pointee.ordinal = ordinal
  }

  init(copying c: UnsafePointer<Apus__V1__Dropout>) throws(WireError) {
    rate = c.pointee.rate
    ordinal = c.pointee.ordinal
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Algorithm: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Algorithm>) { apus__v1__algorithm__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Algorithm>, _ arena: MessageArena) {
    switch kind {
    case nil: break
    case .fedavg(let value):
      c.pointee.kind_case = .init(rawValue: 1)
      c.pointee.fedavg = arena.message(value)
    case .fedprox(let value):
      c.pointee.kind_case = .init(rawValue: 2)
      c.pointee.fedprox = arena.message(value)
    case .fedsgd(let value):
      c.pointee.kind_case = .init(rawValue: 3)
      c.pointee.fedsgd = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__Algorithm>) throws(WireError) {
    switch c.pointee.kind_case.rawValue {
    case 1: kind = try .fedavg(copied(present: c.pointee.fedavg))
    case 2: kind = try .fedprox(copied(present: c.pointee.fedprox))
    case 3: kind = try .fedsgd(copied(present: c.pointee.fedsgd))
    default: kind = nil
    }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.LocalTraining: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__LocalTraining>) { apus__v1__local_training__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__LocalTraining>, _ arena: MessageArena) {
    c.pointee.local_epochs = localEpochs
    c.pointee.batch_size = batchSize
    c.pointee.learning_rate = learningRate
    if let value = optimizer {
      c.pointee.optimizer = arena.message(value)
    }
    if let value = schedule {
      c.pointee.schedule = arena.message(value)
    }
    c.pointee.proximal_strength = proximalStrength
  }

  init(copying c: UnsafePointer<Apus__V1__LocalTraining>) throws(WireError) {
    localEpochs = c.pointee.local_epochs
    batchSize = c.pointee.batch_size
    learningRate = c.pointee.learning_rate
    optimizer = try copied(message: c.pointee.optimizer)
    schedule = try copied(message: c.pointee.schedule)
    proximalStrength = c.pointee.proximal_strength
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Optimizer: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Optimizer>) { apus__v1__optimizer__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Optimizer>, _ arena: MessageArena) {
    switch kind {
    case nil: break
    case .sgd(let value):
      c.pointee.kind_case = .init(rawValue: 1)
      c.pointee.sgd = arena.message(value)
    case .adam(let value):
      c.pointee.kind_case = .init(rawValue: 2)
      c.pointee.adam = arena.message(value)
    case .adamw(let value):
      c.pointee.kind_case = .init(rawValue: 3)
      c.pointee.adamw = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__Optimizer>) throws(WireError) {
    switch c.pointee.kind_case.rawValue {
    case 1: kind = try .sgd(copied(present: c.pointee.sgd))
    case 2: kind = try .adam(copied(present: c.pointee.adam))
    case 3: kind = try .adamw(copied(present: c.pointee.adamw))
    default: kind = nil
    }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.SGD: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__SGD>) { apus__v1__sgd__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__SGD>, _ arena: MessageArena) {
    c.pointee.momentum = momentum
    c.pointee.nesterov = nesterov ? 1 : 0
    c.pointee.weight_decay = weightDecay
  }

  init(copying c: UnsafePointer<Apus__V1__SGD>) throws(WireError) {
    momentum = c.pointee.momentum
    nesterov = c.pointee.nesterov != 0
    weightDecay = c.pointee.weight_decay
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Adam: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Adam>) { apus__v1__adam__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Adam>, _ arena: MessageArena) {
    c.pointee.beta1 = beta1
    c.pointee.beta2 = beta2
    c.pointee.epsilon = epsilon
    c.pointee.weight_decay = weightDecay
  }

  init(copying c: UnsafePointer<Apus__V1__Adam>) throws(WireError) {
    beta1 = c.pointee.beta1
    beta2 = c.pointee.beta2
    epsilon = c.pointee.epsilon
    weightDecay = c.pointee.weight_decay
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.Schedule: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__Schedule>) { apus__v1__schedule__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__Schedule>, _ arena: MessageArena) {
    switch kind {
    case nil: break
    case .constant(let value):
      c.pointee.kind_case = .init(rawValue: 1)
      c.pointee.constant = arena.message(value)
    case .exponential(let value):
      c.pointee.kind_case = .init(rawValue: 2)
      c.pointee.exponential = value
    case .step(let value):
      c.pointee.kind_case = .init(rawValue: 3)
      c.pointee.step = arena.message(value)
    case .cosine(let value):
      c.pointee.kind_case = .init(rawValue: 4)
      c.pointee.cosine = arena.message(value)
    case .warmup(let value):
      c.pointee.kind_case = .init(rawValue: 5)
      c.pointee.warmup = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__Schedule>) throws(WireError) {
    switch c.pointee.kind_case.rawValue {
    case 1: kind = try .constant(copied(present: c.pointee.constant))
    case 2: kind = .exponential(c.pointee.exponential)
    case 3: kind = try .step(copied(present: c.pointee.step))
    case 4: kind = try .cosine(copied(present: c.pointee.cosine))
    case 5: kind = try .warmup(copied(present: c.pointee.warmup))
    default: kind = nil
    }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.StepSchedule: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__StepSchedule>) { apus__v1__step_schedule__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__StepSchedule>, _ arena: MessageArena) {
    c.pointee.every = every
    c.pointee.factor = factor
  }

  init(copying c: UnsafePointer<Apus__V1__StepSchedule>) throws(WireError) {
    every = c.pointee.every
    factor = c.pointee.factor
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.CosineSchedule: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__CosineSchedule>) { apus__v1__cosine_schedule__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__CosineSchedule>, _ arena: MessageArena) {
    c.pointee.rounds = rounds
    c.pointee.minimum = minimum
  }

  init(copying c: UnsafePointer<Apus__V1__CosineSchedule>) throws(WireError) {
    rounds = c.pointee.rounds
    minimum = c.pointee.minimum
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.WarmupSchedule: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__WarmupSchedule>) { apus__v1__warmup_schedule__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__WarmupSchedule>, _ arena: MessageArena) {
    c.pointee.rounds = rounds
    if let value = then {
      c.pointee.then = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__WarmupSchedule>) throws(WireError) {
    rounds = c.pointee.rounds
    then = try copied(message: c.pointee.then)
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.DataSchema: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__DataSchema>) { apus__v1__data_schema__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__DataSchema>, _ arena: MessageArena) {
    if let value = input {
      c.pointee.input = arena.message(value)
    }
    switch targets {
    case nil: break
    case .classes(let value):
      c.pointee.targets_case = .init(rawValue: 2)
      c.pointee.classes = value
    case .values(let value):
      c.pointee.targets_case = .init(rawValue: 3)
      c.pointee.values = arena.message(value)
    case .sequences(let value):
      c.pointee.targets_case = .init(rawValue: 4)
      c.pointee.sequences = arena.message(value)
    }
  }

  init(copying c: UnsafePointer<Apus__V1__DataSchema>) throws(WireError) {
    input = try copied(message: c.pointee.input)
    switch c.pointee.targets_case.rawValue {
    case 2: targets = .classes(c.pointee.classes)
    case 3: targets = try .values(copied(present: c.pointee.values))
    case 4: targets = try .sequences(copied(present: c.pointee.sequences))
    default: targets = nil
    }
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}

extension Proto.SequenceTargets: CMessage {
  static func initialize(_ c: UnsafeMutablePointer<Apus__V1__SequenceTargets>) { apus__v1__sequence_targets__init(c) }

  func fill(_ c: UnsafeMutablePointer<Apus__V1__SequenceTargets>, _ arena: MessageArena) {
    c.pointee.length = length
    c.pointee.classes = classes
  }

  init(copying c: UnsafePointer<Apus__V1__SequenceTargets>) throws(WireError) {
    length = c.pointee.length
    classes = c.pointee.classes
  }

  package func encoded() -> [UInt8] { packed() }

  package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
    self = try Self.unpacked(bytes)
  }
}
