// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The charts of a report, those that have something to show.
struct ReportCharts {
  let groups: [RunGroup]

  /// The run, where there is only one.
  private var single: RecordedRun? {
    groups.count == 1 && groups[0].runs.count == 1 ? groups[0].runs[0] : nil
  }

  var blocks: [ChartBlock] {
    let seeds =
      groups.contains { $0.runs.count > 1 }
      ? "Bold: the mean of the seeds; its band: one standard deviation." : ""
    var half: [(Double) -> ChartBlock] = []
    func add(_ chart: LineChart, note: String) {
      guard chart.hasValues else { return }
      let id = "chart\(half.count + 1)"
      half.append { width in
        var chart = chart
        chart.width = width
        return ChartBlock(chart, id: id, note: note)
      }
    }
    func add(_ chart: BarChart, note: String) {
      guard chart.hasValues else { return }
      let id = "chart\(half.count + 1)"
      half.append { width in
        var chart = chart
        chart.width = width
        return ChartBlock(chart, id: id, note: note)
      }
    }
    add(loss, note: seeds)
    add(clientAccuracy, note: "On the examples that each client held back. \(seeds)")
    if let single {
      let many = single.trained.count > BarChart.barLimit ? "; a bar is a mean of rounds" : ""
      add(phases(of: single), note: "Wall-clock time of a round\(many).")
      add(clients(of: single), note: "What became of those invited\(many).")
    }
    if groups.count == 1 || Set(groups.map { $0.runs.first?.bytesUp }).count > 1 {
      add(bytes, note: "Uncompressed, as they would travel; summed over the rounds.")
    }
    // Charts stand in pairs; one that is left over takes the whole width.
    let first = accuracy.hasValues ? [ChartBlock(accuracy, id: "chart0", note: seeds)] : []
    return first
      + half.enumerated().map { index, block in
        block(index == half.count - 1 && index.isMultiple(of: 2) ? 1040 : 512)
      }
  }

  private func label(_ group: RunGroup, _ own: String) -> String {
    groups.count == 1 ? own : group.label
  }

  private var accuracy: LineChart {
    let targets = Set(groups.flatMap(\.runs).compactMap { $0.summary?.targetAccuracy })
    let target = targets.count == 1 ? targets.first : nil
    return LineChart(
      title: "Accuracy on the test examples", measure: .share,
      series: groups.flatMap {
        $0.series(of: \.accuracy, label: label($0, "accuracy"), colour: $0.colour)
      },
      reference: target.map {
        LineChart.Reference(value: $0, label: "target \(Wording.percent($0, digits: 1))")
      }, dwellsOnTop: true)
  }

  private var loss: LineChart {
    var series = groups.flatMap {
      $0.series(of: \.loss, label: label($0, "on the test examples"), colour: $0.colour)
    }
    if groups.count == 1 || series.isEmpty {
      series += groups.flatMap {
        $0.series(
          of: \.trainingLoss,
          label: groups.count == 1 ? "in the clients' own steps" : "\($0.label), in training",
          colour: groups.count == 1 ? 1 : $0.colour, isDashed: true)
      }
    }
    return LineChart(
      title: "Loss", measure: .loss, series: series, height: 260)
  }

  private var clientAccuracy: LineChart {
    var series: [Series] = []
    for group in groups {
      func add(_ name: String, _ colour: Int, _ measure: (RoundRecord) -> Double?, _ dashed: Bool) {
        series += group.series(
          of: measure, label: groups.count == 1 ? name : "\(group.label), \(name)",
          colour: groups.count == 1 ? colour : group.colour, isDashed: dashed)
      }
      add("mean of the clients", 0, { $0.clientAccuracy?.mean }, false)
      if groups.count == 1 {
        add("nine of ten reach", 2, { $0.clientAccuracy?.tenthPercentile }, false)
      }
      add("worst client", 1, { $0.clientAccuracy?.worst }, true)
    }
    return LineChart(
      title: "Accuracy client by client", measure: .share, series: series, height: 260)
  }

  private var bytes: LineChart {
    func total(_ measure: @escaping (RoundRecord) -> Int) -> (RecordedRun) -> [Point] {
      { run in
        var sum = 0.0
        return run.records.map { record in
          sum += Double(measure(record))
          return Point(x: Double(record.round), y: sum)
        }
      }
    }
    func series(_ name: String, _ colour: Int?, _ points: (RecordedRun) -> [Point]) -> [Series] {
      groups.flatMap { group in
        group.runs.prefix(1).map { run in
          Series(
            label: label(group, name), colour: colour ?? group.colour, weight: .bold,
            points: points(run))
        }
      }
    }
    let up = series("from clients", groups.count == 1 ? 0 : nil, total(\.bytesUp))
    let down = groups.count == 1 ? series("to clients", 4, total(\.bytesDown)) : []
    return LineChart(
      title: groups.count == 1 ? "Bytes" : "Bytes from clients", measure: .bytes,
      series: up + down, height: 260)
  }

  private func phases(of run: RecordedRun) -> BarChart {
    BarChart(
      title: "Time by phase", rounds: run.trained.map(\.round),
      parts: ReportNumbers.phases.map { phase in
        BarChart.Part(
          label: phase.name, colour: phase.colour,
          values: run.trained.map { phase.seconds($0.seconds) })
      }.filter { $0.values.contains { $0 > 0 } },
      format: { Wording.seconds($0) }, tick: { $0 == 0 ? "0" : Wording.seconds($0, Wording.tick) })
  }

  private func clients(of run: RecordedRun) -> BarChart {
    func part(_ label: String, _ colour: Int, _ count: (RoundRecord) -> Int) -> BarChart.Part {
      BarChart.Part(label: label, colour: colour, values: run.trained.map { Double(count($0)) })
    }
    let lost = [part("dropped out", 4, \.dropped), part("refused", 1, \.rejected)]
    return BarChart(
      title: "Clients", rounds: run.trained.map(\.round),
      parts: [part("counted", 0, \.clients)] + lost.filter { $0.values.contains { $0 > 0 } },
      format: { Wording.significant($0) }, tick: { Wording.tick($0) }, isWhole: true)
  }
}
