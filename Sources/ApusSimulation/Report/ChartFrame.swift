// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// The paper a chart is drawn on: its size, its two axes, grid and numbers, as SVG.
struct ChartFrame: Sendable {
  let width: Double
  let height: Double
  let x: Axis
  let y: Axis
  var left = 56.0
  var right = 22.0
  var top = 12.0
  var bottom = 40.0

  var plotRight: Double { width - right }
  var plotBottom: Double { height - bottom }

  func place(x value: Double) -> Double { left + x.place(of: value) * (plotRight - left) }

  /// Values beyond the axis are placed beyond the paper, though not far; marks are clipped.
  func place(y value: Double) -> Double {
    let place = min(max(y.place(of: value), -2), 3)
    return plotBottom - place * (plotBottom - top)
  }

  /// Marks that end where the paper does, with room for the width of a line.
  func clipped(_ marks: String, id: String) -> String {
    """
    <clipPath id="\(id)-c"><rect x="\(Wording.coordinate(left - 4))" \
    y="\(Wording.coordinate(top - 4))" width="\(Wording.coordinate(plotRight - left + 8))" \
    height="\(Wording.coordinate(plotBottom - top + 5))"/></clipPath>\
    <g clip-path="url(#\(id)-c)">\(marks)</g>
    """
  }

  /// Grid lines and numbers.
  func grid(xLabel: String, yFormat: (Double) -> String) -> String {
    var svg = "<g class=\"grid\">"
    for tick in y.ticks {
      let place = Wording.coordinate(place(y: tick))
      svg += "<path d=\"M\(Wording.coordinate(left)) \(place)H\(Wording.coordinate(plotRight))\"/>"
      svg += "<text x=\"\(Wording.coordinate(left - 8))\" y=\"\(place)\" dy=\".32em\" "
      svg += "text-anchor=\"end\">\(Wording.escaped(yFormat(tick)))</text>"
    }
    for tick in x.ticks {
      svg += "<text x=\"\(Wording.coordinate(place(x: tick)))\" "
      svg += "y=\"\(Wording.coordinate(plotBottom + 18))\" text-anchor=\"middle\">"
      svg += "\(Wording.tick(tick))</text>"
    }
    svg += "<path class=\"base\" d=\"M\(Wording.coordinate(left)) "
    svg += "\(Wording.coordinate(plotBottom))H\(Wording.coordinate(plotRight))\"/>"
    svg += "<text class=\"axis\" x=\"\(Wording.coordinate(plotRight))\" "
    svg += "y=\"\(Wording.coordinate(height - 4))\" text-anchor=\"end\">"
    return svg + "\(Wording.escaped(xLabel))</text></g>"
  }

  /// The opening tag, with the words for those who hear the picture.
  func opening(id: String, title: String, description: String, attributes: String = "") -> String {
    """
    <svg viewBox="0 0 \(Wording.tick(width)) \(Wording.tick(height))" role="img" \
    aria-labelledby="\(id)-t \(id)-d"\(attributes)>\
    <title id="\(id)-t">\(Wording.escaped(title))</title>\
    <desc id="\(id)-d">\(Wording.escaped(description))</desc>
    """
  }
}
