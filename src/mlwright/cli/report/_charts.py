"""The pictures of the report, each from plain arrays."""

import numpy as np

from mlwright.cli._show import metric_value, number
from mlwright.cli.report._svg import (
    Scale,
    element,
    fitting_scale,
    line,
    path,
    picture,
    text,
    x_axis,
    y_axis,
)

_WIDTH = 720
_MOST_POINTS = 1500
_MOST_BARS = 20


def leaderboard_chart(rows, metric, best):
    """Mean and interval of the first metric, one line a candidate."""
    rows = [row for row in rows if row["complete"]]
    left, right, top, step = 190, _WIDTH - 90, 14, 38
    bottom = top + step * len(rows)
    values = np.array([row["metrics"][metric.name] for row in rows])
    scale = fitting_scale(_worth_showing(rows, values), left, right)
    better = "higher" if metric.higher_is_better else "lower"
    parts = [x_axis(scale, top, bottom, f"{metric.label} ({better} is better)")]
    for j, row in enumerate(rows):
        y = top + step * (j + 0.5)
        mean, low, high = (float(x) for x in scale(values[j]))
        kind = "best" if row["name"] == best else "naive" if row["name"] == "baseline" else "other"
        parts.append(text(left - 14, y + 5, row["label"], class_=f"label {kind}", text_anchor="end"))
        parts.append(text(right + 14, y + 5, metric_value(metric, values[j][0]), class_=f"value {kind}"))
        if not left <= mean <= right:
            parts.append(_arrow(left if mean < left else right, y, mean < left))
            continue
        parts.append(line(low, y, high, y, class_=f"whisker {kind}"))
        parts += [element("circle", cx=float(scale(s)), cy=y, r=2.5, class_="fold") for s in row["fold_scores"]]
        parts.append(element("circle", cx=mean, cy=y, r=6, class_=f"dot {kind}"))
    said = "; ".join(f"{row['label']} {metric_value(metric, row['metrics'][metric.name][0])}" for row in rows)
    return picture(_WIDTH, bottom + 48, f"{metric.label} of each candidate", said, "".join(parts))


def _worth_showing(rows, values):
    """All values, or those of the real candidates where the baseline is so far away that they would run together."""
    real = np.array([row["name"] != "baseline" for row in rows])
    if not real.any() or np.ptp(values[real]) > 0.6 * np.ptp(values):
        return values
    return values[real]


def _arrow(x, y, leftwards):
    back = x + 9 if leftwards else x - 9
    points = f"{x},{y} {back},{y - 5} {back},{y + 5}"
    return element("polygon", points=points, class_="dot naive")


def calibration_chart(shares, truth, label):
    """Observed share against predicted probability in bins of equal counts, with 95 % Wilson intervals.

    Parameters
    ----------
    shares : float64 ndarray (n,)
        Predicted probabilities.
    truth : bool ndarray (n,)
        Whether it happened.
    label : str
        What was predicted.
    """
    x_scale, y_scale = Scale(0, 1, 60, 420), Scale(0, 1, 380, 20)
    order = np.argsort(shares, kind="stable")
    bins = [rows for rows in np.array_split(order, min(12, max(1, len(order) // 20))) if len(rows)]
    parts = [
        x_axis(x_scale, 20, 380, f"Predicted probability of {label}"),
        y_axis(y_scale, 60, 420, "Observed share"),
        line(60, 380, 420, 20, class_="ideal"),
    ]
    centres, observed = [], []
    for rows in bins:
        low, high = _wilson(truth[rows].sum(), len(rows))
        x = float(x_scale(shares[rows].mean()))
        centres.append(x)
        observed.append(float(y_scale(truth[rows].mean())))
        parts.append(line(x, float(y_scale(low)), x, float(y_scale(high)), class_="whisker best"))
    parts.append(path(centres, observed, class_="curve"))
    parts += [element("circle", cx=x, cy=y, r=5, class_="dot best") for x, y in zip(centres, observed, strict=True)]
    parts.append(_histogram(shares, 480, 690, "How often", "predicted probability", (0.0, 1.0)))
    gap = np.mean([abs(shares[rows].mean() - truth[rows].mean()) for rows in bins])
    said = f"Mean gap between predicted and observed over {len(bins)} bins of equal counts: {gap:.3f}."
    return picture(_WIDTH, 424, "Calibration on held-out rows", said, "".join(parts)), said


def residual_chart(y, predictions, name):
    """Prediction against truth, and how the errors are spread."""
    rows = np.random.default_rng(0).permutation(len(y))[:_MOST_POINTS]
    both = np.concatenate([y[rows], predictions[rows]])
    x_scale, y_scale = fitting_scale(both, 60, 420), fitting_scale(both, 380, 20)
    parts = [
        x_axis(x_scale, 20, 380, f"Predicted {name}"),
        y_axis(y_scale, 60, 420, f"True {name}"),
        line(60, 380, 420, 20, class_="ideal"),
    ]
    dots = zip(x_scale(predictions[rows]), y_scale(y[rows]), strict=True)
    parts.append(element("g", "".join(element("circle", cx=a, cy=b, r=2.2) for a, b in dots), class_="points"))
    errors = y - predictions
    limit = float(np.quantile(np.abs(errors), 0.99)) or 1.0
    clipped = np.clip(errors, -limit, limit)
    parts.append(_histogram(clipped, 490, 690, "Errors", "true - predicted", (-limit, limit)))
    low, middle, high = np.quantile(errors, [0.05, 0.5, 0.95])
    said = (
        f"Half of the errors (true - predicted) are below {number(middle)}; nine in ten lie between {number(low)} and "
        f"{number(high)}."
    )
    return picture(_WIDTH, 424, "Predictions and errors on held-out rows", said, "".join(parts)), said


def importance_chart(importances, unit):
    """Mean over permutations with their range, the most important columns first."""
    ranked = sorted(importances.items(), key=lambda item: (-item[1].mean(), item[0]))[:_MOST_BARS]
    left, right, top, step = 190, _WIDTH - 90, 14, 26
    bottom = top + step * len(ranked)
    scale = fitting_scale(np.concatenate([[0.0], *(values for _, values in ranked)]), left, right)
    zero = float(scale(0.0))
    parts = [x_axis(scale, top, bottom, unit)]
    for j, (name, values) in enumerate(ranked):
        y = top + step * (j + 0.5)
        mean = float(scale(values.mean()))
        shown = name if len(name) <= 24 else name[:23] + "…"
        parts.append(text(left - 14, y + 5, shown, class_="label other", text_anchor="end"))
        width = max(abs(mean - zero), 0.5)
        parts.append(element("rect", x=min(zero, mean), y=y - 8, width=width, height=16, rx=2, class_="bar"))
        parts.append(line(float(scale(values.min())), y, float(scale(values.max())), y, class_="range"))
        parts.append(text(right + 14, y + 5, f"{values.mean():.4f}", class_="value other"))
    said = "; ".join(f"{name} {values.mean():.4f}" for name, values in ranked)
    return picture(_WIDTH, bottom + 48, "Permutation importances", said, "".join(parts))


def _histogram(values, left, right, title, unit, limits):
    counts, edges = np.histogram(values, bins=24, range=limits)
    x_scale, y_scale = Scale(*limits, left, right), Scale(0, max(counts.max(), 1), 380, 40)
    parts = [text(left, 26, title, class_="axis")]
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        y = float(y_scale(count))
        a, b = float(x_scale(low)), float(x_scale(high))
        parts.append(element("rect", x=a + 0.5, y=y, width=b - a - 1, height=380 - y, class_="bar"))
    parts.append(line(left, 380, right, 380, class_="grid"))
    for value in (limits[0], (limits[0] + limits[1]) / 2, limits[1]):
        place = float(x_scale(value))
        parts.append(text(place, 396, number(value), class_="tick", text_anchor="middle"))
    parts.append(text((left + right) / 2, 416, unit, class_="axis", text_anchor="middle"))
    return "".join(parts)


def _wilson(successes, n, z=1.96):
    """Wilson's 95 % interval of a share."""
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(centre - half, 0.0), min(centre + half, 1.0)
