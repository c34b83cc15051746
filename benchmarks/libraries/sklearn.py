"""scikit-learn, with its fastest admissible solver for each task."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from joblib import parallel_config
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNetCV,
    HuberRegressor,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskLassoCV,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    RidgeCV,
    SGDClassifier,
    TweedieRegressor,
    lasso_path,
)
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import OneHotEncoder

from benchmarks.clusters import FromFirstRows
from benchmarks.levels import EachLevel
from benchmarks.paths import LassoPath

Settings = Mapping[str, Any]


class TwoProcesses:
    """Fits of one thread each, two at a time: told how many threads there are, joblib gives both to each process."""

    def __init__(self, model):
        self._model = model

    def fit(self, X, y):
        with parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
            self._model.fit(X, y)
        return self

    def __getattr__(self, name):
        return getattr(self._model, name)


def trees(settings: Settings) -> dict[str, Any]:
    """Defaults but for what the problem fixes; early stopping off, so that everyone grows as many trees."""
    return {
        "max_iter": settings["n_trees"],
        "max_leaf_nodes": settings["n_leaves"],
        "learning_rate": settings["learning_rate"],
        "max_bins": 255,
        "early_stopping": False,
        "random_state": 0,
    }


def as_float64(data: dict[str, Any]) -> dict[str, Any]:
    """Its binning works on float64; given float32 it would copy within the clock."""
    return data | {name: np.asarray(data[name], dtype=np.float64) for name in ("X", "X_test")}


def path(settings: Settings):
    """Without a Gram matrix, of which 100,000 columns have no use."""
    options = {"tol": settings["tol"], "max_iter": 100_000, "precompute": False}
    return LassoPath(settings, lambda X, y, alphas: lasso_path(X, y, alphas=alphas, **options)[1])


def k_means(X, start, settings):
    """Lloyd's algorithm, its default."""
    k, n_iter = settings["n_clusters"], settings["max_iter"]
    return KMeans(k, init=start, n_init=1, max_iter=n_iter, tol=0.0).fit(X).cluster_centers_


def quantiles(settings: Settings):
    def fit_one(level, X, y):
        return QuantileRegressor(quantile=level, alpha=0.0, solver="highs").fit(X, y).predict

    return EachLevel(fit_one, settings["quantiles"])


def one_hot(data: dict[str, Any]) -> dict[str, Any]:
    """One-hot columns, sparse, made outside the clock."""
    encoder = make_column_transformer((OneHotEncoder(), [f"c{j}" for j in range(8)]), remainder="passthrough")
    encoder.fit(data["X"])
    return data | {name: csr_matrix(encoder.transform(data[name])) for name in ("X", "X_test")}


MODELS = {
    "k_means": lambda settings: FromFirstRows(settings, k_means),
    "pca": lambda settings: PCA(settings["n_components"], svd_solver="covariance_eigh"),
    "truncated_svd": lambda settings: TruncatedSVD(settings["n_components"], random_state=0),
    # newton-cholesky is its fastest solver as long as the Hessian is small.
    "logistic": lambda settings: LogisticRegression(
        C=settings["C"], tol=settings["tol"], max_iter=10_000, solver=settings.get("sklearn_solver", "newton-cholesky")
    ),
    "elastic_net_classes": lambda settings: LogisticRegression(
        C=settings["C"], l1_ratio=settings["l1_ratio"], solver="saga", tol=settings["tol"], max_iter=10_000
    ),
    # lbfgs with a fold on each thread takes less than newton-cholesky, and a third of one fold on both threads.
    "logistic_cv": lambda settings: TwoProcesses(
        LogisticRegressionCV(l1_ratios=(0,), scoring="accuracy", use_legacy_attributes=False, max_iter=10_000, n_jobs=2)
    ),
    "poisson": lambda settings: PoissonRegressor(alpha=settings["alpha"], tol=settings["tol"], max_iter=10_000),
    # On sparse one-hot columns; newton-cholesky takes longer, on dense ones twenty times as long.
    "policies": lambda settings: TweedieRegressor(
        power=settings["power"], alpha=settings["alpha"], link="log", max_iter=10_000, tol=settings["tol"]
    ),
    "linear_quantiles": quantiles,
    "lasso": lambda settings: Lasso(settings["alpha"], tol=settings["tol"], precompute=True),
    # Folds on both threads; a Gram matrix of each, which is its faster way for many more rows than columns.
    "lasso_cv": lambda settings: LassoCV(tol=settings["tol"], cv=5, n_jobs=2, precompute=True),
    "elastic_net_cv": lambda settings: ElasticNetCV(**settings, n_jobs=2, precompute=True),
    "lasso_path": path,
    "least_squares": lambda settings: LinearRegression(),
    "ridge": lambda settings: Ridge(alpha=settings["alpha"], solver="cholesky"),
    "ridge_cv": lambda settings: RidgeCV(**settings),
    # Two fits at a time take half the time of one after the other on both threads.
    "ridge_search": lambda settings: TwoProcesses(
        GridSearchCV(Ridge(solver="cholesky"), settings["grid"], cv=settings["cv"], n_jobs=2)
    ),
    "multi_task_lasso_cv": lambda settings: MultiTaskLassoCV(tol=settings["tol"], n_jobs=2, max_iter=10_000),
    "huber": lambda settings: HuberRegressor(max_iter=1000, **settings),
    "sgd_classifier": lambda settings: SGDClassifier(max_iter=1, tol=None, random_state=0, **settings),
    "bayesian_gaussian_mixture": lambda settings: BayesianGaussianMixture(**settings),
    "gaussian_mixture": lambda settings: GaussianMixture(**settings),
    "gaussian_process": lambda settings: GaussianProcessRegressor(**settings),
    "ard": lambda settings: ARDRegression(),
    "bayesian_ridge": lambda settings: BayesianRidge(tol=settings["tol"]),
    "boosted_classifier": lambda settings: HistGradientBoostingClassifier(**trees(settings)),
    # Pandas categories are its categorical features by default.
    "table_classifier": lambda settings: HistGradientBoostingClassifier(**trees(settings)),
    "table_regressor": lambda settings: HistGradientBoostingRegressor(**trees(settings)),
}
PREPARE = {"boosted_classifier": as_float64, "policies": one_hot}
