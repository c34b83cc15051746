"""``make accuracy``: held-out loss of boosting against the peers', over many tables and seeds.

Speed at equal answers is judged problem by problem (:mod:`benchmarks.problem`); this asks the question behind it: over
tables of many kinds, are our trees as good as the best peer's? Each table is split three times at random; everyone fits
as many trees of the same size at the same learning rate, with its own defaults else. Classes are judged by log loss,
numbers by mean squared error.
"""

import json
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data, machine

RESULTS = Path(__file__).resolve().parent / "results"
LIBRARIES = ("mlwright", "sklearn", "lightgbm", "xgboost")
SETTINGS = {"n_trees": 100, "n_leaves": 31, "learning_rate": 0.1}
SEEDS = (0, 1, 2)
Arrays = Mapping[str, Any]


def from_csv(name: str, target: str) -> Callable[[int], Arrays]:
    return lambda seed: data.split_table(name, target, seed=seed)


def split(make: Callable[[int], tuple[Any, Any]]) -> Callable[[int], Arrays]:
    """Rows of ``make(seed)`` as pandas frames, a quarter of them held out."""

    def arrays(seed: int) -> Arrays:
        import pandas as pd
        from sklearn.model_selection import train_test_split

        X, y = make(seed)
        frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
        stratify = y if y.dtype.kind == "i" else None
        X, X_test, y, y_test = train_test_split(frame, y, test_size=0.25, random_state=seed, stratify=stratify)
        return {"X": X.reset_index(drop=True), "X_test": X_test.reset_index(drop=True), "y": y, "y_test": y_test}

    return arrays


def shipped(name: str) -> Callable[[int], Arrays]:
    """A table that scikit-learn ships."""

    def make(seed: int) -> tuple[Any, Any]:
        bunch = getattr(import_module("sklearn.datasets"), f"load_{name}")()
        y = bunch.target
        return bunch.data, y.astype(np.int64) if hasattr(bunch, "target_names") else y.astype(np.float64)

    return split(make)


def generated(name: str, **parameters: Any) -> Callable[[int], Arrays]:
    """A generator of scikit-learn's."""

    def make(seed: int) -> tuple[Any, Any]:
        X, y = getattr(import_module("sklearn.datasets"), f"make_{name}")(random_state=seed, **parameters)
        return X, np.unique(y, return_inverse=True)[1].astype(np.int64) if len(np.unique(y)) <= 20 else y

    return split(make)


def particles(seed: int) -> Arrays:
    import pandas as pd

    made = data.particles(30_000, seed=seed, n_test=10_000)
    return made | {name: pd.DataFrame(made[name]).add_prefix("x") for name in ("X", "X_test")}


#: The real tables: their files.
FILES = {name: name for name in ("electricity", "california", "diamonds")} | {"adult": "adult_train"}
TABLES: Mapping[str, tuple[str, Callable[[int], Arrays]]] = {
    "adult": ("classes", from_csv("adult_train", "income")),
    "electricity": ("classes", from_csv("electricity", "class")),
    "particles": ("classes", particles),
    "breast_cancer": ("classes", shipped("breast_cancer")),
    "digits": ("classes", shipped("digits")),
    "hastie": ("classes", generated("hastie_10_2", n_samples=12_000)),
    "clusters": (
        "classes",
        generated("classification", n_samples=10_000, n_features=20, n_informative=10, n_classes=4),
    ),
    "california": ("numbers", from_csv("california", "median_house_value")),
    "diamonds": ("numbers", from_csv("diamonds", "price")),
    "diabetes": ("numbers", shipped("diabetes")),
    "friedman1": ("numbers", generated("friedman1", n_samples=10_000, noise=1.0)),
    "friedman2": ("numbers", generated("friedman2", n_samples=10_000, noise=50.0)),
    "friedman3": ("numbers", generated("friedman3", n_samples=10_000, noise=0.1)),
}


def held_out_loss(model: Any, kind: str, arrays: Arrays) -> float:
    """Log loss of classes numbered 0, 1, ...; mean squared error of numbers."""
    y = np.asarray(arrays["y_test"])
    if kind == "numbers":
        return float(np.mean((np.ravel(model.predict(arrays["X_test"])) - y) ** 2))
    probability = np.asarray(model.predict_proba(arrays["X_test"]), dtype=np.float64)[np.arange(len(y)), y]
    return float(-np.log(probability.clip(1e-15)).mean())


def losses_of(table: str) -> dict[str, list[float]]:
    """Held-out losses by library, one a seed."""
    kind, arrays_of = TABLES[table]
    task = "table_classifier" if kind == "classes" else "table_regressor"
    losses: dict[str, list[float]] = {name: [] for name in LIBRARIES}
    for seed in SEEDS:
        arrays = arrays_of(seed)
        for name in LIBRARIES:
            model = import_module(f"benchmarks.libraries.{name}").MODELS[task](SETTINGS)
            losses[name].append(held_out_loss(model.fit(arrays["X"], arrays["y"]), kind, arrays))
    return losses


def report(losses: Mapping[str, Mapping[str, list[float]]]) -> str:
    """Markdown: mean loss over seeds by table and library, and ours over the best peer's."""
    lines = ["| table | " + " | ".join(LIBRARIES) + " | ours / best peer |", "|---" * (len(LIBRARIES) + 2) + "|"]
    ratios: dict[str, list[float]] = {name: [] for name in (*LIBRARIES[1:], "best peer")}
    for table, by_library in losses.items():
        mean = {name: float(np.mean(values)) for name, values in by_library.items()}
        best = min(mean[name] for name in LIBRARIES[1:])
        for name in LIBRARIES[1:]:
            ratios[name].append(mean["mlwright"] / mean[name])
        ratios["best peer"].append(mean["mlwright"] / best)
        cells = [table, *(f"{mean[name]:.5g}" for name in LIBRARIES), f"{mean['mlwright'] / best:.4f}"]
        lines.append(f"| {' | '.join(cells)} |")
    means = ", ".join(f"{name} {np.exp(np.mean(np.log(values))):.4f}" for name, values in ratios.items())
    title = f"Ours over theirs, geometric mean over {len(losses)} tables x {len(SEEDS)} seeds"
    return "\n".join([*lines, "", f"{title}: {means}", ""])


def main() -> None:
    warnings.filterwarnings("ignore", message="X does not have valid feature names")  # LightGBM, about its own frames
    losses = {}
    for table in TABLES:
        if table in FILES and data.missing_tables([FILES[table]]):
            print(f"{table}: skipped, the table is not present (set MLWRIGHT_DATA)")
            continue
        losses[table] = losses_of(table)
        print(table, {name: round(float(np.mean(values)), 6) for name, values in losses[table].items()}, flush=True)
    text = report(losses)
    print(text)
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    record = {"when": when, "machine": machine.describe(), "settings": SETTINGS, "losses": losses}
    (RESULTS / "accuracy.json").write_text(json.dumps(record, indent=1) + "\n")
    (RESULTS / "accuracy.md").write_text(f"# Held-out loss of boosting\n\n{when}; `make accuracy`.\n\n{text}")


if __name__ == "__main__":
    main()
