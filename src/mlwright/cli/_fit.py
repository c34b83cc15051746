"""The work of ``mlwright fit``: hold out, search, check, save, report."""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import mlwright
from mlwright.cli import _show
from mlwright.cli._errors import CommandError
from mlwright.cli._tables import check_writable, findings, read_table
from mlwright.cli._target import prepare
from mlwright.tabular import TabularClassifier, TabularRegressor, permutation_importances
from mlwright.tabular._folds import shuffled_folds, stratified_folds
from mlwright.tabular._search import STAGE

_HELD_OUT_SHARE = 5  # one row in five
_ROWS_FOR_IMPORTANCES = 5000


@dataclass(frozen=True)
class Outcome:
    """Everything that the report shows."""

    title: str
    task: object
    columns: list
    model: object
    held_out: dict
    baseline: dict
    X_test: object
    y_test: object
    w_test: object
    importances: dict
    times: dict
    seconds: float
    out: Path


def fit(path, target, *, weight, task, time_limit, out, report, seed, console: Console):
    """Fit the best model of a table and save it.

    Returns
    -------
    Outcome
    """
    start = monotonic()
    check_writable(out, "--out")
    if report is not None:
        check_writable(report, "--report")
    table = read_table(path)
    prepared = prepare(table, target, task, weight)
    columns = findings(prepared.X)
    _show.table(console, path, table, columns, prepared)
    train, test = _hold_out(prepared, seed)
    model, times = _search(prepared, train, time_limit, seed, console)
    X_test, y_test, w_test = prepared.X[test], prepared.y[test], prepared.weights_of(test)
    model.held_out_ = model.evaluate(X_test, y_test, w_test)
    _show.leaderboard(console, model, times)
    outcome = Outcome(
        title=path.name,
        task=prepared,
        columns=columns,
        model=model,
        held_out=model.held_out_,
        baseline=_baseline(prepared, train, test),
        X_test=X_test,
        y_test=y_test,
        w_test=w_test,
        importances=_importances(model, X_test, y_test, w_test, seed) if report is not None else {},
        times=times,
        seconds=monotonic() - start,
        out=out,
    )
    _show.held_out(console, outcome)
    _save(model, out, console)
    if report is not None:
        from mlwright.cli.report import write_report

        write_report(outcome, report)
        console.print(f"Report: [bold]{report}[/]")
    return outcome


def _hold_out(task, seed):
    if task.is_classification:
        _, codes = np.unique(task.y.to_numpy(), return_inverse=True)
        folds = stratified_folds(codes, _HELD_OUT_SHARE, seed)
    else:
        folds = shuffled_folds(len(task.y), _HELD_OUT_SHARE, seed)
    train, test = folds[0]
    return train.tolist(), test.tolist()


def _search(task, train, time_limit, seed, console):
    """The fitted model, and the seconds that the folds of each candidate took, by label."""
    cls = TabularClassifier if task.is_classification else TabularRegressor
    # The folds of the search are seeded apart from the rows held out.
    model = cls(time_limit=time_limit, random_state=(seed + 1) % 2**32)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    began, latest = {}, monotonic()
    with bar:
        row = bar.add_task("cross-validating", total=None)

        def show(event):
            nonlocal latest
            if event.stage.startswith(STAGE):
                latest = monotonic()
                began.setdefault(event.stage.removeprefix(STAGE), latest)
                bar.update(row, description=event.stage, completed=event.done, total=event.total)

        with mlwright.watch_progress(show):
            try:
                model.fit(task.X[train], task.y[train], task.weights_of(train))
            except (TypeError, ValueError) as error:
                raise CommandError(f"the table cannot be fitted: {error}") from error
        ends = [*list(began.values())[1:], latest]  # the refit comes after it
        total = bar.tasks[row].total
        bar.update(row, description="cross-validated", completed=total)
    return model, {label: end - start for (label, start), end in zip(began.items(), ends, strict=True)}


def _baseline(task, train, test):
    """The naive baseline on the held-out rows."""
    from mlwright.tabular._metrics import classification_metrics, regression_metrics

    y_train, y_test = task.y[train].to_numpy(), task.y[test].to_numpy()
    w_train, w_test = task.weights_of(train), task.weights_of(test)
    if not task.is_classification:
        return regression_metrics(y_test, np.full(len(y_test), np.average(y_train, weights=w_train)), w_test)
    classes, codes = np.unique(y_train, return_inverse=True)
    counts = np.bincount(codes, weights=w_train)
    shares = np.tile(counts / counts.sum(), (len(y_test), 1))
    return classification_metrics(np.searchsorted(classes, y_test), shares, w_test)


def _importances(model, X_test, y_test, w_test, seed):
    rows = np.random.default_rng(seed).permutation(len(y_test))[:_ROWS_FOR_IMPORTANCES].tolist()
    weight = None if w_test is None else w_test[rows]
    return permutation_importances(model, X_test[rows], y_test[rows], sample_weight=weight, random_state=seed)


def _save(model, out, console):
    try:
        mlwright.save(model, out)
    except TypeError as error:
        raise CommandError(f"--out {out}: {error}") from error
    console.print(f"Model:  [bold]{out}[/] ({_show.size(out.stat().st_size)})")
