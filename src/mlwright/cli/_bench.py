"""The work of ``mlwright bench``: mlwright beside scikit-learn in one process, a ratio only for equal answers.

A first look at what to expect on a machine; the project's own benchmarks (``benchmarks/`` in the repository) isolate
each library and compare with more of them.
"""

import gc
import platform
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np
import sklearn
import sklearn.ensemble
import sklearn.linear_model
from rich.table import Table
from sklearn.metrics import log_loss

import mlwright
from mlwright import ensemble, linear_model
from mlwright._runtime.threads import get_num_threads


@dataclass(frozen=True)
class Case:
    """One problem for both libraries.

    Parameters
    ----------
    name : str
    data : callable
        ``data(n_rows, n_columns)`` -> (X, y).
    shapes : dict of str to (int, int)
        Rows and columns, "quick" and "full".
    ours, theirs : callable
        Each makes an unfitted estimator.
    answer : callable
        ``answer(model, X, y)`` -> array to compare.
    tolerance : float
        Largest difference of the answers, relative to their largest entry.
    """

    name: str
    data: Callable
    shapes: dict
    ours: Callable
    theirs: Callable
    answer: Callable
    tolerance: float


@dataclass(frozen=True)
class Result:
    """Median seconds of both, and how far their answers are apart, relative to what is allowed."""

    ours: float
    theirs: float
    difference: float
    tolerance: float

    @property
    def is_equal(self):
        return self.difference <= self.tolerance


def _linear_data(n, p):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    return X, X @ rng.normal(size=p) + rng.normal(size=n)


def _class_data(n, p):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p)).astype(np.float32)
    eta = X[:, 0] - X[:, 1] * X[:, 2] + np.sin(3 * X[:, 3])
    return X, (eta + rng.logistic(size=n) > 0).astype(np.int64)


def _coefficients(model, X, y):
    return np.append(np.ravel(model.coef_), model.intercept_)


def _held_out_loss(model, X, y):
    """Log loss on rows like those of the fit; trees differ in rounding, their quality must not."""
    X_test, y_test = _class_data(len(y) // 4 + 1000, X.shape[1])
    return np.array([log_loss(y_test, model.predict_proba(X_test))])


_BOOSTING = {"max_iter": 50, "early_stopping": False, "random_state": 0}
CASES = [
    Case(
        "LinearRegression",
        _linear_data,
        {"quick": (50_000, 40), "full": (400_000, 80)},
        linear_model.LinearRegression,
        sklearn.linear_model.LinearRegression,
        _coefficients,
        1e-8,
    ),
    Case(
        "Ridge",
        _linear_data,
        {"quick": (50_000, 40), "full": (400_000, 80)},
        linear_model.Ridge,
        sklearn.linear_model.Ridge,
        _coefficients,
        1e-8,
    ),
    Case(
        "BayesianRidge",
        _linear_data,
        {"quick": (10_000, 40), "full": (100_000, 80)},
        linear_model.BayesianRidge,
        sklearn.linear_model.BayesianRidge,
        _coefficients,
        1e-4,
    ),
    Case(
        "HistGradientBoostingClassifier",
        _class_data,
        {"quick": (20_000, 10), "full": (300_000, 28)},
        lambda: ensemble.HistGradientBoostingClassifier(**_BOOSTING),
        lambda: sklearn.ensemble.HistGradientBoostingClassifier(**_BOOSTING),
        _held_out_loss,
        2e-2,
    ),
]


def run_case(case, size, repeats):
    """Fit both in turn, `repeats` times, after one fit each that does not count."""
    X, y = case.data(*case.shapes[size])
    models = {"ours": case.ours().fit(X, y), "theirs": case.theirs().fit(X, y)}
    seconds = {"ours": [], "theirs": []}
    for _ in range(repeats):
        for side, make in (("ours", case.ours), ("theirs", case.theirs)):
            gc.collect()
            model = make()
            start = perf_counter()
            model.fit(X, y)
            seconds[side].append(perf_counter() - start)
    ours, theirs = (case.answer(models[side], X, y) for side in ("ours", "theirs"))
    difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    return Result(median(seconds["ours"]), median(seconds["theirs"]), difference, case.tolerance)


def bench(*, quick, console):
    """Run all cases and show a table."""
    size, repeats = ("quick", 3) if quick else ("full", 5)
    console.print(
        f"mlwright {mlwright.__version__} beside scikit-learn {sklearn.__version__}, numpy {np.__version__}; "
        f"{platform.machine()}, {get_num_threads()} threads"
    )
    shown = Table(box=None, pad_edge=False)
    for header in ("fit", "rows x columns", "scikit-learn", "mlwright", "ratio", "answers"):
        shown.add_column(header, justify="left" if header == "fit" else "right")
    with console.status("") as status:
        for case in CASES:
            status.update(f"{case.name} ...")
            result = run_case(case, size, repeats)
            rows, columns = case.shapes[size]
            ratio = f"{result.theirs / result.ours:.1f} x" if result.is_equal else "-"
            answers = f"{'equal' if result.is_equal else 'DIFFER'} ({result.difference:.0e})"
            times = f"{result.theirs * 1e3:.1f} ms", f"{result.ours * 1e3:.1f} ms"
            shown.add_row(case.name, f"{rows:,} x {columns}", *times, ratio, answers)
    console.print(shown)
