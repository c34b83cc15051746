"""What the terminal shows."""

from rich.markup import escape
from rich.table import Table

_MOST_COLUMNS = 40


def size(n_bytes):
    """A file size for people."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{max(n_bytes / 1e3, 0.1):.1f} kB"


def number(value):
    """Four significant digits; large numbers with thousands set off."""
    return f"{value:,.0f}" if abs(value) >= 1e3 else f"{value:.4g}"


def metric_value(metric, value):
    """A metric's value: in the target's units to four digits, else to four decimals."""
    return number(value) if metric.name in ("rmse", "mae") else f"{value:.4f}"


def metric_line(metrics, values):
    """Metrics in one line."""
    return ", ".join(f"{metric.label} [bold]{metric_value(metric, values[metric.name])}[/]" for metric in metrics)


def table(console, path, frame, columns, task):
    """What the table was found to hold."""
    console.print(f"[bold]{escape(str(path))}[/]: {frame.height:,} rows, {frame.width} columns")
    shown = Table(box=None, pad_edge=False, header_style="dim")
    for header, justify in (("column", "left"), ("kind", "left"), ("missing", "right"), ("different", "right")):
        shown.add_column(header, justify=justify)
    shown.add_column("e.g.")
    n_rows = task.X.height
    for column in columns[:_MOST_COLUMNS]:
        missing = f"{column.n_missing:,} ({column.n_missing / n_rows:.1%})" if column.n_missing else "-"
        shown.add_row(escape(column.name), column.kind, missing, f"{column.n_different:,}", escape(column.example))
    console.print(shown)
    if len(columns) > _MOST_COLUMNS:
        console.print(f"[dim]and {len(columns) - _MOST_COLUMNS} more columns[/]")
    console.print(f"Target: [bold]{escape(task.y.name)}[/], {target(task)}")
    for note in task.notes:
        console.print(f"[yellow]Note:[/] {escape(note)}")


def target(task):
    """The target in words."""
    if not task.is_classification:
        return f"a number from {number(task.y.min())} to {number(task.y.max())}, mean {number(task.y.mean())}"
    counts = task.y.value_counts(sort=True)
    parts = [f"{label} {count / len(task.y):.1%}" for label, count in counts.head(6).iter_rows()]
    more = f", and {len(counts) - 6} more" if len(counts) > 6 else ""
    return f"{len(counts)} classes: {', '.join(parts)}{more}"


def leaderboard(console, model, seconds):
    """Candidates, best first, with the intervals of their first metric and the seconds that their folds took."""
    console.print()
    console.print(leaderboard_table(model, seconds))
    console.print(
        f"[dim]Means over {model.cv} folds; intervals: 95 %, Student t with the variance of Nadeau and Bengio, "
        "which allows for overlapping training parts[/]"
    )


def leaderboard_table(model, seconds=None):
    """The leaderboard as a table for the terminal; `seconds` by label."""
    shown = Table(title="Leaderboard", title_justify="left", title_style="bold", box=None, pad_edge=False)
    first, *others = model._metrics[:3]  # the report has all of them
    shown.add_column("candidate", no_wrap=True)
    shown.add_column(f"{first.label} {'↑' if first.higher_is_better else '↓'}", justify="right")
    shown.add_column("interval", justify="right", style="dim", no_wrap=True)
    for metric in others:
        shown.add_column(f"{metric.label} {'↑' if metric.higher_is_better else '↓'}", justify="right")
    if seconds is not None:
        shown.add_column("time", justify="right", style="dim")
    for row in model.leaderboard_:
        style = "bold green" if row["name"] == model.best_ else "dim" if row["name"] == "baseline" else ""
        if not row["complete"]:
            shown.add_row(row["label"], "out of time", style="dim")
            continue
        mean, low, high = row["metrics"][first.name]
        means = [metric_value(metric, row["metrics"][metric.name][0]) for metric in others]
        interval = f"{metric_value(first, low)} … {metric_value(first, high)}"
        time = [] if seconds is None else [f"{seconds[row['label']]:.1f} s"]
        shown.add_row(row["label"], metric_value(first, mean), interval, *means, *time, style=style)
    return shown


def held_out(console, outcome):
    """The best model on rows that the search has not seen."""
    metrics = outcome.model._metrics
    label = outcome.model.leaderboard_[0]["label"]
    console.print()
    console.print(f"Best: [bold green]{label}[/], refitted on {outcome.model.n_rows_:,} rows")
    console.print(f"On {len(outcome.y_test):,} held-out rows: {metric_line(metrics, outcome.held_out)}")
    console.print(f"Naive baseline there: {metric_line(metrics, outcome.baseline)}", style="dim")
    if outcome.model.best_ == "baseline":
        console.print("[yellow]Note:[/] no candidate beats the naive baseline; the columns say nothing of the target")
