"""K-means, principal components, and the singular vectors of texts."""

from functools import partial
from typing import Any

import numpy as np

from benchmarks import clusters, data
from benchmarks.problem import Goal, Metric, Problem


def blobs(quick: bool, *, n: int, p: int, groups: int) -> dict[str, Any]:
    """Twice as many overlapping groups as there are clusters to be found, so that centres go on moving."""
    n = n // 50 if quick else n
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + 2.0 * rng.standard_normal((groups, p))[rng.integers(0, groups, n)]
    return {"X": X, "y": np.zeros(n)}


def table(quick: bool) -> dict[str, Any]:
    rows = data.linear(10_000 if quick else 500_000, 100)
    rows["X"] *= 0.97 ** np.arange(100)
    return {"X": rows["X"], "y": rows["y"]}


def text(quick: bool) -> dict[str, Any]:
    rows = data.text(2_000 if quick else 20_000, 10_000 if quick else 100_000, n_test=1)
    return {"X": rows["X"], "y": rows["y"]}


def k_means(name: str, n: int, p: int, k: int, goal: Goal) -> Problem:
    peers = ("sklearn", "sklearnex", "faiss")
    return Problem(
        name=name,
        title=f"k-means, {n:,} x {p}, {k} clusters, 30 iterations from one start: fit",
        task="k_means",
        data=partial(blobs, n=n, p=p, groups=2 * k),
        timed="fit",
        libraries=("mlwright", *peers),
        metrics=(Metric("inertia", clusters.inertia, rtol=1e-3),),
        goals=dict.fromkeys(peers, goal),
        settings={"n_clusters": k, "max_iter": 30},
        rounds=3,
    )


PROBLEMS = (
    k_means("kmeans_narrow", 1_000_000, 10, 50, Goal(2, 8)),
    k_means("kmeans_medium", 500_000, 20, 100, Goal(1.5, 5)),
    k_means("kmeans_wide", 70_000, 784, 100, Goal(1.2, 2.5)),
    Problem(
        name="pca",
        title="PCA, 500,000 x 100, 20 components: fit",
        task="pca",
        data=table,
        timed="fit",
        libraries=("mlwright", "sklearn", "sklearnex"),
        metrics=(Metric("explained", clusters.explained, rtol=1e-8),),
        goals={"sklearn": Goal(1.2, 2)},
        settings={"n_components": 20},
    ),
    Problem(
        name="text_svd",
        title="TruncatedSVD, sparse text 20,000 x 100,000, 100 components: fit",
        task="truncated_svd",
        data=text,
        timed="fit",
        libraries=("mlwright", "sklearn"),
        metrics=(Metric("explained", clusters.explained, rtol=1e-3),),
        goals={"sklearn": Goal(1.5, 5)},
        settings={"n_components": 100},
        rounds=3,
    ),
)
