"""Examples of models with posteriors, and of mixtures."""

from functools import partial

import numpy as np

from mlwright.testing.models.example import Example, numbers, variants_of


def bayesian() -> list[Example]:
    from mlwright.bayes import (
        BayesianGLM,
        BayesianLinearRegression,
        BayesianLogisticRegression,
        BayesianPoissonRegressor,
        HorseshoeRegressor,
        NormalInverseGammaRegressor,
        SpikeSlabRegressor,
    )

    X = numbers()
    y = X @ [1.0, -2.0, 0.5] + 3.0 + numbers(p=1)[:, 0]
    flat = {"prior_precision": 0.0, "noise_shape": 0.0, "noise_rate": 0.0}
    conjugate = {"": {}, "flat": flat, "scored": {"compute_loo": True, "fit_intercept": False}}
    chains = {"method": "sample", "chains": 4, "draws": 400, "warm_up": 100, "random_state": 0}
    return [
        *variants_of("bayes.NormalInverseGammaRegressor", NormalInverseGammaRegressor, conjugate, X, y),
        Example("bayes.BayesianLinearRegression", partial(BayesianLinearRegression, compute_loo=True), X, y),
        Example("bayes.BayesianLinearRegression:wide", BayesianLinearRegression, numbers(n=4, p=520), y[:4]),
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
        *variants_of("bayes.SpikeSlabRegressor", SpikeSlabRegressor, {"": {}, "chains": chains}, X, y),
    ]


def gaussian_processes() -> list[Example]:
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern, WhiteKernel

    from mlwright.gaussian_process import GaussianProcessRegressor

    X = numbers()
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
        *variants_of(name, GaussianProcessRegressor, variants, X, y),
        Example(f"{name}:series", series, X[:, :1], y),
        Example(f"{name}:targets", partial(GaussianProcessRegressor, kernel=smooth, **still), X, targets),
    ]


def mixtures() -> list[Example]:
    from mlwright.mixture import BayesianGaussianMixture, GaussianMixture

    X, holes = numbers(), numbers()
    y = np.zeros(len(X))  # ignored
    holes[::5, 1] = np.nan
    shared = {"n_components": 2, "max_iter": 3, "tol": 1e3, "reg_covar": 0.1, "random_state": 0}
    types = {name: {"covariance_type": name, **shared} for name in ("full", "tied", "diag", "spherical")}
    dirichlet = {"dirichlet": {"weight_concentration_prior_type": "dirichlet_distribution", **shared}}
    return [
        *variants_of("mixture.GaussianMixture", GaussianMixture, types, X, y),
        *variants_of("mixture.GaussianMixture", GaussianMixture, {"holes": shared}, holes, y),
        *variants_of("mixture.BayesianGaussianMixture", BayesianGaussianMixture, {**types, **dirichlet}, X, y),
    ]
