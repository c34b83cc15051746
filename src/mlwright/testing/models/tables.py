"""Examples of what works on columns and tables: encoders, clusters, decompositions, pipelines, searches."""

from functools import partial

import numpy as np

from mlwright.testing.models.example import Example, mixed_table, numbers, variants_of


def encoders() -> list[Example]:
    from mlwright.preprocessing import StandardScaler, TableEncoder

    X = mixed_table()
    y = np.arange(30) % 3
    holes = numbers()
    holes[::5, 1] = np.nan
    scalers = {"": {}, "still": {"with_mean": False, "with_std": False}, "spread": {"with_mean": False}}
    variants = {
        "onehot": {},
        "ordinal": {"categories": "ordinal", "missing": "keep", "scale": False, "datetimes": "parts"},
        "target": {"categories": "target", "dtype": "float32", "max_categories": 3, "handle_unknown": "error"},
    }
    return [
        *variants_of("preprocessing.TableEncoder", TableEncoder, variants, X, y),
        *variants_of("preprocessing.StandardScaler", StandardScaler, scalers, numbers(), np.arange(40.0)),
        Example("preprocessing.StandardScaler:holes", StandardScaler, holes.astype(np.float32), np.arange(40.0)),
    ]


def clusters() -> list[Example]:
    from mlwright.cluster import KMeans, MiniBatchKMeans

    X, y = numbers(), np.arange(40.0)
    few = partial(KMeans, 3, random_state=0)
    return [
        Example("cluster.KMeans", few, X, y),
        Example("cluster.KMeans:random", partial(few, init="random", n_init=2), X.astype(np.float32), y),
        Example("cluster.KMeans:given", partial(KMeans, 2, init=X[:2]), X, y),
        Example("cluster.MiniBatchKMeans", partial(MiniBatchKMeans, 3, random_state=0, max_iter=3), X, y),
        Example(
            "cluster.MiniBatchKMeans:unlabelled",
            partial(MiniBatchKMeans, 2, random_state=0, batch_size=10, compute_labels=False),
            X.astype(np.float32),
            y,
        ),
    ]


def decompositions() -> list[Example]:
    from mlwright.decomposition import PCA, TruncatedSVD

    X, y, wide = numbers(), np.arange(40.0), numbers(12, 30)
    truncated = {"n_components": 3, "random_state": 0}
    return [
        *variants_of("decomposition.PCA", PCA, {"": {}, "whiten": {"n_components": 2, "whiten": True}}, X, y),
        Example("decomposition.PCA:full", partial(PCA, 0.9, svd_solver="full"), X.astype(np.float32), y),
        Example("decomposition.PCA:random", partial(PCA, svd_solver="randomized", **truncated), wide, y[:12]),
        Example("decomposition.TruncatedSVD", TruncatedSVD, X, y),
        Example("decomposition.TruncatedSVD:wide", partial(TruncatedSVD, **truncated), wide, y[:12]),
    ]


def pipelines() -> list[Example]:
    from sklearn.pipeline import Pipeline

    from mlwright.linear_model import Ridge
    from mlwright.preprocessing import TableEncoder

    X, table = numbers(), mixed_table()
    return [
        Example("sklearn.pipeline.Pipeline:passthrough", lambda: Pipeline([("pass", "passthrough")]), X, None),
        Example(
            "sklearn.pipeline.Pipeline:table",
            lambda: Pipeline([("encode", TableEncoder()), ("predict", Ridge())]),
            table,
            np.arange(len(table)) % 7 - 3.0,
        ),
    ]


def tabular() -> list[Example]:
    from mlwright.linear_model import BayesianRidge
    from mlwright.tabular import (
        BaselineClassifier,
        BaselineRegressor,
        IRLSClassifier,
        TabularClassifier,
        TabularRegressor,
    )

    X = numbers()
    y = X @ [1.0, -2.0, 0.5] + 0.1 * numbers(p=1)[:, 0]
    labels = np.array(["no", "yes", "perhaps"], dtype=object)[(y > 0).astype(int) + (y > 2)]
    small = {"candidates": ["linear"], "cv": 2}
    return [
        Example("tabular.BaselineRegressor", BaselineRegressor, X, y),
        Example("tabular.BaselineClassifier", BaselineClassifier, X, labels),
        Example("tabular.IRLSClassifier", IRLSClassifier, X, labels),
        Example("tabular.IRLSClassifier:bayesian", partial(IRLSClassifier, BayesianRidge()), X, y > 0),
        Example("tabular.TabularRegressor", partial(TabularRegressor, **small), X, y),
        Example("tabular.TabularClassifier", partial(TabularClassifier, **small), X, labels),
    ]
