"""Just enough SVG: elements as strings, linear scales, round ticks. Colours come from the page's style sheet."""

from dataclasses import dataclass
from html import escape

import numpy as np


def element(name, content="", **attributes):
    """One element; underscores in attribute names become hyphens, numbers lose needless digits."""
    parts = "".join(f' {key.rstrip("_").replace("_", "-")}="{_text(value)}"' for key, value in attributes.items())
    return f"<{name}{parts}>{content}</{name}>" if content else f"<{name}{parts}/>"


def text(x, y, content, **attributes):
    """A text element, escaped."""
    return element("text", escape(str(content)), x=x, y=y, **attributes)


def line(x1, y1, x2, y2, **attributes):
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def path(xs, ys, **attributes):
    """An open path through points."""
    points = " ".join(f"{_text(x)},{_text(y)}" for x, y in zip(xs, ys, strict=True))
    return element("polyline", points=points, fill="none", **attributes)


def picture(width, height, title, description, content):
    """A whole picture that a screen reader can name."""
    label = element("title", escape(title)) + element("desc", escape(description))
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg" style="max-width:{width}px">{label}{content}</svg>'
    )


@dataclass(frozen=True)
class Scale:
    """A linear map from values to places on the page."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value):
        share = (np.asarray(value, dtype=np.float64) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def fitting_scale(values, start, end, margin=0.04):
    """A scale that shows all finite values, with a margin."""
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    pad = (high - low) * margin or max(abs(low), 1.0) * margin
    return Scale(low - pad, high + pad, start, end)


def ticks(scale, target=5):
    """Round numbers within a scale: steps of 1, 2 or 5 times a power of ten."""
    raw = (scale.high - scale.low) / target
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first = int(np.ceil(scale.low / step - 1e-9))
    last = int(np.floor(scale.high / step + 1e-9))
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def tick_label(value):
    """A tick's number: 0.25, 12, 450k, 2M."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 1.0 and abs(value) >= 1e4:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


def x_axis(scale, top, bottom, label):
    """Vertical grid lines, their numbers and a name below."""
    parts = []
    for value in ticks(scale):
        x = float(scale(value))
        parts.append(line(x, top, x, bottom, class_="grid"))
        parts.append(text(x, bottom + 16, tick_label(value), class_="tick", text_anchor="middle"))
    middle = (scale.start + scale.end) / 2
    parts.append(text(middle, bottom + 36, label, class_="axis", text_anchor="middle"))
    return "".join(parts)


def y_axis(scale, left, right, label):
    """Horizontal grid lines, their numbers and a name above."""
    parts = []
    for value in ticks(scale):
        y = float(scale(value))
        parts.append(line(left, y, right, y, class_="grid"))
        parts.append(text(left - 8, y + 4, tick_label(value), class_="tick", text_anchor="end"))
    parts.append(text(left, min(scale.start, scale.end) - 10, label, class_="axis"))
    return "".join(parts)


def _text(value):
    if isinstance(value, float | np.floating):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return escape(str(value))
