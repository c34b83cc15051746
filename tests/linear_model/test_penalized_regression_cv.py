"""PenalizedRegressionCV: the errors of separate fits, the grid's largest strength, ElasticNetCV where both apply."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.model_selection import KFold, ShuffleSplit

from mlwright.linear_model import ElasticNetCV, PenalizedRegression, PenalizedRegressionCV

GROUPS = [0, 0, 1, 1, 2, 2, 2]
KINDS = {
    "elastic_net": {"l1_ratio": [0.5, 0.9], "weights": [1.0, 2.0, 0.5, 1.0, 1.0, 1.0, 0.2]},
    "bounds": {"bounds": (0.0, None)},
    "free": {"weights": [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]},
    "group_lasso": {"groups": GROUPS},
    "sparse_group_lasso": {"groups": GROUPS, "sparsity": 0.4},
    "mcp": {},
    "scad": {"gamma": 4.0},
    "group mcp": {"penalty": "mcp", "groups": GROUPS},
    "scad not negative": {"penalty": "scad", "bounds": (0.0, None)},
}
TIGHT = {"tol": 1e-10, "max_iter": 20_000}


def data(n=120, p=7):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.3 * rng.standard_normal((p, p))) * [1, 10, 1e-2, 1, 5, 1, 1] + 2.0
    return X, X[:, :3] @ [1.0, -0.1, 50.0] + X[:, 5] + rng.standard_normal(n), rng.random(n) + 0.2


def penalty_of(kind):
    return kind if kind in ("group_lasso", "sparse_group_lasso", "mcp", "scad") else "elastic_net"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cv", [KFold(4), ShuffleSplit(3, test_size=0.3, random_state=0)], ids=["folds", "shuffled"])
def test_errors_are_those_of_separate_fits(kind, cv):
    X, y, w = data()
    settings = {"penalty": penalty_of(kind)} | KINDS[kind] | TIGHT
    alphas = [0.5, 0.05, 0.005]
    model = PenalizedRegressionCV(alphas=alphas, cv=cv, **settings).fit(X, y, w)
    ratios = np.atleast_1d(settings.pop("l1_ratio", 1.0))
    errors = np.empty((len(ratios), 3, cv.get_n_splits()))
    for r, ratio in enumerate(ratios):
        for f, (train, test) in enumerate(cv.split(X)):
            coef = None
            for a, alpha in enumerate(alphas):
                one = PenalizedRegression(alpha=alpha, l1_ratio=ratio, warm_start=coef is not None, **settings)
                if coef is not None:
                    one.coef_, one.intercept_, one.n_features_in_ = coef, 0.0, X.shape[1]
                coef = one.fit(X[train], y[train], w[train]).coef_
                errors[r, a, f] = np.average((y[test] - one.predict(X[test])) ** 2, weights=w[test])
    np.testing.assert_allclose(model.mse_path_, np.squeeze(errors), rtol=1e-5)
    r, a = np.unravel_index(errors.mean(axis=2).argmin(), errors.shape[:2])
    assert (model.alpha_, model.l1_ratio_) == (alphas[a], ratios[r])
    whole = PenalizedRegression(alpha=model.alpha_, l1_ratio=model.l1_ratio_, **settings).fit(X, y, w)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-6, atol=1e-9)
    assert model.objective_ == pytest.approx(whole.objective_)
    assert model.converged_
    assert model.predict_interval(X[:2]).shape == (2, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_the_grid_starts_where_all_coefficients_are_zero(kind):
    X, y, w = data()
    settings = {"penalty": penalty_of(kind)} | KINDS[kind] | TIGHT
    model = PenalizedRegressionCV(alphas=5, cv=3, **settings).fit(X, y, w)
    grid, ratios = np.atleast_2d(model.alphas_), np.atleast_1d(settings.pop("l1_ratio", 1.0))
    held = np.ones(7, dtype=bool) if kind != "free" else np.arange(7) > 0
    for alphas, ratio in zip(grid, ratios, strict=True):
        at, below = (
            PenalizedRegression(alpha=alphas[0] * factor, l1_ratio=ratio, **settings).fit(X, y, w).coef_[held]
            for factor in (1 + 1e-6, 0.95)
        )
        np.testing.assert_array_equal(at, 0.0)
        assert below.any() or "bounds" in KINDS[kind]


def test_agrees_with_the_elastic_net():
    X, y, w = data()
    common = {"l1_ratio": [0.3, 0.9], "alphas": 12, "cv": 4, "tol": 1e-9, "max_iter": 10_000}
    ours, theirs = (kind(**common).fit(sparse.csr_matrix(X), y, w) for kind in (PenalizedRegressionCV, ElasticNetCV))
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-6)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-8)


def test_what_it_refuses():
    X, y, _ = data()
    with pytest.raises(ValueError, match="groups: penalty='elastic_net' has none"):
        PenalizedRegressionCV(groups=GROUPS, cv=3).fit(X, y)
    with pytest.raises(ValueError, match="Automatic alpha grid"):
        PenalizedRegressionCV(l1_ratio=0.0).fit(X, y)
    with pytest.raises(AttributeError, match="fitted by fit, whose folds go by position"):
        PenalizedRegressionCV(alphas=3, cv=3).fit(X, y).partial_fit(X, y)
