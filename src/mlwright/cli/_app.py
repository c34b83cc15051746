"""The commands and their options."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mlwright.cli._errors import one_line_errors

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="From a table to a checked model, and from the model to predictions.",
)

TablePath = Annotated[Path, typer.Argument(metavar="TABLE", help="CSV, CSV.gz or Parquet.")]
ModelPath = Annotated[Path, typer.Argument(metavar="MODEL", help="A .mlw file that 'mlwright fit' saved.")]


class TaskChoice(StrEnum):
    auto = "auto"
    classification = "classification"
    regression = "regression"


def _console():
    return Console(highlight=False)


@app.command()
def fit(
    table: TablePath,
    target: Annotated[str, typer.Option(help="The column to predict.")],
    weight: Annotated[
        str | None, typer.Option(help="A column of weights of rows, such as counts; nothing is predicted from it.")
    ] = None,
    task: Annotated[TaskChoice, typer.Option(help="What to predict; auto looks at the target.")] = TaskChoice.auto,
    time_limit: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds; candidates that cannot end in time are left out.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to save the model.")] = Path("model.mlw"),
    report: Annotated[Path | None, typer.Option(help="Where to write a report (one HTML file).")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the held-out rows and the folds.")] = 0,
):
    """Find the best model for a table, check it on held-out rows and save it with its whole pipeline."""
    with one_line_errors():
        from mlwright.cli import _fit

        _fit.fit(
            table,
            target,
            weight=weight,
            task=task.value,
            time_limit=time_limit,
            out=out,
            report=report,
            seed=seed,
            console=_console(),
        )


@app.command()
def predict(
    model: ModelPath,
    table: TablePath,
    out: Annotated[Path, typer.Option(help="CSV or Parquet, by its name.")] = Path("predictions.csv"),
    interval: Annotated[
        float | None, typer.Option(help="Coverage, e.g. 0.9: adds the columns lower and upper (regression).")
    ] = None,
):
    """Predict the rows of a table with a saved model."""
    with one_line_errors():
        from mlwright.cli import _predict

        _predict.predict(model, table, out=out, interval=interval, console=_console())


@app.command()
def info(model: ModelPath):
    """Say what a model file holds: target, columns, leaderboard, held-out metrics."""
    with one_line_errors():
        from mlwright.cli import _info

        _info.info(model, _console())


@app.command(name="import")
def import_model(
    model: Annotated[Path, typer.Argument(metavar="FILE", help="LightGBM's text or XGBoost's JSON or UBJSON.")],
    out: Annotated[Path, typer.Option(help="Where to save the model.")] = Path("model.mlw"),
):
    """Turn a model of LightGBM or XGBoost into a .mlw file."""
    with one_line_errors():
        from mlwright.cli import _import

        _import.import_model(model, out, console=_console())


@app.command()
def bench(quick: Annotated[bool, typer.Option("--quick", help="Small sizes, a few seconds.")] = False):
    """Time mlwright against scikit-learn on this machine; ratios only where the answers are equal."""
    with one_line_errors():
        from mlwright.cli import _bench

        _bench.bench(quick=quick, console=_console())
