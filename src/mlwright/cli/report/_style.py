"""The style sheet of the report. Colours are named once for light and once for dark; contrast is at least 4.5 : 1."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #fbfaf7; --card: #ffffff; --ink: #1d2430; --soft: #596273; --rule: #e4e0d8;
  --accent: #0b6e74; --accent-soft: #0b6e7433; --warm: #a3470f; --grid: #ece8e0; --code: #f3f0ea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181f; --card: #1b212b; --ink: #e8ebf0; --soft: #a3adbd; --rule: #2d3643;
    --accent: #4fc3c8; --accent-soft: #4fc3c840; --warm: #f0a36b; --grid: #28303c; --code: #222a36;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 860px; margin: 0 auto; padding: 40px 20px 72px; }
header { margin-bottom: 28px; }
.eyebrow { color: var(--accent); font-weight: 600; letter-spacing: .04em; font-size: 14px; margin: 0 0 4px; }
h1 { font-size: 34px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 21px; margin: 0 0 6px; letter-spacing: -.005em; }
p { margin: 6px 0 12px; }
.soft { color: var(--soft); }
section {
  background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 24px 26px; margin: 18px 0;
}
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 14px; margin: 20px 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 16px 18px; }
.card b { display: block; font-size: 25px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card.main { border-color: var(--accent); box-shadow: inset 0 3px 0 var(--accent); }
.card span { color: var(--soft); font-size: 14px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 7px 10px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child, .left { text-align: left; }
thead th { color: var(--soft); font-weight: 600; }
tbody th { font-weight: 500; }
tr.best th, tr.best td { color: var(--accent); font-weight: 650; }
tr:last-child th, tr:last-child td { border-bottom: 0; }
figure { margin: 14px 0 6px; }
figcaption { color: var(--soft); font-size: 14.5px; margin-top: 6px; }
svg { display: block; width: 100%; height: auto; margin: 0 auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--ink); }
svg .tick, svg .axis { fill: var(--soft); font-size: 12px; }
svg .grid { stroke: var(--grid); }
svg .ideal { stroke: var(--soft); stroke-dasharray: 4 4; }
svg .label.best, svg .value.best { fill: var(--accent); font-weight: 650; }
svg .label.naive, svg .value.naive { fill: var(--soft); }
svg .whisker { stroke: var(--soft); stroke-width: 2; }
svg .whisker.best { stroke: var(--accent); stroke-width: 2.5; }
svg .dot { fill: var(--ink); stroke: var(--card); stroke-width: 2; }
svg .dot.best { fill: var(--accent); }
svg .dot.naive { fill: var(--soft); }
svg .fold { fill: var(--soft); opacity: .55; }
svg .curve { stroke: var(--accent); stroke-width: 2; }
svg .bar { fill: var(--accent); opacity: .82; }
svg .range { stroke: var(--warm); stroke-width: 2.5; }
svg .points circle { fill: var(--accent); opacity: .38; }
pre {
  background: var(--code); border-radius: 8px; padding: 14px 16px; overflow-x: auto; margin: 10px 0;
  font: 14px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
th.cell { text-align: center; }
td.cell { text-align: center; background: color-mix(in srgb, var(--accent) calc(var(--share) * 55%), transparent); }
footer { color: var(--soft); font-size: 14px; margin-top: 26px; }
@media print { section, .card { break-inside: avoid; } body { background: #fff; } }
"""
