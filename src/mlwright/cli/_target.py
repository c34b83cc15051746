"""What kind of target a column is, and which rows can be used."""

from dataclasses import dataclass

import polars as pl

from mlwright.cli._errors import CommandError

# Whole numbers with at most so many different values are taken as names of classes.
_MOST_NUMERIC_CLASSES = 10
_MOST_CLASSES = 100


@dataclass(frozen=True)
class Task:
    """A table without its target and weights, these, and what was decided about them."""

    kind: str  # "classification" or "regression"
    X: pl.DataFrame
    y: pl.Series
    weight: pl.Series | None
    notes: list[str]

    @property
    def is_classification(self):
        return self.kind == "classification"

    def weights_of(self, rows):
        """float64 ndarray of the weights of rows, or None."""
        return None if self.weight is None else self.weight[rows].to_numpy()


def prepare(table, target, task, weight=None):
    """Split off the target and the weights; leave out rows that say nothing about the target.

    Parameters
    ----------
    table : polars.DataFrame
    target : str
    task : {"auto", "classification", "regression"}
    weight : str or None

    Returns
    -------
    Task
    """
    if target not in table.columns:
        raise CommandError(f"--target {target}: no such column; the table has {_names(table.columns)}")
    others = [name for name in table.columns if name not in (target, weight)]
    if not others:
        raise CommandError(f"--target {target}: the table has no other column to predict it from")
    notes = []
    if weight is not None:
        table = _weighed(table, weight, target, notes)
    y = table[target]
    if y.dtype.is_float():
        y = y.fill_nan(None)
    if y.null_count() == len(y):
        raise CommandError(f"--target {target}: every cell is missing; nothing can be learnt")
    if y.null_count():
        notes.append(f"{y.null_count()} rows without a target are left out")
        table = table.filter(y.is_not_null())
        y = y.drop_nulls()
    kind = _kind(y, task)
    if kind == "classification":
        rows, class_notes = _frequent_classes(y)
        table, y, notes = table.filter(rows), y.filter(rows), notes + class_notes
    elif not y.cast(pl.Float64).is_finite().all():
        raise CommandError(f"--target {target}: holds infinite numbers; leave these rows out")
    elif y.n_unique() == 1:
        raise CommandError(f"--target {target}: has the same value {y[0]} in every row; nothing can be learnt")
    if len(y) < 10:
        raise CommandError(f"the table has {len(y)} rows with a target; at least 10 are needed to fit and to check")
    weights = None if weight is None else table[weight].cast(pl.Float64)
    return Task(kind, table.select(others), _plain(y, kind), weights, notes)


def _weighed(table, weight, target, notes):
    """The rows that weigh something."""
    if weight not in table.columns:
        raise CommandError(f"--weight {weight}: no such column; the table has {_names(table.columns)}")
    if weight == target:
        raise CommandError(f"--weight {weight}: is the target; name another column")
    weights = table[weight]
    if not weights.dtype.is_numeric():
        raise CommandError(f"--weight {weight}: holds {weights.dtype}; expected numbers")
    if weights.null_count() or not weights.cast(pl.Float64).is_finite().all() or weights.min() < 0:
        raise CommandError(f"--weight {weight}: has cells that are missing, infinite or below 0; leave their rows out")
    if weights.max() == 0:
        raise CommandError(f"--weight {weight}: is 0 in every row; nothing can be learnt")
    if n_zeros := int((weights == 0).sum()):
        notes.append(f"{n_zeros} rows of weight 0 are left out")
    notes.append(f"rows count by {weight}, in fits and scores; pictures count each once")
    return table.filter(weights > 0)


def _kind(y, task):
    name, dtype = y.name, y.dtype
    is_text = dtype in (pl.String, pl.Categorical, pl.Enum, pl.Boolean)
    if not is_text and not dtype.is_numeric():
        raise CommandError(f"--target {name}: holds {dtype}; expected numbers, text or true and false")
    if task == "regression" and is_text:
        raise CommandError(f"--task regression: the target {name} holds {dtype}, not numbers")
    if task != "auto":
        return task
    if is_text:
        return "classification"
    numbers = y.unique()
    is_whole = bool((numbers.cast(pl.Float64) % 1 == 0).all())
    return "classification" if is_whole and len(numbers) <= _MOST_NUMERIC_CLASSES else "regression"


def _frequent_classes(y):
    """Rows of classes with at least three rows: one to check on and two to learn from."""
    counts = y.value_counts()
    question = "; is --task regression meant?" if y.dtype.is_numeric() else ""
    if len(counts) > _MOST_CLASSES:
        raise CommandError(
            f"--target {y.name}: has {len(counts)} classes in {len(y)} rows; at most {_MOST_CLASSES} are supported"
            + question
        )
    rare = counts.filter(pl.col("count") < 3)[y.name]
    if len(counts) == 1:
        raise CommandError(f"--target {y.name}: has only one class, {y[0]!r}; at least two are needed")
    if len(counts) - len(rare) < 2:
        raise CommandError(f"--target {y.name}: has fewer than two classes with at least 3 rows each{question}")
    notes = [f"class {label} has fewer than 3 rows and is left out" for label in rare.sort()]
    return ~y.is_in(rare.implode()), notes


def _plain(y, kind):
    if kind == "regression":
        return y.cast(pl.Float64)
    # Classes are what people call them: words, true and false, 1 and 2 even where missing cells made floats of them.
    return (y.cast(pl.Int64) if y.dtype.is_float() else y).cast(pl.String)


def _names(columns):
    shown = ", ".join(columns[:12])
    return shown if len(columns) <= 12 else f"{shown}, … ({len(columns)} in all)"
