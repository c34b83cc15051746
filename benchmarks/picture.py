"""The results as a picture: for each problem and peer, how many times our time it takes, on a logarithmic axis.

A few lines of SVG, so that drawing needs no plotting library and the file stays readable in a diff.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from benchmarks.table import duration, figures, name_of

WIDTH, LEFT, RIGHT, TOP = 920, 330, 170, 64
ROW, GAP = 20, 26
COLOURS = {
    "sklearn": "#e8833a",
    "sklearnex": "#3b7dbd",
    "lightgbm": "#5a9e5f",
    "xgboost": "#a06bb0",
    "catboost": "#c9a227",
}

Scale = Callable[[float], float]  # a ratio to its place on the page


def draw(records: Sequence[Mapping[str, Any]]) -> str:
    """The whole SVG document; white ground, so that it reads on dark pages too."""
    bars = [row["ratio"] for record in records for row in record["rows"] if "ratio" in row]
    goals = [goal for record in records for row in record["rows"] for goal in row.get("goal", {}).values()]
    low = 0.8 * min([*bars, 0.6])
    high = 1.15 * max([*bars, *goals, 10.0])

    def x(ratio: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(ratio / low) / math.log(high / low)

    body: list[str] = []
    y = TOP
    for record in records:
        body.append(_text(12, y + 4, escape(record["title"]), 'font-weight="600"'))
        y += 14
        own, *peers = record["rows"]
        for row in peers:
            body += _bar(row, own, y, x)
            y += ROW
        y += GAP
    height = y + 10
    return "\n".join([*_head(height), *_axis(low, high, height, x), *body, "</svg>", ""])


def _head(height: float) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" '
        'aria-label="time of each peer over the time of mlwright">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        _text(12, 24, "Time of the peer / time of mlwright", 'font-size="15" font-weight="600"'),
        _text(12, 42, "right of 1: mlwright is faster; ticks mark must and aim; equal answers only", 'fill="#666"'),
    ]


def _text(x: float, y: float, content: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{content}</text>'


def _upright(x: float, top: float, bottom: float, style: str) -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" {style}/>'


def _axis(low: float, high: float, height: float, x: Scale) -> list[str]:
    """A line at each 1, 2, 5 of every decade; the one at 1 is dark."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    lines = []
    for step in (digit * 10.0**decade for decade in decades for digit in (1, 2, 5)):
        if low <= step <= high:
            lines.append(_upright(x(step), TOP - 6, height - 14, f'stroke="{"#444" if step == 1 else "#e4e4e4"}"'))
            lines.append(_text(x(step), height - 2, f"{step:g}", 'text-anchor="middle" fill="#666" font-size="10"'))
    return lines


def _bar(row: Mapping[str, Any], own: Mapping[str, Any], y: float, x: Scale) -> list[str]:
    drawn = [_text(LEFT - 10, y + 13, escape(name_of(row["library"])), 'text-anchor="end"')]
    if "ratio" not in row:
        why = "answers differ" if "differs" in row else "failed"
        return [*drawn, _text(x(1) + 6, y + 13, why, 'fill="#888"')]
    left, right = sorted((x(1), x(row["ratio"])))
    colour = COLOURS.get(row["library"], "#888")
    width = max(right - left, 1)
    drawn.append(f'<rect x="{left:.1f}" y="{y + 3}" width="{width:.1f}" height="13" rx="2" fill="{colour}"/>')
    drawn += [_upright(x(goal), y, y + 19, 'stroke="#222" stroke-width="1.5"') for goal in row.get("goal", {}).values()]
    ratio = f'<tspan font-weight="600">{figures(row["ratio"])}×</tspan>'
    times = f"{duration(row['seconds']['median'])} / {duration(own['seconds']['median'])}"
    return [*drawn, _text(WIDTH - RIGHT + 8, y + 13, f'{ratio} <tspan fill="#666">{times}</tspan>')]
