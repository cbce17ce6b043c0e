// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something that says when a device may train: a look at the machine, small and quick.
///
/// Those that are here read what Linux tells in files. On another system an app brings its own.
public protocol TrainingGate: Sendable {
  /// Looks.
  ///
  /// - Parameter context: what the device knows of itself.
  /// - Returns: why it may not train now; nil where it may, and where nobody can tell.
  func reason(in context: GateContext) -> GateReason?
}

/// What a gate is told by the device.
public struct GateContext: Hashable, Sendable {
  /// The part of the load average of one minute that is the device's own training.
  public var ownLoad: Double
  /// Minutes since local midnight.
  public var minuteOfDay: Int

  public init(ownLoad: Double = 0, minuteOfDay: Int) {
    self.ownLoad = ownLoad
    self.minuteOfDay = minuteOfDay
  }
}

/// Open while nothing else uses the machine: the load average of one minute.
public struct IdleGate: TrainingGate {
  /// The load of others that is still idleness, for each processor.
  public var loadLimit: Double
  var processorCount: Int
  var root: SystemRoot

  public init(loadLimit: Double = 0.3) { self.init(loadLimit: loadLimit, root: SystemRoot()) }

  init(loadLimit: Double = 0.3, processorCount: Int? = nil, root: SystemRoot) {
    self.loadLimit = loadLimit
    self.processorCount = processorCount ?? SystemRoot.processorCount
    self.root = root
  }

  public func reason(in context: GateContext) -> GateReason? {
    guard let text = root.text("/proc/loadavg"),
      let load = text.split(separator: " ").first.flatMap({ Double($0) })
    else { return nil }
    return load - context.ownLoad <= loadLimit * Double(processorCount) ? nil : .notIdle
  }
}

/// Open while the machine has power from outside, or no battery at all.
public struct ChargingGate: TrainingGate {
  var root: SystemRoot

  public init() { self.init(root: SystemRoot()) }

  init(root: SystemRoot) { self.root = root }

  public func reason(in context: GateContext) -> GateReason? {
    let supplies = root.powerSupplies
    let batteries = supplies.filter { $0.type == "Battery" }
    guard !batteries.isEmpty else { return nil }
    if supplies.contains(where: { $0.type != "Battery" && $0.isOnline }) { return nil }
    let fed = ["Charging", "Full", "Not charging"]
    return batteries.contains { fed.contains($0.status) } ? nil : .notCharging
  }
}

/// Open while the fullest battery has enough in it, or there is none.
public struct BatteryGate: TrainingGate {
  /// In per cent.
  public var minimum: Int
  var root: SystemRoot

  public init(minimum: Int) { self.init(minimum: minimum, root: SystemRoot()) }

  init(minimum: Int, root: SystemRoot) {
    self.minimum = minimum
    self.root = root
  }

  public func reason(in context: GateContext) -> GateReason? {
    let levels = root.powerSupplies.filter { $0.type == "Battery" }.compactMap(\.level)
    guard let level = levels.max() else { return nil }
    return level >= minimum ? nil : .batteryLow
  }
}

/// Open while the hottest of the machine's sensors is cool enough.
public struct TemperatureGate: TrainingGate {
  /// In degrees Celsius.
  public var limit: Double
  var root: SystemRoot

  public init(limit: Double = 75) { self.init(limit: limit, root: SystemRoot()) }

  init(limit: Double = 75, root: SystemRoot) {
    self.limit = limit
    self.root = root
  }

  public func reason(in context: GateContext) -> GateReason? {
    let temperatures = root.names(in: "/sys/class/thermal").filter {
      $0.hasPrefix("thermal_zone")
    }.compactMap { root.number("/sys/class/thermal/\($0)/temp") }
      .map { Double($0) / 1000 }
      // Sensors that are not there read as nonsense.
      .filter { (0..<150).contains($0) }
    guard let hottest = temperatures.max() else { return nil }
    return hottest <= limit ? nil : .tooHot
  }
}

/// Open between two times of day, local; over midnight where the first is the later one.
public struct HoursGate: TrainingGate {
  /// Minutes since midnight.
  public var begin: Int
  public var end: Int

  public init(begin: Int, end: Int) {
    self.begin = begin
    self.end = end
  }

  public func reason(in context: GateContext) -> GateReason? {
    let minute = context.minuteOfDay
    let isWithin =
      begin <= end ? (begin..<end).contains(minute) : minute >= begin || minute < end
    return isWithin ? nil : .outsideHours
  }
}

/// Open unless NetworkManager says that what is sent costs money; what it does not know counts as free.
public struct UnmeteredGate: TrainingGate {
  /// What NetworkManager says of the connection in use, for example `yes (guessed)`; nil where there is none.
  var answer: @Sendable () -> String?

  public init() { answer = { NetworkManager.metered() } }

  init(answer: @escaping @Sendable () -> String?) { self.answer = answer }

  public func reason(in context: GateContext) -> GateReason? {
    answer()?.hasPrefix("yes") == true ? .metered : nil
  }
}
