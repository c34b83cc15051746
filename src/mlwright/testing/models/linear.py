"""Examples of linear models."""

from functools import partial

import numpy as np

from mlwright.testing.models.example import Example, numbers, variants_of


def linear_models() -> list[Example]:
    from mlwright.linear_model import ARDRegression, BayesianRidge, LinearRegression, Ridge, RidgeCV

    X = numbers()
    y = X @ [1.0, -2.0, 0.5] + 3.0 + numbers(p=1)[:, 0]
    both = np.column_stack([y, -y])
    wide = numbers(n=4, p=520)
    penalised = {"": {}, "positive": {"positive": True}, "svd": {"solver": "svd"}}
    chosen = {"": {}, "folds": {"cv": 3}, "kept": {"store_cv_results": True}}
    return [
        *variants_of("linear_model.LinearRegression", LinearRegression, {"": {}, "positive": {"positive": True}}, X, y),
        Example("linear_model.LinearRegression:targets", LinearRegression, X.astype(np.float32), both),
        Example("linear_model.LinearRegression:wide", LinearRegression, wide, y[:4]),
        *variants_of("linear_model.Ridge", Ridge, penalised, X, y),
        Example("linear_model.Ridge:targets", partial(Ridge, alpha=np.array([0.1, 2.0])), X, both),
        Example("linear_model.Ridge:wide", partial(Ridge, alpha=np.float32(0.1), random_state=3), wide, y[:4]),
        *variants_of("linear_model.RidgeCV", RidgeCV, chosen, X, y),
        Example("linear_model.RidgeCV:streamed", partial(RidgeCV, cv=3), X, both, by="partial_fit"),
        Example("linear_model.RidgeCV:targets", partial(RidgeCV, alpha_per_target=True), X.astype(np.float32), both),
        *variants_of("linear_model.BayesianRidge", BayesianRidge, {"": {}, "scores": {"compute_score": True}}, X, y),
        Example("linear_model.BayesianRidge:scored", partial(BayesianRidge, compute_loo=True), X, y),
        Example("linear_model.ARDRegression", partial(ARDRegression, compute_score=True), X, y),
        Example("linear_model.ARDRegression:empty", partial(ARDRegression, threshold_lambda=1e-9), X, y[::-1].copy()),
        Example("linear_model.ARDRegression:wide", partial(ARDRegression, scale_invariant=True), wide, y[:4]),
        Example("linear_model.BayesianRidge:wide", BayesianRidge, wide.astype(np.float32), y[:4]),
    ]


def ridge_classifiers() -> list[Example]:
    from mlwright.linear_model import RidgeClassifier, RidgeClassifierCV

    X = numbers()
    score = X @ [1.0, -2.0, 0.5]
    words = np.array(["low", "middle", "high"])[np.digitize(score, [-1.0, 1.0])]
    chosen = {"": {}, "folds": {"cv": 2}, "kept": {"store_cv_results": True, "class_weight": "balanced"}}
    return [
        Example("linear_model.RidgeClassifier", RidgeClassifier, X, score > 0),
        Example("linear_model.RidgeClassifier:classes", RidgeClassifier, X.astype(np.float32), words),
        Example("linear_model.RidgeClassifier:labels", partial(RidgeClassifier, alpha=2.0), X, (X > 0).astype(int)),
        *variants_of("linear_model.RidgeClassifierCV", RidgeClassifierCV, chosen, X, words),
        Example("linear_model.RidgeClassifierCV:streamed", partial(RidgeClassifierCV, cv=3), X, words, "partial_fit"),
    ]


def sparse_models() -> list[Example]:
    from mlwright.linear_model import (
        ElasticNet,
        ElasticNetCV,
        Lasso,
        LassoCV,
        LassoLarsIC,
        PenalizedRegression,
        PenalizedRegressionCV,
    )

    X = numbers()
    y = X @ [1.0, -2.0, 0.5] + 3.0 + numbers(p=1)[:, 0]
    both = np.column_stack([y, -y])
    grid = {"alphas": 5, "cv": 3}
    return [
        Example("linear_model.Lasso", partial(Lasso, alpha=0.1), X, y),
        Example("linear_model.Lasso:wide", partial(Lasso, alpha=0.5), numbers(n=6, p=520), y[:6]),
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
        Example("linear_model.LassoCV:streamed", partial(LassoCV, **grid), X, y, by="partial_fit"),
        Example("linear_model.ElasticNetCV", partial(ElasticNetCV, l1_ratio=[0.5, 1.0], **grid), X, y),
    ]


def task_models() -> list[Example]:
    from mlwright.linear_model import MultiTaskElasticNet, MultiTaskElasticNetCV, MultiTaskLasso, MultiTaskLassoCV

    X = numbers()
    Y = X @ np.array([[1.0, 0.0], [-2.0, 1.0], [0.0, 0.0]]) + 3.0 + numbers(p=2)
    grid = {"alphas": 5, "cv": 3}
    return [
        Example("linear_model.MultiTaskElasticNet", partial(MultiTaskElasticNet, alpha=0.1), X.astype(np.float32), Y),
        Example("linear_model.MultiTaskLasso", partial(MultiTaskLasso, alpha=0.1), X, Y),
        Example("linear_model.MultiTaskLasso:wide", partial(MultiTaskLasso, alpha=0.5), numbers(n=6, p=520), Y[:6]),
        Example("linear_model.MultiTaskLassoCV", partial(MultiTaskLassoCV, **grid), X, Y),
        Example(
            "linear_model.MultiTaskElasticNetCV", partial(MultiTaskElasticNetCV, l1_ratio=[0.5, 1.0], **grid), X, Y
        ),
    ]


def robust_models() -> list[Example]:
    from mlwright.linear_model import HuberRegressor, QuantileRegressor, SGDClassifier, SGDRegressor

    X = numbers()
    y = X @ [1.0, -2.0, 0.5] + 3.0 + numbers(p=1)[:, 0]
    averaged = {"average": 10, "penalty": "elasticnet"}
    several = {"quantile": [0.05, 0.5, 0.95], "alpha": 0.01, "solver_options": {"tol": 1e-9}}
    return [
        *variants_of("linear_model.QuantileRegressor", QuantileRegressor, {"": {}, "several": several}, X, y),
        *variants_of("linear_model.HuberRegressor", HuberRegressor, {"": {}, "flat": {"fit_intercept": False}}, X, y),
        *variants_of(
            "linear_model.SGDRegressor", partial(SGDRegressor, random_state=0), {"": {}, "mean": averaged}, X, y
        ),
        Example("linear_model.SGDRegressor:wide", partial(SGDRegressor, random_state=0), numbers(n=4, p=6), y[:4]),
        Example("linear_model.SGDClassifier", partial(SGDClassifier, random_state=0), X, y > 3.0),
        Example(
            "linear_model.SGDClassifier:words",
            partial(SGDClassifier, loss="log_loss", random_state=0, **averaged),
            X.astype(np.float32),
            np.array(["low", "middle", "high"])[np.digitize(y, [2.0, 4.0])],
        ),
        Example("linear_model.QuantileRegressor:flat", partial(QuantileRegressor, fit_intercept=False), X, y),
    ]


def glms() -> list[Example]:
    from mlwright.linear_model import (
        GammaRegressor,
        GeneralizedLinearRegressor,
        LogisticRegression,
        LogisticRegressionCV,
        PoissonRegressor,
        TweedieRegressor,
    )

    X = numbers()
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
