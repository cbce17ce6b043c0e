// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics

/// The steps that compute a differentiated graph, in order, and what each value is kept in.
///
/// Here it is decided what is fused (``Fusions``), what is done in place and what goes straight into a gradient. A
/// parameter's gradient is stored after the last step that reads the parameter, so that the same steps
/// can store into the parameters themselves.
struct Schedule {
  let graph: DifferentiatedGraph
  private(set) var steps: [Step] = []
  /// By node; nil where nothing is computed or kept.
  private(set) var homes: [Home?]
  /// By buffer.
  private(set) var requests: [MemoryPlan.Request] = []

  let capacity: Int
  private let parameterOffsets: [Int]
  private var userCounts: [Int]
  /// The node whose memory a node is another view of, or itself.
  private var aliases: [Int]
  /// By node: further results that it has.
  private var auxiliaries: [Int: [Int]] = [:]
  /// By step: the buffer of what is needed during the step only.
  private(set) var scratchBuffers: [Int: Int] = [:]
  private let isTraining: Bool

  init(_ graph: DifferentiatedGraph, capacity: Int, isTraining: Bool) {
    self.graph = graph
    self.capacity = capacity
    self.isTraining = isTraining
    homes = Array(repeating: nil, count: graph.nodes.count)
    aliases = Array(graph.nodes.indices)
    userCounts = Array(repeating: 0, count: graph.nodes.count)
    var ends = (trained: 0, frozen: 0)
    parameterOffsets = graph.parameters.map { parameter in
      let count = parameter.shape.count
      defer { if parameter.isFrozen { ends.frozen += count } else { ends.trained += count } }
      return parameter.isFrozen ? ends.frozen : ends.trained
    }
    for input in graph.nodes.flatMap(\.inputs) + graph.gradients.joined() { userCounts[input] += 1 }
    resolveAliases()
    arrangeSteps()
    assignBuffers()
  }

  func signature(of node: Int) -> Signature { graph.nodes[node].signature }

  /// Words that a value takes when a batch is full.
  func wordCount(of node: Int) -> Int {
    let signature = signature(of: node)
    return signature.count * (signature.isBatched ? capacity : 1)
  }

  private mutating func resolveAliases() {
    for (index, node) in graph.nodes.enumerated() {
      switch node.computation {
      case .operation(.reshape): aliases[index] = aliases[node.inputs[0]]
      case .operation(.dropout) where !isTraining: aliases[index] = aliases[node.inputs[0]]
      case .operation(.parameter(let parameter)):
        let isFrozen = graph.parameters[parameter].isFrozen
        let offset = parameterOffsets[parameter]
        homes[index] = isFrozen ? .frozen(offset) : .parameter(offset)
      case .operation(.constant(let value)): homes[index] = .constant(value)
      case .auxiliary: auxiliaries[node.inputs[0], default: []].append(index)
      default: break
      }
    }
  }

  /// The trained parameter that the value is, or is a view of.
  private func parameter(behind node: Int) -> Int? {
    guard case .operation(.parameter(let parameter)) = graph.nodes[aliases[node]].computation,
      !graph.parameters[parameter].isFrozen
    else { return nil }
    return parameter
  }

  // MARK: Steps

  private mutating func arrangeSteps() {
    let direct = directSinks()
    let fusions = Fusions(of: graph, userCounts: userCounts)
    var stepOfNode = [Int](repeating: -1, count: graph.nodes.count)
    var lastRead = [Int](repeating: -1, count: graph.parameters.count)
    var computing: [Step] = []
    for index in graph.nodes.indices
    where !direct.contains(index) && !fusions.absorbed.contains(index) {
      guard let step = step(computing: index, fusions) else {
        stepOfNode[index] = stepOfNode[aliases[index]]
        continue
      }
      for input in step.inputs {
        if let parameter = parameter(behind: input) { lastRead[parameter] = computing.count }
      }
      for output in step.outputs { stepOfNode[output] = computing.count }
      computing.append(step)
    }
    // Sinks come behind the last step that reads the parameter or makes the gradient.
    var sinks: [Int: [Step]] = [:]
    for (parameter, pieces) in graph.gradients.enumerated()
    where isTraining && !graph.parameters[parameter].isFrozen {
      let sink = Step.Sink(parameter: parameter, isFirst: false)
      for piece in pieces {
        var step = Step(action: .sink, inputs: [piece], outputs: [], sink: sink)
        if direct.contains(piece) {
          let node = graph.nodes[piece]
          step.action = .compute(node.computation)
          step.inputs = node.inputs
          step.scratchCount = scratchCount(for: node)
        }
        let place = step.inputs.map { stepOfNode[aliases[$0]] }.max() ?? -1
        sinks[max(place, lastRead[parameter]), default: []].append(step)
      }
      if pieces.isEmpty {
        sinks[-1, default: []].append(Step(action: .keep, inputs: [], outputs: [], sink: sink))
      }
    }
    steps = sinks[-1] ?? []
    for (index, step) in computing.enumerated() { steps += [step] + (sinks[index] ?? []) }
    var isBegun = Set<Int>()
    for index in steps.indices {
      guard let sink = steps[index].sink else { continue }
      steps[index].sink?.isFirst = isBegun.insert(sink.parameter).inserted
    }
  }

  private func step(computing index: Int, _ fusions: Fusions) -> Step? {
    let node = graph.nodes[index]
    switch node.computation {
    case .target, .auxiliary: return nil
    case .operation(.input), .operation(.parameter), .operation(.constant): return nil
    default: if aliases[index] != index { return nil }
    }
    var step = Step(
      action: .compute(node.computation), inputs: node.inputs,
      outputs: [index] + auxiliaries[index, default: []])
    if let fused = fusions.steps[index] {
      step.action = fused.action
      step.inputs = fused.inputs
    }
    if case .loss = node.computation { step.outputs = [] }
    step.scratchCount = scratchCount(for: graph.nodes[fusions.steps[index]?.kernel ?? index])
    return step
  }

  /// Gradients that are computed straight into where they are stored.
  private func directSinks() -> Set<Int> {
    Set(
      graph.gradients.joined().filter { piece in
        let node = graph.nodes[piece]
        guard userCounts[piece] == 1,
          node.inputs.allSatisfy({ parameter(behind: $0) == nil })
        else { return false }
        switch node.computation {
        case .rowsProduct, .convolutionFilterGradient, .scatterAdd: return true
        case .sumToShape:
          return signature(of: node.inputs[0]).repeatsRows(of: node.signature)
        default: return false
        }
      })
  }

  private func scratchCount(for node: DifferentiatedGraph.Node) -> Int {
    switch node.computation {
    case .operation(.convolution(let window, let groups)):
      ConvolutionKernel(
        window, groups: groups, image: signature(of: node.inputs[0]).shape,
        output: node.signature.shape
      ).scratchCount(capacity: capacity)
    case .convolutionInputGradient(let window, let groups):
      ConvolutionKernel(
        window, groups: groups, image: node.signature.shape,
        output: signature(of: node.inputs[1]).shape
      ).scratchCount(capacity: capacity)
    case .convolutionFilterGradient(let window, let groups):
      ConvolutionKernel(
        window, groups: groups, image: signature(of: node.inputs[0]).shape,
        output: signature(of: node.inputs[1]).shape
      ).scratchCount(capacity: capacity)
    case .operation(let operation): operation.statisticsCount(node.signature, capacity: capacity)
    default: 0
    }
  }

  // MARK: Buffers

  private mutating func assignBuffers() {
    var lastUse = [Int](repeating: -1, count: graph.nodes.count)
    for (index, step) in steps.enumerated() {
      for input in step.inputs { lastUse[aliases[input]] = index }
    }
    var lifetimes: [(count: Int, first: Int, last: Int)] = []
    func buffer(for node: Int, from first: Int) -> Int {
      lifetimes.append((wordCount(of: node), first, max(lastUse[node], first)))
      return lifetimes.count - 1
    }
    for (index, node) in graph.nodes.enumerated() {
      switch node.computation {
      case .target, .operation(.input): homes[index] = .buffer(buffer(for: index, from: -1))
      default: break
      }
    }
    for (index, step) in steps.enumerated() {
      for (ordinal, output) in step.outputs.enumerated() {
        if ordinal == 0, let reused = reusedBuffer(step, at: index, lifetimes: lifetimes) {
          homes[output] = .buffer(reused)
          lifetimes[reused].last = max(lastUse[output], index)
        } else {
          homes[output] = .buffer(buffer(for: output, from: index))
        }
      }
      if step.scratchCount > 0 {
        lifetimes.append((step.scratchCount, index, index))
        scratchBuffers[index] = lifetimes.count - 1
      }
    }
    for index in graph.nodes.indices where homes[index] == nil {
      homes[index] = homes[aliases[index]]
    }
    requests = lifetimes.map { .init(count: $0.count, lifetime: $0.first...$0.last) }
  }

  /// The buffer of an input that nobody reads afterwards, where the kernel can write over it.
  private func reusedBuffer(
    _ step: Step, at index: Int, lifetimes: [(count: Int, first: Int, last: Int)]
  ) -> Int? {
    for position in inPlacePositions(step) {
      let input = step.inputs[position]
      guard case .buffer(let buffer)? = homes[aliases[input]], lifetimes[buffer].last == index,
        wordCount(of: step.outputs[0]) == lifetimes[buffer].count
      else { continue }
      // Another input in the same buffer is read at the same places only if it is shaped the same.
      let isShared = step.inputs.indices.contains {
        $0 != position && homes[aliases[step.inputs[$0]]] == .buffer(buffer)
          && signature(of: step.inputs[$0]) != signature(of: input)
      }
      if !isShared { return buffer }
    }
    return nil
  }

  private func inPlacePositions(_ step: Step) -> [Int] {
    guard let output = step.outputs.first else { return [] }
    switch step.action {
    case .biasActivation: return [0]
    case .sink, .keep, .fused, .rectifiedMaxPool, .rectifiedMaxPoolGradient: return []
    case .compute(let computation):
      switch computation {
      case .operation(.unary), .operation(.softmax), .operation(.logSoftmax), .operation(.dropout),
        .operation(.layerNormalization), .operation(.groupNormalization), .lossGradient:
        return [0]
      case .operation(.binary):
        guard BinaryKernel.Layout(step.inputs.map(signature), signature(of: output)) != .strided
        else { return [] }
        return [0, 1].filter { signature(of: step.inputs[$0]) == signature(of: output) }
      case .unaryGradient, .softmaxGradient, .logSoftmaxGradient: return [1]
      case .layerNormalizationGradient, .groupNormalizationGradient: return [3]
      default: return []
      }
    }
  }
}
