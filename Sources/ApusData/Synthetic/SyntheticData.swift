// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

internal import ApusNumerics
internal import CApus

/// Synthetic(α, β): devices whose models differ by α and whose inputs differ by β.
///
/// For device k, with N(m, s) a normal distribution of **standard deviation** s:
///
///     u ~ N(0, α),  B ~ N(0, β),  v_j ~ N(B, 1),  Σ = diag(j^-1.2), j = 1…60
///     W (60 × 10) and b (10): entries ~ N(u, 1)
///     x ~ N(v, Σ),  y = argmax(x W + b)
///     n = ⌊lognormal(4, 2)⌋ + 50 examples, of which ⌊0.9 n⌋ are for training
///
/// The IID variant has one W and b with entries ~ N(0, 1) for all devices, and v = 0.
///
/// > T. Li et al. "Federated optimization in heterogeneous networks." MLSys 2020, section 5.1.
///
/// Deviations from the paper: none from its code, which is followed where the two differ: α and β
/// are deviations, not variances; b is drawn around the same u as W; 90 % of the examples are for
/// training, not 80 %. The paper's own data cannot be had again, since its generator is not seeded.
public struct SyntheticData: Hashable, Sendable {
  /// How much models differ among devices: the deviation of u; at least 0.
  public var alpha: Double
  /// How much inputs differ among devices: the deviation of B; at least 0.
  public var beta: Double
  /// Whether all devices are alike, whatever α and β.
  public var isIID: Bool
  /// Numbers in an example.
  public var dimension = 60
  public var classCount = 10
  /// Examples of a device; nil for the paper's log-normal sizes.
  public var examplesPerDevice: Int?

  /// What is random, each from a stream of its own.
  private enum Use {
    static let sharedModel = 0
    static let device = 1
    static let size = 0
    static let model = 1
    static let examples = 2
  }

  /// - Precondition: neither deviation is negative.
  public init(alpha: Double, beta: Double, isIID: Bool = false) {
    precondition(alpha >= 0 && beta >= 0, "Deviations are at least 0, not \(alpha) and \(beta).")
    self.alpha = alpha
    self.beta = beta
    self.isIID = isIID
  }

  var name: String { isIID ? "synthetic-iid" : "synthetic(\(alpha), \(beta))" }

  /// Devices whose examples are made now.
  ///
  /// - Parameters:
  ///   - devices: the paper has 30.
  ///   - seed: the same seed gives the same data; a device's do not depend on how many there are.
  /// - Returns: devices that hold back a tenth of their examples; all of these are the central
  ///   test.
  public func federated(devices: Int = 30, seed: UInt64) -> FederatedDataset {
    var (all, test) = (Examples(), Examples())
    var (rows, trainCounts): ([[Int32]], [Int]) = ([], [])
    for device in 0..<devices {
      let own = examples(of: device, seed: seed)
      let start = all.classes.count
      rows.append((start..<start + own.classes.count).map { Int32($0) })
      trainCounts.append(trainCount(of: own.classes.count))
      all.append(own, 0..<own.classes.count)
      test.append(own, trainCount(of: own.classes.count)..<own.classes.count)
    }
    return FederatedDataset(
      name, dividing: table(all), by: Partition(rows, trainCounts: trainCounts),
      centralTest: table(test))
  }

  /// Devices whose examples are made whenever they are asked for: a million cost no memory.
  ///
  /// - Parameters:
  ///   - devices: how many.
  ///   - examplesPerDevice: of every device, at least 2.
  ///   - seed: the same seed gives the same data.
  /// - Returns: devices that hold back a tenth of their examples; those of the first 100 devices
  ///   are the central test.
  public func federatedOnDemand(
    devices: Int, examplesPerDevice: Int = 20, seed: UInt64
  ) -> FederatedDataset {
    precondition(examplesPerDevice >= 2, "A device has 2 examples or more.")
    var data = self
    data.examplesPerDevice = examplesPerDevice
    let maker = data
    var test = Examples()
    for device in 0..<min(devices, 100) {
      let own = maker.examples(of: device, seed: seed)
      test.append(own, maker.trainCount(of: own.classes.count)..<own.classes.count)
    }
    return FederatedDataset(
      name, clientCount: devices, centralTest: table(test),
      largestTrainingCount: trainCount(of: examplesPerDevice)
    ) { device in
      let own = maker.examples(of: device, seed: seed)
      let count = own.classes.count
      let indices = Array(0..<Int32(count))
      let table = maker.table(own)
      return ClientExamples(
        train: ClientDataset(table, indices: indices[..<maker.trainCount(of: count)]),
        test: ClientDataset(table, indices: indices[maker.trainCount(of: count)...]))
    }
  }

  private func trainCount(of count: Int) -> Int { Int(0.9 * Double(count)) }

  private func table(_ examples: Examples) -> ExampleTable {
    ExampleTable(
      count: examples.classes.count, inputShape: [dimension], inputs: .numbers(examples.features),
      targets: .classes(examples.classes, classCount: classCount))
  }
}

extension SyntheticData {
  /// Features, `dimension` an example, and classes.
  private struct Examples {
    var features: [Float] = []
    var classes: [Int32] = []

    mutating func append(_ other: Examples, _ range: Range<Int>) {
      guard !range.isEmpty else { return }
      let stride = other.features.count / other.classes.count
      features += other.features[range.lowerBound * stride..<range.upperBound * stride]
      classes += other.classes[range]
    }
  }

  /// W, dimension × classes, and b.
  private struct LinearModel {
    var weights: [Double]
    var biases: [Double]

    init(around mean: Double, dimension: Int, classCount: Int, from random: RandomStream) {
      var random = random
      weights = (0..<dimension * classCount).map { _ in mean + random.normal() }
      biases = (0..<classCount).map { _ in mean + random.normal() }
    }

    func answer(to x: [Double], scores: inout [Double]) -> Int32 {
      let classCount = biases.count
      for c in 0..<classCount { scores[c] = biases[c] }
      for j in x.indices {
        for c in 0..<classCount { scores[c] += x[j] * weights[j * classCount + c] }
      }
      var best = 0
      for c in 1..<classCount where scores[c] > scores[best] { best = c }
      return Int32(best)
    }
  }

  private func examples(of device: Int, seed: UInt64) -> Examples {
    let root = RandomStream(seed: seed)
    let own = root.split(Use.device).split(device)
    var sizes = own.split(Use.size)
    let count = examplesPerDevice ?? Int(apus_elementary_exp(4 + 2 * sizes.normal())) + 50

    var models = own.split(Use.model)
    let u = isIID ? 0 : alpha * models.normal()
    let shift = beta * models.normal()  // B
    let v = (0..<dimension).map { _ in isIID ? 0 : shift + models.normal() }
    let model = LinearModel(
      around: u, dimension: dimension, classCount: classCount,
      from: isIID ? root.split(Use.sharedModel) : models.split(0))
    // j^-0.6; Σ has their squares.
    let deviations = (1...dimension).map {
      apus_elementary_exp(-0.6 * apus_elementary_log(Double($0)))
    }

    var draws = own.split(Use.examples)
    var examples = Examples()
    examples.features.reserveCapacity(count * dimension)
    var x = [Double](repeating: 0, count: dimension)
    var scores = [Double](repeating: 0, count: classCount)
    for _ in 0..<count {
      for j in 0..<dimension {
        x[j] = v[j] + deviations[j] * draws.normal()
        examples.features.append(Float(x[j]))
      }
      examples.classes.append(model.answer(to: x, scores: &scores))
    }
    return examples
  }
}
