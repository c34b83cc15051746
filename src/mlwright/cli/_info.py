"""The work of ``mlwright info``."""

from rich.markup import escape
from rich.table import Table

from mlwright import io
from mlwright.cli import _show
from mlwright.cli._predict import load_model
from mlwright.tabular import TabularClassifier


def info(path, console):
    """Say what a model file holds."""
    model = load_model(path)
    description = io.describe(path)
    console.print(f"[bold]{escape(str(path))}[/]: {_show.size(description['n_bytes'])}, {description['written_by']}")
    target = model.target_name_ or "the target"
    console.print(f"Predicts [bold]{escape(target)}[/]: {escape(_kind(model))}")
    console.print(f"Model: [bold green]{model.leaderboard_[0]['label']}[/], fitted on {model.n_rows_:,} rows")
    if model.held_out_:
        console.print(f"On held-out rows: {_show.metric_line(model._metrics, model.held_out_)}")
    console.print()
    console.print(_columns(model.pipeline_[0]))
    console.print()
    console.print(_show.leaderboard_table(model))
    console.print(f"[dim]sha256 {description['sha256']}[/]")


def _kind(model):
    if not isinstance(model, TabularClassifier):
        return "a number"
    shown = ", ".join(map(str, model.classes_[:8]))
    return f"{len(model.classes_)} classes: {shown}{', …' if len(model.classes_) > 8 else ''}"


def _columns(encoder):
    shown = Table(title="Columns it needs", title_justify="left", title_style="bold", box=None, pad_edge=False)
    shown.add_column("column")
    shown.add_column("kind")
    shown.add_column("categories", style="dim", max_width=60)
    for j, (name, kind) in enumerate(zip(encoder.feature_names_in_, encoder.kinds_, strict=True)):
        categories = encoder.categories_[j].tolist()
        listed = ", ".join(categories[:6]) + (f", … ({len(categories)})" if len(categories) > 6 else "")
        shown.add_row(escape(name), kind, escape(listed))
    return shown
