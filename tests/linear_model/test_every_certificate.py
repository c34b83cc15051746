"""Every convex fit certifies itself in the same words, and what it says holds when it is worked out again by NumPy."""

import inspect
import re

import numpy as np
import pytest
from scipy import optimize
from sklearn.base import is_classifier

import mlwright.linear_model as lm

#: Whose fits have no certificate, and why.
WITHOUT = {
    "ARDRegression": "the evidence is not concave",
    "BayesianRidge": "the evidence is not concave",
    "SGDClassifier": "ends where an epoch gains little, which is no optimum",
    "SGDRegressor": "ends where an epoch gains little, which is no optimum",
}
RNG = np.random.default_rng(0)
X = RNG.standard_normal((160, 5)) * [1.0, 100.0, 1e-3, 3.0, 1.0] + [0.0, 50.0, 1.0, -2.0, 0.5]
SIGNAL = (X - X.mean(axis=0)) / X.std(axis=0) @ [1.0, -0.5, 0.3, 0.0, 0.2]
Y = SIGNAL + 0.5 * RNG.standard_normal(160) + 3.0
BOTH = np.column_stack([Y, 0.5 * SIGNAL + RNG.standard_normal(160)])
COUNTS = RNG.poisson(np.exp(0.4 * SIGNAL)).astype(float)
POSITIVE = RNG.gamma(2.0, np.exp(0.4 * SIGNAL)) + 1e-3
TWO = (RNG.random(160) < 1.0 / (1.0 + np.exp(-SIGNAL))).astype(int)
THREE = (SIGNAL[:, None] * [-1.0, 0.0, 1.0] + RNG.gumbel(size=(160, 3))).argmax(axis=1)
W = RNG.integers(1, 4, 160).astype(float)

CASES = [
    (lm.LinearRegression(), Y),
    (lm.LinearRegression(fit_intercept=False), BOTH),
    (lm.LinearRegression(positive=True), Y),
    (lm.Ridge(2.0), Y),
    (lm.Ridge([0.5, 3.0]), BOTH),
    (lm.Ridge(2.0, positive=True), Y),
    (lm.Ridge(2.0, solver="svd"), Y),
    (lm.RidgeCV(), Y),
    (lm.RidgeCV(alpha_per_target=True), BOTH),
    (lm.RidgeCV(cv=3), Y),
    (lm.RidgeClassifier(), TWO),
    (lm.RidgeClassifier(), THREE),
    (lm.RidgeClassifierCV(), THREE),
    (lm.RidgeClassifierCV(cv=3), TWO),
    (lm.Lasso(0.1), Y),
    (lm.ElasticNet(0.1, tol=1e-6), BOTH),
    (lm.ElasticNet(0.1, positive=True), Y),
    (lm.LassoCV(alphas=20), Y),
    (lm.LassoCV(cv="alo", alphas=20), Y),
    (lm.ElasticNetCV(alphas=20), Y),
    (lm.LassoLarsIC(), Y),
    (lm.LassoLarsIC(positive=True), Y),
    (lm.MultiTaskLasso(0.1), BOTH),
    (lm.MultiTaskElasticNet(0.1), BOTH),
    (lm.MultiTaskLassoCV(alphas=10), BOTH),
    (lm.MultiTaskElasticNetCV(alphas=10), BOTH),
    (lm.PenalizedRegression(alpha=0.1, l1_ratio=0.7), Y),
    (lm.PenalizedRegression("group_lasso", alpha=0.1, groups=[0, 0, 1, 1, 2]), Y),
    (lm.PenalizedRegression("mcp", alpha=0.1), Y),
    (lm.PenalizedRegressionCV(alphas=10, l1_ratio=[0.5, 1.0]), Y),
    (lm.PoissonRegressor(alpha=0.1), COUNTS),
    (lm.GammaRegressor(alpha=0.1), POSITIVE),
    (lm.TweedieRegressor(power=1.5, alpha=0.1, link="log"), COUNTS),
    (lm.GeneralizedLinearRegressor("poisson", alpha=0.05, l1_ratio=0.5), COUNTS),
    (lm.GeneralizedLinearRegressor("gamma"), POSITIVE),
    (lm.LogisticRegression(C=0.5), TWO),
    (lm.LogisticRegression(C=0.5, l1_ratio=0.5, solver="saga"), TWO),
    (lm.LogisticRegression(C=0.5), THREE),
    (lm.LogisticRegression(C=0.5, l1_ratio=1.0, solver="saga"), THREE),
    (lm.LogisticRegressionCV(Cs=3, cv=3, l1_ratios=(0.0,), use_legacy_attributes=False), TWO),
    (lm.QuantileRegressor(alpha=0.01), Y),
    (lm.QuantileRegressor(quantile=[0.2, 0.7], alpha=0.0), Y),
    (lm.HuberRegressor(alpha=0.1), Y),
]  # fmt: skip


def name_of(case):
    return re.sub(r"\s+", "", repr(case[0]))


def test_no_estimator_is_forgotten():
    classes = {name for name in lm.__all__ if inspect.isclass(getattr(lm, name))}
    assert {type(model).__name__ for model, _ in CASES} | set(WITHOUT) == classes


def smooth_and_penalty(model, y, w):
    """The objective as its docstring has it: a function of (coef, intercept), and (l1, l2) a coefficient."""
    alpha, total = getattr(model, "alpha_", getattr(model, "alpha", 0.0)), w.sum()
    kind = type(model).__name__
    if kind.startswith("Logistic"):
        return log_loss(y, w), *logistic_penalty(model, total)
    if isinstance(model, (lm.LinearRegression, lm.Ridge, lm.RidgeCV, lm.RidgeClassifier, lm.RidgeClassifierCV)):
        return squares(signs(model, y) if is_classifier(model) else y, w), 0.0, np.atleast_1d(alpha) * 2.0
    ratio = getattr(model, "l1_ratio_", getattr(model, "l1_ratio", 1.0))
    if isinstance(model, (lm.PoissonRegressor, lm.GammaRegressor, lm.TweedieRegressor, lm.GeneralizedLinearRegressor)):
        return half_deviance(model, y, w), alpha * ratio, alpha * (1.0 - ratio)
    if isinstance(model, lm.QuantileRegressor):
        return pinball(model, y, w), alpha, 0.0
    if isinstance(model, lm.HuberRegressor):
        return huber(model, y, w), 0.0, 2.0 * alpha
    return (lambda eta: squares(y, w)(eta) / (2.0 * total)), alpha * ratio, alpha * (1.0 - ratio)


def signs(model, y):
    """The targets of ridge regression of classes."""
    classes = model.classes_[1:] if len(model.classes_) == 2 else model.classes_
    return np.where(y[:, None] == classes, 1.0, -1.0)


def squares(y, w):
    target = y if y.ndim == 2 else y[:, None]
    return lambda eta: (w[:, None] * (target - eta) ** 2).sum(axis=0)


def log_loss(y, w):
    def value(eta):
        eta = np.column_stack([np.zeros(len(y)), eta]) if eta.shape[1] == 1 else eta
        return (w * (np.logaddexp.reduce(eta, axis=1) - eta[np.arange(len(y)), y])).sum()

    return value


def logistic_penalty(model, total):
    C = np.ravel(getattr(model, "C_", model.C if hasattr(model, "C") else 1.0))[0]
    ratio = getattr(model, "l1_ratio_", getattr(model, "l1_ratio", 0.0))
    ratio = float(np.ravel(0.0 if ratio is None else ratio)[0])
    return ratio / C, (1.0 - ratio) / C


def half_deviance(model, y, w):
    law = model._law()
    power = {"poisson": 1.0, "gamma": 2.0}.get(law.name, getattr(model, "power", 1.5))

    def value(eta):
        mu = np.exp(eta[:, 0])
        if power == 1.0:
            unit = np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0) / mu), 0.0) - y + mu
        elif power == 2.0:
            unit = np.log(mu / y) + y / mu - 1.0
        else:
            unit = y ** (2 - power) / ((1 - power) * (2 - power)) - y * mu ** (1 - power) / (1 - power)
            unit += mu ** (2 - power) / (2 - power)
        return np.average(unit, weights=w)

    return value


def pinball(model, y, w):
    level = np.atleast_1d(model.quantile)

    def value(eta):
        residual = y[:, None] - eta
        return np.average(np.where(residual > 0, level * residual, (level - 1) * residual), axis=0, weights=w)

    return value


def huber(model, y, w):
    def value(eta):
        z = np.abs(y - eta[:, 0]) / model.scale_
        loss = np.where(z <= model.epsilon, z * z, 2 * model.epsilon * z - model.epsilon**2)
        return (w * model.scale_ * (1.0 + loss)).sum()

    return value


def penalty(model, coef, l1, l2):
    """Summed over features; one number a target where the targets are separate problems."""
    if isinstance(model, (lm.PenalizedRegression, lm.PenalizedRegressionCV)) and model.penalty != "elastic_net":
        return penalty_of_groups(model, coef[0])
    if "MultiTask" in type(model).__name__:
        return l1 * np.linalg.norm(coef, axis=0).sum() + l2 / 2 * (coef**2).sum()
    each = l1 * np.abs(coef).sum(axis=1) + l2 / 2 * (coef**2).sum(axis=1)
    return each.sum() if type(model).__name__.startswith("Logistic") else each


def penalty_of_groups(model, b):
    if model.penalty == "mcp":
        inside = np.minimum(np.abs(b), 3.0 * model.alpha)
        return (model.alpha * inside - inside**2 / 6.0).sum()
    groups = np.array(model.groups)
    return model.alpha * sum(np.sqrt((groups == g).sum()) * np.linalg.norm(b[groups == g]) for g in np.unique(groups))


def value_at(model, y, w, coef, intercept):
    smooth, l1, l2 = smooth_and_penalty(model, y, w)
    value = smooth(X @ coef.T + intercept)
    together = "MultiTask" in type(model).__name__
    return (value.sum() if together else value) + penalty(model, coef, l1, l2)


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.parametrize("weights", [False, True])
def test_certificates_hold(case, weights):
    model, y = case
    w = W if weights else np.ones(len(y))
    model.fit(X, y, sample_weight=W if weights else None)
    coef, intercept = np.atleast_2d(model.coef_), np.asarray(model.intercept_, dtype=float)
    objective = value_at(model, y, w, coef, intercept)
    np.testing.assert_allclose(np.ravel(model.objective_), np.ravel(objective), rtol=1e-9)
    assert isinstance(model.converged_, bool)
    assert model.converged_
    assert np.all(np.asarray(model.n_passes_) >= 1)
    assert hasattr(model, "dual_gap_") or hasattr(model, "kkt_violation_")
    gain = what_is_left(model, y, w, coef, intercept)
    size = size_of(model, y, w)
    if hasattr(model, "dual_gap_"):
        assert np.all(gain <= np.ravel(model.dual_gap_).sum() + 1e-12 * size)
        if hasattr(model, "tol"):
            assert np.all(model.dual_gap_ <= model.tol * size * (1 + 1e-9))
    else:
        assert model.kkt_violation_ <= getattr(model, "tol", 1e-6) + 1e-6
        assert gain <= 1e-6 * size or getattr(model, "penalty", None) == "mcp"  # stationary, no more


def size_of(model, y, w):
    """What the gap is relative to: mean squares of y about its mean where squares are minimised."""
    centred = y - np.average(y, axis=0, weights=w)
    squared = (lm.Lasso, lm.ElasticNet, lm.ElasticNetCV, lm.PenalizedRegression)
    if "MultiTask" in type(model).__name__ or isinstance(model, squared):
        return float(np.max(np.average(centred**2, axis=0, weights=w).sum()))
    return float(np.abs(np.sum(model.objective_))) + 1e-300


def what_is_left(model, y, w, coef, intercept):
    """How much lower moves along single coefficients get, of columns of unit spread."""
    now = np.sum(value_at(model, y, w, coef, intercept))
    spread, lowest = X.std(axis=0), now
    bound = getattr(model, "positive", False)
    for k, j in np.ndindex(coef.shape):
        for step in (1e-1, 1e-2, 1e-3, 1e-4):
            for sign in (-1.0, 1.0):
                other, start = coef.copy(), np.array(intercept, dtype=float)
                other[k, j] += sign * step / spread[j]
                if bound and other[k, j] < 0.0:
                    continue
                if model.fit_intercept:
                    start = np.atleast_1d(start).astype(float)
                    start[min(k, len(start) - 1)] -= sign * step / spread[j] * np.average(X[:, j], weights=w)
                lowest = min(lowest, np.sum(value_at(model, y, w, other, start)))
    return now - lowest


@pytest.mark.parametrize("model", [lm.LinearRegression(), lm.Ridge(1.5), lm.Ridge(0.0)], ids=repr)
@pytest.mark.parametrize("shape", ["tall", "wide", "collinear", "sparse", "wide sparse"])
def test_least_squares_by_every_route(model, shape):
    from scipy import sparse

    rng = np.random.default_rng(3)
    n, p = {"tall": (200, 6), "wide": (40, 600), "collinear": (300, 5), "sparse": (200, 30)}.get(shape, (700, 5000))
    A = rng.standard_normal((n, p))
    if shape == "collinear":
        A[:, 4] = A[:, 3] + 1e-7 * A[:, 4]
    if "sparse" in shape:
        A *= rng.random((n, p)) < (0.2 if p < 100 else 0.01)
    y, w = A[:, :3].sum(axis=1) + rng.standard_normal(n), rng.random(n) + 0.5
    given = sparse.csr_matrix(A) if "sparse" in shape else A
    if type(model) is lm.LinearRegression:
        model.set_params(tol=1e-12)
    model.fit(given, y, w)
    alpha = getattr(model, "alpha", 0.0)
    residual = y - A @ model.coef_ - model.intercept_
    objective = (w * residual**2).sum() + alpha * (model.coef_**2).sum()
    scale = (w * (y - np.average(y, weights=w)) ** 2).sum()
    assert model.objective_ == pytest.approx(objective, rel=1e-6, abs=1e-12 * scale)
    centred = A - np.average(A, axis=0, weights=w)
    slope = centred.T @ (w * residual) - alpha * model.coef_
    size = np.sqrt(((w[:, None] * centred**2).sum(axis=0) + alpha) * scale)
    violation = np.divide(np.abs(slope), size, out=np.zeros(p), where=size > 0.0)
    np.testing.assert_allclose(model.kkt_violation_, violation.max(), atol=1e-9)
    assert model.converged_
    assert model.n_passes_ >= 1


def test_a_direction_left_out_is_told():
    """Below `tol` a singular value is zero; where that costs something, the certificate says so, and no warning."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((50, 2)) * [1.0, 1e-4]
    y = A @ [1.0, 1e4]
    model = lm.LinearRegression(tol=1e-2).fit(A, y)
    assert not model.converged_
    assert model.kkt_violation_ > 0.1
    assert lm.LinearRegression(tol=1e-6).fit(A, y).converged_


def test_the_certificate_follows_the_rows():
    a, b = lm.Ridge(1.0).fit(X[:80], Y[:80]), lm.Ridge(1.0).fit(X, Y)
    a.partial_fit(X[80:], Y[80:])
    assert a.objective_ == pytest.approx(b.objective_, rel=1e-9)
    assert (a.converged_, a.n_passes_) == (True, 1)
    assert a.forget(X[80:], Y[80:]).objective_ == pytest.approx(lm.Ridge(1.0).fit(X[:80], Y[:80]).objective_, rel=1e-8)


def test_general_minimiser_finds_nothing_better():
    """The gap of a Lasso holds against a smooth reformulation solved by SciPy."""
    model, alpha = lm.Lasso(0.2, tol=1e-3).fit(X / X.std(axis=0), Y), 0.2
    Z = X / X.std(axis=0)
    Z, t = Z - Z.mean(axis=0), Y - Y.mean()

    def split(b):
        r = t - Z @ (b[:5] - b[5:])
        pull = -Z.T @ r / len(t)
        return r @ r / (2 * len(t)) + alpha * b.sum(), np.concatenate([pull, -pull]) + alpha

    least = optimize.minimize(split, np.zeros(10), jac=True, bounds=[(0, None)] * 10, tol=1e-14).fun
    assert model.objective_ - model.dual_gap_ <= least + 1e-12
    assert model.objective_ >= least - 1e-12
