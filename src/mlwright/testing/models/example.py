"""What an example is, and the data that many share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Example:
    """A model and data to fit it to; `X` is also what it predicts or transforms.

    Parameters
    ----------
    name : str
        The class's name in `mlwright.io.registry`, and what is special about this example after a colon.
    new : callable
        Returns the unfitted model.
    X, y : object
        What `fit` takes.
    by : str
        The method that fits it.
    """

    name: str
    new: Callable[[], Any] = field(repr=False)
    X: Any = field(repr=False)
    y: Any = field(repr=False)
    by: str = "fit"

    def make(self) -> Any:
        """The fitted model."""
        return getattr(self.new(), self.by)(self.X, self.y)

    @property
    def registered_name(self) -> str:
        return self.name.partition(":")[0]


def numbers(n: int = 40, p: int = 3) -> np.ndarray:
    return np.random.RandomState(0).standard_normal((n, p))


def mixed_table() -> np.ndarray:
    """A table (30, 5) of numbers, words, booleans, dates and nothing, with missing cells."""
    rng = np.random.RandomState(0)
    numbers = [None if i % 7 == 0 else float(x) for i, x in enumerate(rng.standard_normal(30))]
    words = [None if i % 11 == 0 else word for i, word in enumerate(rng.choice(["red", "blüe", "", "grey"], 30))]
    days = [np.datetime64("2024-02-27T06:00") + np.timedelta64(5 * i, "h") for i in range(30)]
    columns = [numbers, words, [i % 3 == 0 for i in range(30)], days, [None] * 30]
    return np.array([list(row) for row in zip(*columns, strict=True)], dtype=object)


def variants_of(name: str, cls: type, variants: dict[str, dict[str, Any]], X: Any, y: Any) -> list[Example]:
    items = variants.items()
    return [Example(f"{name}:{key}".rstrip(":"), partial(cls, **parameters), X, y) for key, parameters in items]
