"""Small fitted examples of every class that a model file can hold.

The round trips, copies, fuzz and robustness tests run over :func:`fitted_examples`; a registered class without an
example fails the suite.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
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
    """

    name: str
    new: Callable[[], Any] = field(repr=False)
    X: Any = field(repr=False)
    y: Any = field(repr=False)

    def make(self) -> Any:
        """The fitted model."""
        return self.new().fit(self.X, self.y)

    @property
    def registered_name(self) -> str:
        return self.name.partition(":")[0]


def outputs(model: Any, X: Any) -> dict[str, Any]:
    """What the model says of `X` by each of its prediction methods; a refusal (ValueError) as its text."""
    methods = ("predict", "predict_proba", "decision_function", "transform", "predict_interval")
    return {method: _said(getattr(model, method), X) for method in methods if hasattr(model, method)}


def _said(method: Callable[[Any], Any], X: Any) -> Any:
    try:
        return method(X)
    except ValueError as error:
        return str(error)


def fitted_examples() -> list[Example]:
    """The examples; imports the estimators."""
    linear = [*_linear_models(), *_ridge_classifiers(), *_sparse_models(), *_task_models(), *_robust_models(), *_glms()]
    others = [*_encoders(), *_mixtures(), *_clusters(), *_decompositions(), *_pipelines(), *_tabular()]
    return [*linear, *_bayesian(), *_gaussian_processes(), *_boosting(), *_bart(), *_imported(), *others]


def _numbers(n: int = 40, p: int = 3) -> np.ndarray:
    return np.random.RandomState(0).standard_normal((n, p))


def _table() -> np.ndarray:
    """A table (30, 5) of numbers, words, booleans, dates and nothing, with missing cells."""
    rng = np.random.RandomState(0)
    numbers = [None if i % 7 == 0 else float(x) for i, x in enumerate(rng.standard_normal(30))]
    words = [None if i % 11 == 0 else word for i, word in enumerate(rng.choice(["red", "blüe", "", "grey"], 30))]
    days = [np.datetime64("2024-02-27T06:00") + np.timedelta64(5 * i, "h") for i in range(30)]
    columns = [numbers, words, [i % 3 == 0 for i in range(30)], days, [None] * 30]
    return np.array([list(row) for row in zip(*columns, strict=True)], dtype=object)


def _linear_models() -> list[Example]:
    from mlwright.linear_model import ARDRegression, BayesianRidge, LinearRegression, Ridge, RidgeCV

    X = _numbers()
    y = X @ [1.0, -2.0, 0.5] + 3.0 + _numbers(p=1)[:, 0]
    both = np.column_stack([y, -y])
    wide = _numbers(n=4, p=520)
    penalised = {"": {}, "positive": {"positive": True}, "svd": {"solver": "svd"}}
    chosen = {"": {}, "folds": {"cv": 3}, "kept": {"store_cv_results": True}}
    return [
        *_variants("linear_model.LinearRegression", LinearRegression, {"": {}, "positive": {"positive": True}}, X, y),
        Example("linear_model.LinearRegression:targets", LinearRegression, X.astype(np.float32), both),
        Example("linear_model.LinearRegression:wide", LinearRegression, wide, y[:4]),
        *_variants("linear_model.Ridge", Ridge, penalised, X, y),
        Example("linear_model.Ridge:targets", partial(Ridge, alpha=np.array([0.1, 2.0])), X, both),
        Example("linear_model.Ridge:wide", partial(Ridge, alpha=np.float32(0.1), random_state=3), wide, y[:4]),
        *_variants("linear_model.RidgeCV", RidgeCV, chosen, X, y),
        Example("linear_model.RidgeCV:targets", partial(RidgeCV, alpha_per_target=True), X.astype(np.float32), both),
        *_variants("linear_model.BayesianRidge", BayesianRidge, {"": {}, "scores": {"compute_score": True}}, X, y),
        Example("linear_model.BayesianRidge:scored", partial(BayesianRidge, compute_loo=True), X, y),
        Example("linear_model.ARDRegression", partial(ARDRegression, compute_score=True), X, y),
        Example("linear_model.ARDRegression:empty", partial(ARDRegression, threshold_lambda=1e-9), X, y),
        Example("linear_model.ARDRegression:wide", partial(ARDRegression, scale_invariant=True), wide, y[:4]),
        Example("linear_model.BayesianRidge:wide", BayesianRidge, wide.astype(np.float32), y[:4]),
    ]


def _ridge_classifiers() -> list[Example]:
    from mlwright.linear_model import RidgeClassifier, RidgeClassifierCV

    X = _numbers()
    score = X @ [1.0, -2.0, 0.5]
    words = np.array(["low", "middle", "high"])[np.digitize(score, [-1.0, 1.0])]
    chosen = {"": {}, "folds": {"cv": 2}, "kept": {"store_cv_results": True, "class_weight": "balanced"}}
    return [
        Example("linear_model.RidgeClassifier", RidgeClassifier, X, score > 0),
        Example("linear_model.RidgeClassifier:classes", RidgeClassifier, X.astype(np.float32), words),
        Example("linear_model.RidgeClassifier:labels", partial(RidgeClassifier, alpha=2.0), X, (X > 0).astype(int)),
        *_variants("linear_model.RidgeClassifierCV", RidgeClassifierCV, chosen, X, words),
    ]


def _bayesian() -> list[Example]:
    from mlwright.bayes import (
        BayesianGLM,
        BayesianLinearRegression,
        BayesianLogisticRegression,
        BayesianPoissonRegressor,
        HorseshoeRegressor,
        NormalInverseGammaRegressor,
        SpikeSlabRegressor,
    )

    X = _numbers()
    y = X @ [1.0, -2.0, 0.5] + 3.0 + _numbers(p=1)[:, 0]
    flat = {"prior_precision": 0.0, "noise_shape": 0.0, "noise_rate": 0.0}
    conjugate = {"": {}, "flat": flat, "scored": {"compute_loo": True, "fit_intercept": False}}
    chains = {"method": "sample", "chains": 4, "draws": 400, "warm_up": 100, "random_state": 0}
    return [
        *_variants("bayes.NormalInverseGammaRegressor", NormalInverseGammaRegressor, conjugate, X, y),
        Example("bayes.BayesianLinearRegression", partial(BayesianLinearRegression, compute_loo=True), X, y),
        Example("bayes.BayesianLinearRegression:wide", BayesianLinearRegression, _numbers(n=4, p=520), y[:4]),
        Example("bayes.BayesianGLM", partial(BayesianGLM, random_state=0), X, y),
        Example(
            "bayes.BayesianGLM:groups",
            partial(BayesianGLM, group_effects=[2, (0, 2)], group_prior="half_normal", draws=2000, random_state=0),
            np.column_stack([X[:, :2], np.arange(len(X)) % 8]),
            y,
        ),
        Example(
            "bayes.BayesianLogisticRegression",
            partial(BayesianLogisticRegression, random_state=0),
            X,
            np.where(y > 3.0, "high", "low"),
        ),
        Example(
            "bayes.BayesianPoissonRegressor",
            partial(BayesianPoissonRegressor, random_state=0, fit_intercept=False),
            X,
            np.floor(np.abs(y)),
        ),
        Example(
            "bayes.HorseshoeRegressor",
            partial(
                HorseshoeRegressor, chains=1, draws=2500, warm_up=200, global_scale=1.0, slab_scale=4.0, random_state=0
            ),
            X,
            y,
        ),
        *_variants("bayes.SpikeSlabRegressor", SpikeSlabRegressor, {"": {}, "chains": chains}, X, y),
    ]


def _sparse_models() -> list[Example]:
    from mlwright.linear_model import (
        ElasticNet,
        ElasticNetCV,
        Lasso,
        LassoCV,
        LassoLarsIC,
        PenalizedRegression,
        PenalizedRegressionCV,
    )

    X = _numbers()
    y = X @ [1.0, -2.0, 0.5] + 3.0 + _numbers(p=1)[:, 0]
    both = np.column_stack([y, -y])
    grid = {"alphas": 5, "cv": 3}
    return [
        Example("linear_model.Lasso", partial(Lasso, alpha=0.1), X, y),
        Example("linear_model.Lasso:wide", partial(Lasso, alpha=0.5), _numbers(n=6, p=520), y[:6]),
        Example("linear_model.ElasticNet", partial(ElasticNet, alpha=0.1), X, y),
        Example("linear_model.ElasticNet:targets", partial(ElasticNet, alpha=0.1), X.astype(np.float32), both),
        Example("linear_model.LassoLarsIC", LassoLarsIC, X, y),
        Example("linear_model.PenalizedRegression", partial(PenalizedRegression, "mcp", 0.1), X, y),
        Example(
            "linear_model.PenalizedRegression:groups",
            partial(PenalizedRegression, "sparse_group_lasso", 0.1, groups=["a", "a", "b"], l1_ratio=0.9),
            X.astype(np.float32),
            y,
        ),
        Example("linear_model.PenalizedRegressionCV", partial(PenalizedRegressionCV, **grid), X, y),
        Example("linear_model.PenalizedRegressionCV:mcp", partial(PenalizedRegressionCV, "mcp", **grid), X, y),
        Example("linear_model.LassoCV", partial(LassoCV, **grid), X, y),
        Example("linear_model.ElasticNetCV", partial(ElasticNetCV, l1_ratio=[0.5, 1.0], **grid), X, y),
    ]


def _task_models() -> list[Example]:
    from mlwright.linear_model import MultiTaskElasticNet, MultiTaskElasticNetCV, MultiTaskLasso, MultiTaskLassoCV

    X = _numbers()
    Y = X @ np.array([[1.0, 0.0], [-2.0, 1.0], [0.0, 0.0]]) + 3.0 + _numbers(p=2)
    grid = {"alphas": 5, "cv": 3}
    return [
        Example("linear_model.MultiTaskElasticNet", partial(MultiTaskElasticNet, alpha=0.1), X.astype(np.float32), Y),
        Example("linear_model.MultiTaskLasso", partial(MultiTaskLasso, alpha=0.1), X, Y),
        Example("linear_model.MultiTaskLasso:wide", partial(MultiTaskLasso, alpha=0.5), _numbers(n=6, p=520), Y[:6]),
        Example("linear_model.MultiTaskLassoCV", partial(MultiTaskLassoCV, **grid), X, Y),
        Example(
            "linear_model.MultiTaskElasticNetCV", partial(MultiTaskElasticNetCV, l1_ratio=[0.5, 1.0], **grid), X, Y
        ),
    ]


def _robust_models() -> list[Example]:
    from mlwright.linear_model import HuberRegressor, QuantileRegressor, SGDClassifier, SGDRegressor

    X = _numbers()
    y = X @ [1.0, -2.0, 0.5] + 3.0 + _numbers(p=1)[:, 0]
    averaged = {"average": 10, "penalty": "elasticnet"}
    several = {"quantile": [0.05, 0.5, 0.95], "alpha": 0.01, "solver_options": {"tol": 1e-9}}
    return [
        *_variants("linear_model.QuantileRegressor", QuantileRegressor, {"": {}, "several": several}, X, y),
        *_variants("linear_model.HuberRegressor", HuberRegressor, {"": {}, "flat": {"fit_intercept": False}}, X, y),
        *_variants(
            "linear_model.SGDRegressor", partial(SGDRegressor, random_state=0), {"": {}, "mean": averaged}, X, y
        ),
        Example("linear_model.SGDRegressor:wide", partial(SGDRegressor, random_state=0), _numbers(n=4, p=6), y[:4]),
        Example("linear_model.SGDClassifier", partial(SGDClassifier, random_state=0), X, y > 3.0),
        Example(
            "linear_model.SGDClassifier:words",
            partial(SGDClassifier, loss="log_loss", random_state=0, **averaged),
            X.astype(np.float32),
            np.array(["low", "middle", "high"])[np.digitize(y, [2.0, 4.0])],
        ),
        Example("linear_model.QuantileRegressor:flat", partial(QuantileRegressor, fit_intercept=False), X, y),
    ]


def _gaussian_processes() -> list[Example]:
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel

    from mlwright.gaussian_process import GaussianProcessRegressor

    X = _numbers()
    y = X[:, 0] + np.sin(X[:, 1])
    by_column = ConstantKernel(2.0, "fixed") * RBF([1.0] * X.shape[1]) + WhiteKernel(0.1)
    smooth = 2.0 * Matern(nu=1.5) + WhiteKernel(0.1)
    still = {"optimizer": None, "alpha": 0.1}
    variants = {
        "": {"kernel": ConstantKernel() * RBF() + WhiteKernel(0.1, "fixed"), "normalize_y": True, "compute_loo": True},
        "by column": {"kernel": by_column, **still},
        "powers": {"kernel": DotProduct() ** 2 + RBF(), **still},
        "vecchia": {"kernel": smooth, "solver": "vecchia", "n_neighbors": 4, **still},
    }
    name, targets = "gaussian_process.GaussianProcessRegressor", np.column_stack([y, X[:, 0]])
    series = partial(GaussianProcessRegressor, kernel=smooth, solver="state_space", **still)
    return [
        *_variants(name, GaussianProcessRegressor, variants, X, y),
        Example(f"{name}:series", series, X[:, :1], y),
        Example(f"{name}:targets", partial(GaussianProcessRegressor, kernel=smooth, **still), X, targets),
    ]


def _mixtures() -> list[Example]:
    from mlwright.mixture import BayesianGaussianMixture, GaussianMixture

    X, holes = _numbers(), _numbers()
    y = np.zeros(len(X))  # ignored
    holes[::5, 1] = np.nan
    shared = {"n_components": 2, "max_iter": 3, "tol": 1e3, "reg_covar": 0.1, "random_state": 0}
    types = {name: {"covariance_type": name, **shared} for name in ("full", "tied", "diag", "spherical")}
    dirichlet = {"dirichlet": {"weight_concentration_prior_type": "dirichlet_distribution", **shared}}
    return [
        *_variants("mixture.GaussianMixture", GaussianMixture, types, X, y),
        *_variants("mixture.GaussianMixture", GaussianMixture, {"holes": shared}, holes, y),
        *_variants("mixture.BayesianGaussianMixture", BayesianGaussianMixture, {**types, **dirichlet}, X, y),
    ]


def _encoders() -> list[Example]:
    from mlwright.preprocessing import StandardScaler, TableEncoder

    X = _table()
    y = np.arange(30) % 3
    holes = _numbers()
    holes[::5, 1] = np.nan
    scalers = {"": {}, "still": {"with_mean": False, "with_std": False}, "spread": {"with_mean": False}}
    variants = {
        "onehot": {},
        "ordinal": {"categories": "ordinal", "missing": "keep", "scale": False, "datetimes": "parts"},
        "target": {"categories": "target", "dtype": "float32", "max_categories": 3, "handle_unknown": "error"},
    }
    return [
        *_variants("preprocessing.TableEncoder", TableEncoder, variants, X, y),
        *_variants("preprocessing.StandardScaler", StandardScaler, scalers, _numbers(), np.arange(40.0)),
        Example("preprocessing.StandardScaler:holes", StandardScaler, holes.astype(np.float32), np.arange(40.0)),
    ]


def _clusters() -> list[Example]:
    from mlwright.cluster import KMeans, MiniBatchKMeans

    X, y = _numbers(), np.arange(40.0)
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


def _decompositions() -> list[Example]:
    from mlwright.decomposition import PCA, TruncatedSVD

    X, y, wide = _numbers(), np.arange(40.0), _numbers(12, 30)
    truncated = {"n_components": 3, "random_state": 0}
    return [
        *_variants("decomposition.PCA", PCA, {"": {}, "whiten": {"n_components": 2, "whiten": True}}, X, y),
        Example("decomposition.PCA:full", partial(PCA, 0.9, svd_solver="full"), X.astype(np.float32), y),
        Example("decomposition.PCA:random", partial(PCA, svd_solver="randomized", **truncated), wide, y[:12]),
        Example("decomposition.TruncatedSVD", TruncatedSVD, X, y),
        Example("decomposition.TruncatedSVD:wide", partial(TruncatedSVD, **truncated), wide, y[:12]),
    ]


def _glms() -> list[Example]:
    from mlwright.linear_model import (
        GammaRegressor,
        GeneralizedLinearRegressor,
        LogisticRegression,
        LogisticRegressionCV,
        PoissonRegressor,
        TweedieRegressor,
    )

    X = _numbers()
    score = X @ [1.0, -2.0, 0.5]
    labels = np.array(["no", "yes", "perhaps"], dtype=object)[(score > 0).astype(int) + (score > 2)]
    noisy = np.roll(labels, 1)  # not separable, so the fit keeps standard errors
    amounts = np.exp(score / 4)
    return [
        Example("linear_model.LogisticRegression", LogisticRegression, X, score > 0),
        Example("linear_model.LogisticRegression:classes", LogisticRegression, X.astype(np.float32), labels),
        Example("linear_model.LogisticRegression:errors", partial(LogisticRegression, C=np.inf), X, noisy),
        Example("linear_model.LogisticRegressionCV", partial(LogisticRegressionCV, Cs=3, cv=2), X, score > 0),
        Example("linear_model.PoissonRegressor", PoissonRegressor, X, np.rint(amounts)),
        Example("linear_model.GammaRegressor", partial(GammaRegressor, fit_intercept=False), X, amounts),
        Example(
            "linear_model.GeneralizedLinearRegressor",
            partial(GeneralizedLinearRegressor, "negative_binomial", alpha=0.01, l1_ratio=0.5),
            X,
            np.rint(amounts**2),
        ),
        Example("linear_model.TweedieRegressor", partial(TweedieRegressor, power=1.5), X, amounts),
    ]


def _boosting() -> list[Example]:
    from mlwright.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingDistributionRegressor,
        HistGradientBoostingQuantileRegressor,
        HistGradientBoostingRegressor,
    )

    X = _numbers(60)
    X[::7, 1] = np.nan
    score = np.nan_to_num(X).sum(axis=1)
    small = {"max_iter": 3, "max_leaf_nodes": 4, "min_samples_leaf": 5, "random_state": 0}
    return [
        Example("ensemble.HistGradientBoostingRegressor", partial(HistGradientBoostingRegressor, **small), X, score),
        Example(
            "ensemble.HistGradientBoostingRegressor:quantile",
            partial(HistGradientBoostingRegressor, loss="quantile", quantile=0.7, early_stopping=True, **small),
            X,
            score,
        ),
        Example(
            "ensemble.HistGradientBoostingQuantileRegressor",
            partial(HistGradientBoostingQuantileRegressor, (0.05, 0.5, 0.95), **small),
            X,
            score,
        ),
        Example(
            "ensemble.HistGradientBoostingDistributionRegressor",
            partial(HistGradientBoostingDistributionRegressor, **small),
            X,
            score,
        ),
        Example(
            "ensemble.HistGradientBoostingClassifier:binary",
            partial(HistGradientBoostingClassifier, early_stopping=True, **small),
            X,
            np.where(score > 0, "high", "low"),
        ),
        Example(
            "ensemble.HistGradientBoostingClassifier:multiclass",
            partial(HistGradientBoostingClassifier, **small),
            X,
            np.digitize(score, [-1.0, 1.0]),
        ),
        *_boosting_categories(small),
    ]


def _boosting_categories(small: dict[str, Any]) -> list[Example]:
    """Models that hold categories: as sets of codes, as words, and ordered where there are too many for a set."""
    from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    coded = _coded()
    words = np.array([[float(row[0]), f"level {int(row[3])}"] for row in coded], dtype=object)
    many = np.column_stack([_numbers(600, 1), np.arange(600) % 300])
    regressor = partial(HistGradientBoostingRegressor, **small)
    return [
        Example(
            "ensemble.HistGradientBoostingRegressor:categories",
            partial(regressor, categorical_features=[3]),
            coded,
            coded[:, 0] + (coded[:, 3] % 2),
        ),
        Example(
            "ensemble.HistGradientBoostingRegressor:many",
            partial(regressor, categorical_features=[1]),
            many,
            many[:, 0] + many[:, 1] % 7,
        ),
        Example(
            "ensemble.HistGradientBoostingClassifier:words",
            partial(HistGradientBoostingClassifier, categorical_features=[1], **small),
            words,
            np.where(coded[:, 3] % 2 + coded[:, 0] > 0.5, "high", "low"),
        ),
    ]


def _bart() -> list[Example]:
    from mlwright.bayes import BARTClassifier, BARTRegressor

    X = _coded()
    X[::7, 1] = np.nan
    score = np.nan_to_num(X[:, :3]).sum(axis=1)
    small = {"n_trees": 3, "burn_in": 5, "draws": 3, "chains": 2, "random_state": 0, "categorical_features": [3]}
    return [
        Example("bayes.BARTRegressor", partial(BARTRegressor, **small), X, score),
        Example(
            "bayes.BARTRegressor:scored",
            partial(BARTRegressor, compute_loo=True, k=100.0, **small | {"categorical_features": None, "draws": 100}),
            _numbers(),
            score[:40],
        ),
        Example("bayes.BARTClassifier", partial(BARTClassifier, **small), X, np.where(score > 0, "high", "low")),
        Example("bayes.BARTClassifier:classes", partial(BARTClassifier, **small), X, np.digitize(score, [-1.0, 1.0])),
    ]


def _imported() -> list[Example]:
    """Models of scikit-learn's; they come fitted."""
    from mlwright.deploy import from_model

    names = ["deploy.ImportedClassifier:forest", "deploy.ImportedRegressor:categories"]
    return [Example(name, lambda name=name: from_model(_sources()[name]), _coded(), None) for name in names]


def _coded() -> np.ndarray:
    return np.column_stack([_numbers(60), np.arange(60) % 5])


@cache
def _sources() -> dict[str, Any]:
    """What the imported models come from, fitted once."""
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier

    X = _coded()
    score = X[:, :3].sum(axis=1)
    small = {"max_iter": 3, "max_leaf_nodes": 4, "min_samples_leaf": 5, "random_state": 0}
    forest = RandomForestClassifier(3, max_depth=3, random_state=0)
    boosting = HistGradientBoostingRegressor(loss="poisson", categorical_features=[3], **small)
    return {
        "deploy.ImportedClassifier:forest": forest.fit(X, np.digitize(score, [-1.0, 1.0])),
        "deploy.ImportedRegressor:categories": boosting.fit(X, np.exp(score) + X[:, 3]),
    }


def _pipelines() -> list[Example]:
    from sklearn.pipeline import Pipeline

    from mlwright.linear_model import Ridge
    from mlwright.preprocessing import TableEncoder

    X, table = _numbers(), _table()
    return [
        Example("sklearn.pipeline.Pipeline:passthrough", lambda: Pipeline([("pass", "passthrough")]), X, None),
        Example(
            "sklearn.pipeline.Pipeline:table",
            lambda: Pipeline([("encode", TableEncoder()), ("predict", Ridge())]),
            table,
            np.arange(len(table)) % 7 - 3.0,
        ),
    ]


def _tabular() -> list[Example]:
    from mlwright.linear_model import BayesianRidge
    from mlwright.tabular import (
        BaselineClassifier,
        BaselineRegressor,
        IRLSClassifier,
        TabularClassifier,
        TabularRegressor,
    )

    X = _numbers()
    y = X @ [1.0, -2.0, 0.5] + 0.1 * _numbers(p=1)[:, 0]
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


def _variants(name: str, cls: type, variants: dict[str, dict[str, Any]], X: Any, y: Any) -> list[Example]:
    items = variants.items()
    return [Example(f"{name}:{key}".rstrip(":"), partial(cls, **parameters), X, y) for key, parameters in items]
