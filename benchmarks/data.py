"""Data of the problems: generators with fixed seeds, and the real tables where they are present."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

TABLES = Path(os.environ.get("MLWRIGHT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "tables"


def missing_tables(names: Sequence[str]) -> list[str]:
    """Those of the real tables that are not there."""
    return [name for name in names if not (TABLES / f"{name}.csv.gz").exists()]


def read_table(name: str) -> "pd.DataFrame":
    """A real table; text columns become pandas categories, which every boosting library takes."""
    import pandas as pd

    frame = pd.read_csv(TABLES / f"{name}.csv.gz")
    text = [column for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column])]
    return frame.astype(dict.fromkeys(text, "category"))


def linear(n: int, p: int, *, noise: float = 1.0, seed: int = 0, n_test: int = 2_000) -> dict[str, Any]:
    """A Gaussian design with means away from zero (so that centring matters), an intercept, and Gaussian noise.

    Returns ``X`` of shape (n, p) in C order, ``y``, and a test part of ``n_test`` rows; float64.
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n + n_test, p))
    X += rng.uniform(-2.0, 2.0, p)
    w = rng.standard_normal(p)
    y = X @ w + 3.0 + noise * rng.standard_normal(n + n_test)
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


def classes(n: int, p: int, n_classes: int, *, seed: int = 0, n_test: int = 2_000) -> dict[str, Any]:
    """Classes by linear scores of correlated columns (0.5 from one to the next) with means away from zero."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n + n_test, p))
    for j in range(1, p):
        X[:, j] = 0.5 * X[:, j - 1] + 0.75**0.5 * X[:, j]
    score = X @ rng.standard_normal((p, n_classes)) * (1.5 / np.sqrt(p))
    y = (score + rng.gumbel(size=score.shape)).argmax(axis=1)
    X += rng.uniform(-2.0, 2.0, p)
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


def counts(n: int, p: int, *, seed: int = 0, n_test: int = 2_000) -> dict[str, Any]:
    """Poisson counts by a log-linear mean of correlated columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n + n_test, p))
    for j in range(1, p):
        X[:, j] = 0.5 * X[:, j - 1] + 0.75**0.5 * X[:, j]
    y = rng.poisson(np.exp(X @ rng.standard_normal(p) * (0.4 / np.sqrt(p)) - 0.5)).astype(np.float64)
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


def text(n: int, p: int, *, length: int = 70, seed: int = 0, n_test: int = 2_000) -> dict[str, Any]:
    """Rows of words as frequent as Zipf's law says, weighed by rarity and of length one; CSR float64, two classes."""
    from scipy import sparse

    rng = np.random.default_rng(seed)
    total = n + n_test
    share = 1.0 / np.arange(1, p + 1)
    share /= share.sum()
    words = np.searchsorted(np.cumsum(share), rng.random(total * length)).clip(0, p - 1).astype(np.int32)
    rarity = -np.log(np.minimum(share * length, 0.9))
    pointer = np.arange(0, total * length + 1, length, dtype=np.int32)
    X = sparse.csr_matrix((rarity[words], words, pointer), shape=(total, p))
    X.sum_duplicates()
    X = (sparse.diags(1.0 / np.sqrt(X.multiply(X).sum(axis=1).A1)) @ X).tocsr()
    y = (rng.logistic(size=total) < X @ (3.0 * rng.standard_normal(p))).astype(np.int64)
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


def factors(n: int, p: int, *, n_factors: int = 100, seed: int = 0, n_test: int = 500) -> dict[str, Any]:
    """The p >> n shape of expression data: columns share a few factors, and the response has noise of variance 0.25.

    With independent columns the evidence would put all variance into the weights and call the noise zero; with factors
    its maximum is inside, and two implementations can be held to the same one.
    """
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((n + n_test, n_factors)) / np.sqrt(1.0 + np.arange(n_factors))
    X = scores @ rng.standard_normal((n_factors, p)) + 0.3 * rng.standard_normal((n + n_test, p))
    X /= np.sqrt(5.0)
    y = X @ (rng.standard_normal(p) / np.sqrt(p)) + 0.5 * rng.standard_normal(n + n_test)
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


def particles(n: int, p: int = 28, *, seed: int = 0, n_test: int = 100_000) -> dict[str, Any]:
    """Two classes in the manner of HIGGS: ``p`` numeric columns, half of them skewed, split by interactions and kinks.

    Values are representable in float32, so that libraries of either precision bin the same numbers. Every interaction
    has a main effect: a pure one is found by luck, and then libraries differ by which split came first.
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n + n_test, p), dtype=np.float32)
    X[:, p // 2 :] = np.exp(X[:, p // 2 :])  # masses and momenta are positive and skewed
    a, b = X[:, : p // 2], X[:, p // 2 :]
    score = a[:, 0] + 0.5 * a[:, 0] * a[:, 1] + np.abs(a[:, 2]) - np.maximum(a[:, 3], 0) * b[:, 0].clip(0, 3)
    score += np.sin(2 * a[:, 4]) + np.log(b[:, 1] / b[:, 2]) + a[:, 5] * (b[:, 3] > 1)
    score += 0.3 * a[:, 6] - 0.7 * (b[:, 4] * b[:, 5] > 1.5) - 0.2 * np.sqrt(b[:, 6])
    y = (rng.logistic(size=n + n_test) < score).astype(np.int64)
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


def indicators(n: int, *, groups: int = 50, levels: int = 200, seed: int = 0, n_test: int = 50_000) -> dict[str, Any]:
    """Two classes from categories as one-hot columns, CSR float64: ``groups`` of ``levels`` each."""
    from scipy import sparse

    rng = np.random.default_rng(seed)
    total = n + n_test
    share = 1.0 / (np.arange(levels) + 5.0)
    codes = np.stack([rng.choice(levels, total, p=share / share.sum()) for _ in range(groups)], axis=1)
    score = (0.4 * rng.normal(size=(groups, levels)))[np.arange(groups), codes].sum(axis=1)
    y = (rng.logistic(size=total) < score).astype(np.int64)
    columns = (codes + levels * np.arange(groups)).astype(np.int32)
    pointer = np.arange(0, total * groups + 1, groups, dtype=np.int32)
    X = sparse.csr_matrix((np.ones(total * groups), columns.ravel(), pointer), shape=(total, groups * levels))
    return {"X": X[:n], "y": y[:n], "X_test": X[n:], "y_test": y[n:]}


def wide(n: int, p: int = 500, *, seed: int = 0, n_test: int = 10_000) -> dict[str, Any]:
    """A regression on ``p`` float32 columns, a few dozen of which matter, by main effects, kinks and products."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n + n_test, p), dtype=np.float32)
    y = X[:, :20] @ rng.uniform(0.2, 1.0, 20) + np.abs(X[:, 20:30]).sum(axis=1) + np.sin(2 * X[:, 30:35]).sum(axis=1)
    y += 0.5 * X[:, 0] * X[:, 20] + rng.standard_normal(n + n_test)
    return {"X": X[:n], "y": y[:n].astype(np.float64), "X_test": X[n:], "y_test": y[n:]}


def shops(n: int, *, seed: int = 0, n_test: int = 100_000) -> dict[str, Any]:
    """Two classes by ten numbers and ten categorical columns of 50 to 50,000 levels, as frequent as Zipf's law says.

    Every level of every column has an effect of its own; three columns also change the slope of a number. Half the
    levels of the largest column have two rows or fewer. Levels are numbered at random.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    numbers = rng.standard_normal((n + n_test, 10), dtype=np.float32)
    a = numbers.T
    score = a[0] + 0.5 * a[0] * a[1] + np.abs(a[2]) - 0.8 + np.sin(2 * a[3]) + 0.5 * a[4]
    columns: dict[str, Any] = {f"x{j}": a[j] for j in range(10)}
    for j, n_levels in enumerate((50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000)):
        share = 1.0 / np.arange(1, n_levels + 1)
        level = np.searchsorted(np.cumsum(share / share.sum()), rng.random(n + n_test)).clip(0, n_levels - 1)
        score = score + rng.normal(scale=0.6, size=n_levels)[level]
        if j < 3:
            score = score + rng.normal(scale=0.5, size=n_levels)[level] * a[5 + j]
        columns[f"c{j}"] = pd.Categorical.from_codes(rng.permutation(n_levels)[level], categories=range(n_levels))
    table = pd.DataFrame(columns)
    y = (rng.logistic(size=n + n_test) < score).astype(np.int64)
    frames = {"X": table.iloc[:n].reset_index(drop=True), "X_test": table.iloc[n:].reset_index(drop=True)}
    return frames | {"y": y[:n], "y_test": y[n:]}


def policies(n: int, target: str, *, seed: int = 0, n_test: int = 2_000) -> dict[str, Any]:
    """Policies of a motor insurer: eight categorical columns of 2 to 100 levels, Zipf-like, and five numbers.

    ``target`` is ``"claims"``, Poisson counts of mean 0.1, or ``"premium"``, the sum of as many gamma amounts.
    """
    import pandas as pd

    rng, rows = np.random.default_rng(seed), n + n_test
    numbers = rng.standard_normal((rows, 5))
    columns: dict[str, Any] = {f"x{j}": numbers[:, j] for j in range(5)}
    eta = numbers @ rng.normal(scale=0.1, size=5) - 2.6
    for j, n_levels in enumerate((2, 3, 6, 11, 12, 22, 40, 100)):
        share = 1.0 / np.arange(1, n_levels + 1) ** 0.7
        level = rng.choice(n_levels, rows, p=share / share.sum())
        eta += rng.normal(scale=0.25, size=n_levels)[level]
        columns[f"c{j}"] = pd.Categorical.from_codes(level, categories=[f"{k:03d}" for k in range(n_levels)])
    table, y = pd.DataFrame(columns), rng.poisson(np.exp(eta)).astype(float)
    if target == "premium":
        y = np.where(y > 0, rng.gamma(np.maximum(y, 1.0)), 0.0) * np.exp(0.1 * numbers[:, 0])
    frames = {"X": table.iloc[:n].reset_index(drop=True), "X_test": table.iloc[n:].reset_index(drop=True)}
    return frames | {"y": y[:n], "y_test": y[n:]}


def split_table(name: str, target: str, *, seed: int = 0, test_share: float = 0.25) -> dict[str, Any]:
    """A real table cut at random into a part to fit and a part to judge; class labels become 0, 1, ... in order."""
    frame = read_table(name)
    y = frame[target].cat.codes if hasattr(frame[target], "cat") else frame[target]
    X, y = frame.drop(columns=target), y.to_numpy().astype(np.float64 if y.dtype.kind == "f" else np.int64)
    rows = np.random.default_rng(seed).permutation(len(frame))
    n_test = int(test_share * len(frame))
    test, train = rows[:n_test], rows[n_test:]
    frames = {"X": X.iloc[train].reset_index(drop=True), "X_test": X.iloc[test].reset_index(drop=True)}
    return frames | {"y": y[train], "y_test": y[test]}
