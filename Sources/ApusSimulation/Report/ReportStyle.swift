// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a report looks like: style sheets and the little script.
///
/// The palette is Okabe and Ito's for colour-blind readers, without its yellow; lighter where the
/// paper is dark.
enum ReportStyle {
  private static let light = """
    --paper:#fbfaf8;--panel:#fff;--ink:#1c2024;--soft:#5b636b;--line:#e4e2dd;--grid:#eceae5;
    --good:#00795a;--warn:#9a5b00;--bad:#b3261e;--shadow:0 1px 2px #1c20240a,0 4px 16px #1c20240a;
    --p0:#0072b2;--p1:#d55e00;--p2:#009e73;--p3:#b6609a;--p4:#d18f00;--p5:#4aa8dd;--p6:#555b62;
    """
  private static let dark = """
    --paper:#101316;--panel:#171b20;--ink:#e8eaec;--soft:#9aa3ac;--line:#2a3037;--grid:#232930;
    --good:#46c79c;--warn:#f0b04a;--bad:#ff8a80;--shadow:none;
    --p0:#4db0ea;--p1:#ff8b4d;--p2:#33c798;--p3:#e59bc6;--p4:#f2b63c;--p5:#93d3f7;--p6:#b4bbc2;
    """

  private static let colours = (0..<RunGroup.paletteCount)
    .map { ".c\($0){--c:var(--p\($0))}" }.joined()

  /// What is drawn, in the page and in a figure alike.
  private static let marks = """
    .grid path{stroke:var(--grid);fill:none;stroke-width:1}
    .grid .base{stroke:var(--soft);stroke-width:1;opacity:.6}
    .grid text,.reference text,.legend text{fill:var(--soft);font-size:12px;
    font-variant-numeric:tabular-nums}
    .curve{fill:none;stroke:var(--c);stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
    .curve.bold{stroke-width:2.2}
    .curve.faint{stroke-width:1;opacity:.32}
    .curve.dashed{stroke-dasharray:6 5}
    .band{fill:var(--c);opacity:.15}
    .dot,.bar{fill:var(--c)}
    .reference text{paint-order:stroke;stroke:var(--panel);stroke-width:5px;stroke-linejoin:round}
    .reference path{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:2 4;fill:none}
    """

  /// For an SVG file.
  static let figure = """
    :root{\(light)}@media (prefers-color-scheme:dark){:root{\(dark)}}
    svg{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
    .paper{fill:var(--panel)}.title{fill:var(--ink);font-size:16px;font-weight:600}
    .marker{fill:var(--panel);stroke:var(--ink);stroke-width:2}
    \(colours)\(marks)
    """

  static let page = """
    :root{\(light)color-scheme:light}
    @media (prefers-color-scheme:dark){:root:not([data-theme=light]){\(dark)color-scheme:dark}}
    :root[data-theme=dark]{\(dark)color-scheme:dark}
    *{box-sizing:border-box}
    body{margin:0;background:var(--paper);color:var(--ink);line-height:1.5;
    font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
    main,header,footer{max-width:1120px;margin:0 auto;padding:0 24px}
    header{padding-top:36px;display:flex;gap:20px;align-items:flex-start}
    header div{flex:1;min-width:0}
    header svg{width:56px;flex:none;margin-top:4px;fill:var(--p0)}
    h1{font-size:30px;line-height:1.2;margin:0;letter-spacing:-.015em;overflow-wrap:anywhere}
    h2{font-size:19px;margin:40px 0 12px;letter-spacing:-.01em}
    h3{font-size:15px;margin:0}
    header p{margin:6px 0 0;color:var(--soft)}
    .badge{font-weight:600}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
    button{font:inherit;font-size:13px;color:var(--soft);background:var(--panel);cursor:pointer;
    border:1px solid var(--line);border-radius:8px;padding:5px 12px}
    button:hover{color:var(--ink)}
    .notes{border-left:3px solid var(--warn);margin:24px 0 0;padding:4px 16px;list-style:none}
    .tiles{display:grid;gap:12px;margin:28px 0 0;
    grid-template-columns:repeat(auto-fit,minmax(160px,1fr))}
    .tiles div,figure,details,.scroll.panel{background:var(--panel);border:1px solid var(--line);
    border-radius:12px;box-shadow:var(--shadow)}
    .tiles div{padding:14px 16px}
    dt{color:var(--soft);font-size:13px}
    dd{margin:2px 0 0;font-size:25px;font-weight:620;letter-spacing:-.02em;line-height:1.25;
    font-variant-numeric:tabular-nums}
    dd.long{font-size:19px;line-height:1.6}
    dd small{display:block;font-size:13px;font-weight:400;letter-spacing:0;color:var(--soft)}
    .digest{margin:14px 2px 0;color:var(--soft);font-size:13px;overflow-wrap:anywhere}
    code,pre{font-family:ui-monospace,"SF Mono",Menlo,"DejaVu Sans Mono",monospace;font-size:12.5px}
    .digest code{user-select:all}
    .charts{display:grid;grid-template-columns:1fr 1fr;gap:16px;margin-top:20px}
    figure{margin:0;padding:16px 18px 12px;position:relative;min-width:0;display:flex;
    flex-direction:column}figure .scroll{margin-top:auto}
    figure.wide{grid-column:1/-1}
    figcaption p{margin:0;color:var(--soft);font-size:13px}
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 18px;padding:0;margin:6px 0 4px;
    color:var(--soft);font-size:13px}
    .legend li{display:flex;align-items:center;gap:7px}
    .legend li::before{content:"";width:16px;border-top:3px solid var(--c);border-radius:2px}
    .legend li.dashed::before{border-top-style:dashed;border-radius:0}
    .scroll{overflow-x:auto}
    figure svg{display:block;width:100%;height:auto;overflow:visible;font-family:inherit}
    .guide{stroke:var(--soft);stroke-width:1;opacity:.7}
    .tip{position:absolute;pointer-events:none;background:var(--panel);z-index:2;
    border:1px solid var(--line);border-radius:8px;padding:8px 12px;font-size:13px;
    box-shadow:0 4px 20px #0003;max-width:min(340px,90%);font-variant-numeric:tabular-nums}
    .tip b{display:block;margin-bottom:2px}
    .tip span{display:flex;gap:8px;align-items:center;justify-content:space-between}
    .tip span::before{content:"";width:9px;height:9px;border-radius:3px;background:var(--c);
    flex:none}
    .tip i{flex:1;font-style:normal;color:var(--soft)}
    details{margin-top:12px;overflow:hidden}
    summary{cursor:pointer;padding:12px 18px;font-weight:600}
    details>*:not(summary){border-top:1px solid var(--line)}
    pre{margin:0;padding:14px 18px;overflow-x:auto;tab-size:2}
    table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
    th,td{padding:6px 9px;text-align:right;white-space:nowrap;border-top:1px solid var(--grid)}
    th{color:var(--soft);font-weight:500;border-top:0}
    th:first-child,td:first-child{text-align:left;padding-left:18px}
    td.name{white-space:normal;min-width:150px}td.seed{color:var(--soft)}
    td code{font-size:12px}
    .rounds{max-height:440px;overflow:auto}
    .rounds thead th{position:sticky;top:0;background:var(--panel);
    box-shadow:inset 0 -1px var(--line)}
    .split{display:flex;width:84px;height:9px;border-radius:4px;overflow:hidden;margin-left:auto}
    .split i{background:var(--c)}
    .key::before{content:"";display:inline-block;width:10px;height:10px;border-radius:3px;
    background:var(--c);margin-right:9px}
    a{color:var(--p0)}
    .download{display:inline-block;margin-top:16px}
    footer{color:var(--soft);font-size:13px;padding-top:36px;padding-bottom:48px}
    .muted{color:var(--soft);font-size:13px;margin:10px 0 0}
    \(colours)\(marks)
    @media (max-width:760px){.charts{grid-template-columns:1fr}main,header,footer{padding:0 14px}
    header{padding-top:20px}figure.wide svg{min-width:640px}figure svg{min-width:420px}}
    @media print{:root,:root[data-theme=dark],:root:not([data-theme=light]){\(light)}
    button,.download,.tip,.guide{display:none}figure,.tiles div,pre{break-inside:avoid}
    body{background:#fff;font-size:11pt}.rounds{max-height:none}pre{white-space:pre-wrap}
    .scroll{overflow:visible}details::details-content{content-visibility:visible}}
    """

  /// Shows the numbers under the pointer, and changes the light.
  ///
  /// Nothing else needs it.
  static let script = """
    (() => {
      const root = document.documentElement, button = document.getElementById('theme');
      button.hidden = false;
      button.onclick = () => {
        const dark = (root.dataset.theme ||
          (matchMedia('(prefers-color-scheme:dark)').matches ? 'dark' : 'light')) === 'dark';
        root.dataset.theme = dark ? 'light' : 'dark';
      };
      for (const figure of document.querySelectorAll('figure.chart')) {
        const data = JSON.parse(figure.querySelector('script').textContent);
        const svg = figure.querySelector('svg'), guide = figure.querySelector('.guide');
        if (!data.stops || !data.stops.length) continue;
        const tip = document.createElement('div');
        tip.className = 'tip';
        tip.hidden = true;
        figure.append(tip);
        for (const title of svg.querySelectorAll('g > title')) title.remove();
        svg.onpointermove = (event) => {
          const at = new DOMPoint(event.clientX, event.clientY)
            .matrixTransform(svg.getScreenCTM().inverse()).x;
          if (at < data.left - 20 || at > data.right + 20) return svg.onpointerleave();
          let stop = data.stops[0];
          for (const one of data.stops) if (Math.abs(one.x - at) < Math.abs(stop.x - at)) stop = one;
          guide.setAttribute('d', `M${stop.x} ${data.top}V${data.bottom}`);
          const lines = [document.createElement('b')];
          lines[0].textContent = stop.heading;
          data.rows.forEach((row, index) => {
            const line = document.createElement('span'), name = document.createElement('i');
            line.className = 'c' + row.colour;
            name.textContent = row.label;
            line.append(name, stop.values[index]);
            lines.push(line);
          });
          tip.replaceChildren(...lines);
          tip.hidden = false;
          const box = figure.getBoundingClientRect();
          const x = event.clientX - box.left, y = event.clientY - box.top;
          const left = x + 18 + tip.offsetWidth > box.width ? x - 18 - tip.offsetWidth : x + 18;
          tip.style.left = Math.max(left, 4) + 'px';
          tip.style.top = Math.max(y - tip.offsetHeight - 10, 4) + 'px';
        };
        svg.onpointerleave = () => {
          tip.hidden = true;
          guide.setAttribute('d', '');
        };
      }
    })();
    """

  /// A swift in flight.
  static let bird = """
    <svg viewBox="0 0 64 40" aria-hidden="true"><path d="M1 10C13 2 26 4 32 13C38 4 51 2 63 10C51 8 \
    42 13 36 22L35 38L32 31L29 38L28 22C22 13 13 8 1 10Z"/></svg>
    """
}
