"""K-means from a start that all libraries share, and what its answer is worth."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_ROWS = 10_000  # looked at at once


class FromFirstRows:
    """A library's k-means whose first centres are the first rows.

    Parameters
    ----------
    settings : mapping
        ``n_clusters`` and ``max_iter``.
    run : callable
        ``run(X, start, settings)`` returns the centres.
    """

    def __init__(
        self, settings: Mapping[str, Any], run: Callable[[np.ndarray, np.ndarray, Mapping[str, Any]], np.ndarray]
    ):
        self.settings, self.run = settings, run

    def fit(self, X, y=None):
        start = np.ascontiguousarray(X[: self.settings["n_clusters"]])
        self.cluster_centers_ = self.run(X, start, self.settings)
        return self


def inertia(model: Any, data: Mapping[str, Any]) -> float:
    """Mean squared distance of the rows to the nearest centre, in float64."""
    centers = np.asarray(model.cluster_centers_, dtype=np.float64)
    total = 0.0
    for begin in range(0, len(data["X"]), _ROWS):
        X = data["X"][begin : begin + _ROWS]
        squared = (X * X).sum(axis=1)[:, None] - 2.0 * (X @ centers.T) + (centers * centers).sum(axis=1)
        total += np.maximum(squared.min(axis=1), 0.0).sum()
    return total / len(data["X"])


def explained(model: Any, data: Mapping[str, Any]) -> float:
    """Sum of squares that the components explain: of the singular values, which all libraries report."""
    return float((np.asarray(model.singular_values_, dtype=np.float64) ** 2).sum())
