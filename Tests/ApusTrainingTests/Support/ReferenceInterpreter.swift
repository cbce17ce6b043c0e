// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

import ApusData
import ApusNumerics
import Foundation

@testable import ApusTraining

/// Computes a graph in Double with the plainest loops, one example after the other: what programs are
/// compared with.
struct ReferenceInterpreter {
  /// A value for one example.
  struct Value {
    var shape: Shape
    var elements: [Double]

    /// The element at an index, broadcast: axes of extent 1 and missing axes do not count.
    subscript(index: [Int]) -> Double { elements[offset(of: index)] }

    func offset(of index: [Int]) -> Int {
      let own = index.suffix(shape.rank)
      return zip(zip(own, shape.dimensions), shape.strides).reduce(0) {
        $0 + ($1.0.1 == 1 ? 0 : $1.0.0) * $1.1
      }
    }
  }

  let graph: Graph
  let loss: Loss

  /// The mean loss over all examples of the table, without dropout.
  func meanLoss(at x: [Double], frozen: [Double] = [], on table: ExampleTable) -> Double {
    var total = 0.0
    var count = 0
    for example in 0..<table.count {
      let (sum, answers) = lossSum(
        output(at: x, frozen: frozen, on: table, example), table, example)
      total += sum
      count += answers
    }
    return total / Double(count)
  }

  func output(
    at x: [Double], frozen: [Double] = [], on table: ExampleTable, _ example: Int
  ) -> Value {
    var values: [Value] = []
    for node in graph.nodes {
      let elements = compute(
        node, node.inputs.map { values[$0] }, (x, frozen), table, example)
      precondition(elements.count == node.shape.count, "\(node)")
      values.append(Value(shape: node.shape, elements: elements))
    }
    return values[graph.output]
  }

  private func lossSum(
    _ output: Value, _ table: ExampleTable, _ example: Int
  ) -> (Double, answers: Int) {
    let width = output.shape.count
    switch (loss, table.targets) {
    case (.softmaxCrossEntropy, .classes(let classes, _)),
      (.softmaxCrossEntropy, .sequences(let classes, _, _)):
      let classCount = output.shape[-1]
      let length = width / classCount
      var (sum, answers) = (0.0, 0)
      for place in 0..<length {
        let label = Int(classes[example * length + place])
        if label < 0 { continue }
        let scores = output.elements[place * classCount..<(place + 1) * classCount]
        sum += log(scores.reduce(0) { $0 + exp($1) }) - scores[scores.startIndex + label]
        answers += 1
      }
      return (sum, answers)
    case (.sigmoidCrossEntropy, .values(let values, _)):
      let sum = (0..<width).reduce(0.0) { sum, i in
        let (s, t) = (output.elements[i], Double(values[example * width + i]))
        return sum - t * log(1 / (1 + exp(-s))) - (1 - t) * log(1 - 1 / (1 + exp(-s)))
      }
      return (sum / Double(width), 1)
    case (.meanSquaredError, .values(let values, _)):
      let sum = (0..<width).reduce(0.0) {
        $0 + pow(output.elements[$1] - Double(values[example * width + $1]), 2)
      }
      return (sum / Double(width), 1)
    default: preconditionFailure("The interpreter has no such targets.")
    }
  }

  // MARK: Operations

  private func compute(
    _ node: Graph.Node, _ inputs: [Value], _ numbers: (x: [Double], frozen: [Double]),
    _ table: ExampleTable, _ example: Int
  ) -> [Double] {
    let x = inputs.first ?? Value(shape: [], elements: [0])
    let shape = node.shape
    switch node.operation {
    case .input:
      let range = example * shape.count..<(example + 1) * shape.count
      switch table.inputs {
      case .numbers(let numbers): return numbers[range].map(Double.init)
      case .tokens(let tokens): return tokens[range].map { Double($0) }
      case .bytes: preconditionFailure("The interpreter reads no bytes.")
      }
    case .parameter(let index):
      let parameter = graph.parameters[index]
      let layout = parameter.isFrozen ? graph.frozenLayout : graph.layout
      guard let range = layout[parameter.name]?.range else { preconditionFailure() }
      return Array((parameter.isFrozen ? numbers.frozen : numbers.x)[range])
    case .constant(let value): return [Double(value)]
    case .unary(let function): return x.elements.map { value(of: function, at: $0) }
    case .binary(let function):
      return indices(shape).map { index in
        let (a, b) = (inputs[0][index], inputs[1][index])
        return switch function {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        }
      }
    case .product(let left, let right): return product(inputs[0], left, inputs[1], right, shape)
    case .softmax: return softmax(x)
    case .logSoftmax: return softmax(x).map { log($0) }
    case .reduction(let reduction, _):
      var results = [[Double]](repeating: [], count: shape.count)
      let result = Value(shape: shape, elements: [])
      for index in indices(x.shape) { results[result.offset(of: index)].append(x[index]) }
      return results.map { all in
        switch reduction {
        case .sum: all.reduce(0, +)
        case .mean: all.reduce(0, +) / Double(all.count)
        case .max: all.max() ?? .nan
        }
      }
    case .reshape: return x.elements
    case .transpose(let permutation):
      return indices(shape).map { index in
        var source = index
        for (axis, from) in permutation.enumerated() { source[from] = index[axis] }
        return x.elements[plainOffset(source, x.shape)]
      }
    case .slice(let lower, _):
      return indices(shape).map { x.elements[plainOffset(zip($0, lower).map(+), x.shape)] }
    case .padding(let before, _):
      return indices(shape).map { index in
        let source = zip(index, before).map(-)
        let isInside = zip(source, x.shape.dimensions).allSatisfy { 0..<$1 ~= $0 }
        return isInside ? x.elements[plainOffset(source, x.shape)] : 0
      }
    case .concatenation(let axis):
      return indices(shape).map { index in
        var source = index
        for input in inputs {
          if source[axis] < input.shape[axis] {
            return input.elements[plainOffset(source, input.shape)]
          }
          source[axis] -= input.shape[axis]
        }
        return .nan
      }
    case .gather:
      let width = x.shape[1]
      return inputs[1].elements.flatMap { x.elements[Int($0) * width..<(Int($0) + 1) * width] }
    case .convolution(let window, let groups):
      return convolution(x, inputs[1], window, groups, shape)
    case .maxPool(let window):
      return pooled(x, window, shape) { $0.compactMap { $0 }.max() ?? .nan }
    case .averagePool(let window):
      return pooled(x, window, shape) { all in
        all.reduce(0) { $0 + ($1 ?? 0) } / Double(all.count)
      }
    case .layerNormalization(let axes, let epsilon):
      let width = shape.dimensions.suffix(axes).reduce(1, *)
      return normalized(x.elements, by: { $0 / width }, epsilon)
    case .groupNormalization(let groups, let epsilon):
      let channels = shape[-1]
      return normalized(x.elements, by: { $0 % channels / (channels / groups) }, epsilon)
    case .dropout: return x.elements
    }
  }

  private func indices(_ shape: Shape) -> [[Int]] {
    (0..<shape.count).map { position in
      var rest = position
      return shape.strides.map { stride in
        defer { rest %= stride }
        return rest / stride
      }
    }
  }

  private func plainOffset(_ index: [Int], _ shape: Shape) -> Int {
    zip(index, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private func value(of function: UnaryFunction, at x: Double) -> Double {
    switch function {
    case .negate: -x
    case .exp: exp(x)
    case .log: log(x)
    case .sqrt: x.squareRoot()
    case .power(let exponent): pow(x, Double(exponent))
    case .relu: max(x, 0)
    case .leakyRelu(let slope): x > 0 ? x : Double(slope) * x
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    case .gelu: x * erfc(-x / 2.0.squareRoot()) / 2
    case .geluTanh: x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) / 2
    case .silu: x / (1 + exp(-x))
    }
  }

  private func product(
    _ a: Value, _ transposingLeft: Bool, _ b: Value, _ transposingRight: Bool, _ shape: Shape
  ) -> [Double] {
    let left = a.shape.rank == 1 ? Value(shape: [1, a.shape[0]], elements: a.elements) : a
    let matrix = a.shape.rank == 1 ? Shape([1, shape[0]]) : shape
    let depth = transposingLeft ? left.shape[-2] : left.shape[-1]
    return indices(matrix).map { index in
      let outer = Array(index.dropLast(2))
      let (i, j) = (index[index.count - 2], index[index.count - 1])
      return (0..<depth).reduce(0) { sum, k in
        sum + left[outer + (transposingLeft ? [k, i] : [i, k])]
          * b[outer + (transposingRight ? [j, k] : [k, j])]
      }
    }
  }

  private func softmax(_ x: Value) -> [Double] {
    let width = x.shape[-1]
    return x.elements.indices.map { i in
      let row = x.elements[i / width * width..<(i / width + 1) * width]
      return exp(x.elements[i]) / row.reduce(0) { $0 + exp($1) }
    }
  }

  private func convolution(
    _ x: Value, _ filters: Value, _ window: Window, _ groups: Int, _ shape: Shape
  ) -> [Double] {
    let perGroup = filters.shape[2]
    return indices(shape).map { index in
      var sum = 0.0
      let group = index[2] / (shape[2] / groups)
      for ky in 0..<window.size.height {
        for kx in 0..<window.size.width {
          let row = index[0] * window.stride.height + ky - window.paddingBefore.height
          let column = index[1] * window.stride.width + kx - window.paddingBefore.width
          guard 0..<x.shape[0] ~= row, 0..<x.shape[1] ~= column else { continue }
          for channel in 0..<perGroup {
            sum +=
              x.elements[plainOffset([row, column, group * perGroup + channel], x.shape)]
              * filters.elements[plainOffset([ky, kx, channel, index[2]], filters.shape)]
          }
        }
      }
      return sum
    }
  }

  private func pooled(
    _ x: Value, _ window: Window, _ shape: Shape, _ combine: ([Double?]) -> Double
  ) -> [Double] {
    indices(shape).map { index in
      var all: [Double?] = []
      for ky in 0..<window.size.height {
        for kx in 0..<window.size.width {
          let row = index[0] * window.stride.height + ky - window.paddingBefore.height
          let column = index[1] * window.stride.width + kx - window.paddingBefore.width
          let isInside = 0..<x.shape[0] ~= row && 0..<x.shape[1] ~= column
          all.append(isInside ? x.elements[plainOffset([row, column, index[2]], x.shape)] : nil)
        }
      }
      return combine(all)
    }
  }

  private func normalized(
    _ x: [Double], by group: (Int) -> Int, _ epsilon: Float
  ) -> [Double] {
    var groups: [Int: [Double]] = [:]
    for (i, x) in x.enumerated() { groups[group(i), default: []].append(x) }
    let statistics = groups.mapValues { all in
      let mean = all.reduce(0, +) / Double(all.count)
      let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
      return (mean, 1 / (variance + Double(epsilon)).squareRoot())
    }
    return x.enumerated().map { i, x in
      let (mean, reciprocal) = statistics[group(i)] ?? (0, 0)
      return (x - mean) * reciprocal
    }
  }
}
