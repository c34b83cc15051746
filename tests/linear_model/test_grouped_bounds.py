"""Groups within bounds: against independent solvers, and the laws that bounds obey under every kind of penalty."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from mlwright._runtime import threads
from mlwright.linear_model import PenalizedRegression, PenalizedRegressionCV

TIGHT = {"tol": 1e-12, "max_iter": 20_000}
CONVEX = {
    "group": {"penalty": "group_lasso"},
    "group ridge": {"penalty": "group_lasso", "l1_ratio": 0.6},
    "sparse group": {"penalty": "sparse_group_lasso", "sparsity": 0.4, "weights": [1.0, 0.5, 2.0, 1.0, 1.0, 0.0, 1.0]},
    "sparse group ridge": {"penalty": "sparse_group_lasso", "sparsity": 0.5, "l1_ratio": 0.5},
}
CONCAVE = {"mcp": {"penalty": "mcp", "gamma": 6.0}, "scad": {"penalty": "scad", "gamma": 6.0}}
GROUPS = np.array([1, 0, 1, 2, 0, 1, 3])
BOUNDS = ([-0.3, -np.inf, 0.0, -0.2, 0.0, -np.inf, -0.5], [0.25, 0.4, np.inf, 0.0, 0.3, np.inf, 0.5])


def data(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 7)) @ (np.eye(7) + 0.3 * rng.standard_normal((7, 7))) + 1.0
    return X, X @ [2.0, -1.0, 0.5, 0.7, 0.0, -0.4, 0.2] + rng.standard_normal(n)


def moments(X, y):
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    return Xc.T @ Xc / len(y), Xc.T @ yc / len(y), yc @ yc / len(y)


def parts(model):
    """Strengths of the absolute values (p,), and of norms and squares (g,), as the docstring of the model says."""
    sizes = np.bincount(model.groups)
    share = model.sparsity if model.penalty == "sparse_group_lasso" else 0.0
    weights = np.ones(7) if model.weights is None else np.asarray(model.weights)
    whole = model.alpha * (1.0 - share) * np.sqrt(sizes)
    return model.alpha * share * weights, whole * model.l1_ratio, whole * (1.0 - model.l1_ratio)


def least(model, X, y, low, high):
    """The minimum by L-BFGS-B in rising and falling parts of coefficients, norms rounded off at zero less and less."""
    (gram, cross, _), (single, norm, ridge) = moments(X, y), parts(model)

    def value_and_slope(v, rounding):
        b = v[:7] - v[7:]
        smooth = np.sqrt(np.bincount(model.groups, weights=b * b) + rounding**2)
        value = b @ gram @ b / 2 - b @ cross + single @ v[:7] + single @ v[7:] + norm @ smooth
        slope = gram @ b - cross + (norm / smooth + ridge)[model.groups] * b
        return value + (ridge[model.groups] * b * b).sum() / 2, np.concatenate([slope + single, single - slope])

    v = np.zeros(14)
    limits = optimize.Bounds(np.zeros(14), np.concatenate([high, -low]))
    options = {"maxiter": 5000, "maxfun": 50_000, "ftol": 1e-15, "gtol": 1e-10}
    for rounding in 0.1 ** np.arange(1.0, 7.0):
        v = optimize.minimize(value_and_slope, v, (rounding,), "L-BFGS-B", jac=True, bounds=limits, options=options).x
    return reached(model, X, y, v[:7] - v[7:])


def reached(model, X, y, b):
    (gram, cross, square), (single, norm, ridge) = moments(X, y), parts(model)
    lengths = np.sqrt(np.bincount(model.groups, weights=b * b))
    loss = b @ gram @ b / 2 - b @ cross + square / 2
    return loss + single @ np.abs(b) + norm @ lengths + ridge @ lengths**2 / 2


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(CONVEX)), st.floats(0.01, 0.6))
def test_an_independent_solver_finds_the_same_minimum(seed, kind, alpha):
    X, y = data(seed=seed)
    rng = np.random.default_rng(seed)
    width = rng.choice([np.inf, 0.0, 1.0], (2, 7), p=[0.4, 0.2, 0.4]) * (0.1 + rng.random((2, 7)))
    low, high = -width[0], width[1]
    groups = np.unique(rng.integers(0, 3, 7), return_inverse=True)[1]
    model = PenalizedRegression(alpha=alpha, groups=groups, bounds=(low, high), **CONVEX[kind], **TIGHT).fit(X, y)
    assert model.converged_
    assert ((low <= model.coef_) & (model.coef_ <= high)).all()
    assert reached(model, X, y, model.coef_) == pytest.approx(model.objective_, rel=1e-10)
    other = least(model, X, y, low, high)
    assert model.objective_ == pytest.approx(other, rel=2e-5)
    assert model.objective_ - getattr(model, "dual_gap_", np.inf) <= other * (1 + 1e-7)


@pytest.mark.parametrize("kind", CONVEX)
def test_the_gap_is_honest_wherever_the_fit_stops(kind):
    X, y = data(9)  # fewer rows than would tell the coefficients apart
    setting = {"alpha": 0.05, "groups": GROUPS, "bounds": BOUNDS, **CONVEX[kind]}
    setting["weights"] = None
    best = PenalizedRegression(**setting, **TIGHT).fit(X, y).objective_
    gaps = []
    for sweeps in (1, 2, 3, 5, 8):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = PenalizedRegression(**setting, tol=1e-12, max_iter=sweeps).fit(X, y)
        assert model.objective_ - model.dual_gap_ <= best * (1 + 1e-9)
        gaps.append(model.dual_gap_)
    assert gaps[-1] < gaps[0]


@pytest.mark.parametrize("kind", CONVEX | CONCAVE)
def test_bounds_that_are_far_away_are_none(kind):
    X, y = data()
    settings = {"alpha": 0.1, "groups": GROUPS, **(CONVEX | CONCAVE)[kind], **TIGHT}
    free = PenalizedRegression(**settings).fit(X, y)
    for bounds in [(None, None), (-1e3, 1e3), (-1e300, 1e300)]:
        far = PenalizedRegression(bounds=bounds, **settings).fit(X, y)
        assert far.converged_
        np.testing.assert_allclose(far.coef_, free.coef_, atol=1e-6)


@pytest.mark.parametrize("kind", CONVEX | CONCAVE)
def test_what_bounds_hold_at_zero_is_not_there(kind):
    X, y = data()
    out = np.array([0, 3])
    bound = np.full(7, np.inf)
    bound[out] = 0.0
    setting = dict((CONVEX | CONCAVE)[kind], alpha=0.05, group_weights=1.0)
    rest = dict(setting)
    if setting.get("weights") is not None:
        rest["weights"] = np.delete(setting["weights"], out)
    held = PenalizedRegression(groups=GROUPS, bounds=(-bound, bound), **setting, **TIGHT).fit(X, y)
    left = PenalizedRegression(groups=np.delete(GROUPS, out), **rest, **TIGHT).fit(np.delete(X, out, axis=1), y)
    assert not held.coef_[out].any()
    np.testing.assert_allclose(np.delete(held.coef_, out), left.coef_, atol=1e-6)


@pytest.mark.parametrize("kind", ["mcp", "scad"])
@pytest.mark.parametrize("alpha", [0.4, 0.1])
def test_concave_groups_within_bounds_are_stationary(kind, alpha):
    """Along every direction that bounds allow, the objective rises; as a whole it is convex, so it is the minimum."""
    X, y = data(80)
    X = np.linalg.qr(X - X.mean(axis=0))[0] * np.sqrt(80) * 1.1 + 0.1 * X
    model = PenalizedRegression(kind, alpha, gamma=6.0, groups=GROUPS, bounds=BOUNDS, **TIGHT).fit(X, y)
    (gram, cross, square), low, high = moments(X, y), *np.array(BOUNDS)
    assert np.linalg.eigvalsh(gram)[0] > 1 / 5

    def objective(b):
        lengths, strength = np.sqrt(np.bincount(GROUPS, weights=b * b)), alpha * np.sqrt(np.bincount(GROUPS))
        grid = np.linspace(0.0, 1.0, 20_001)[:, None] * lengths
        slopes = strength - grid / 6.0 if kind == "mcp" else np.minimum((6.0 * strength - grid) / 5.0, strength)
        return b @ gram @ b / 2 - b @ cross + square / 2 + np.trapezoid(np.maximum(slopes, 0.0), grid, axis=0).sum()

    assert model.converged_
    assert ((low <= model.coef_) & (model.coef_ <= high)).all()
    assert ((model.coef_ == low) | (model.coef_ == high)).sum() >= 2
    at = objective(model.coef_)
    assert model.objective_ == pytest.approx(at, rel=1e-7)
    rng = np.random.default_rng(0)
    for size in (1e-3, 0.03, 0.5):
        for _ in range(40):
            step = size * rng.standard_normal(7) * (rng.random(7) < 0.5)
            assert objective(np.clip(model.coef_ + step, low, high)) >= at - 1e-8


@pytest.mark.parametrize("kind", CONVEX | CONCAVE)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "csr"])
def test_rows_come_and_go_weights_are_repetitions_threads_do_not_show(kind, form):
    X, y = data(120)

    def new(**more):
        settings = {**(CONVEX | CONCAVE)[kind], **TIGHT, **more}
        return PenalizedRegression(alpha=0.05, groups=GROUPS, bounds=BOUNDS, **settings)

    counts = np.random.default_rng(0).integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), counts)
    weighted = new().fit(form(X), y, counts.astype(float))
    np.testing.assert_allclose(weighted.coef_, new().fit(X[again], y[again]).coef_, atol=1e-6)
    whole, part = new().fit(form(X), y), new().fit(form(X[:70]), y[:70])
    before = part.coef_
    np.testing.assert_allclose(part.partial_fit(form(X[70:]), y[70:]).coef_, whole.coef_, atol=1e-6)
    with threads.limit(3):
        assert new().fit(form(X), y).coef_.tobytes() == whole.coef_.tobytes()
    np.testing.assert_allclose(whole.forget(form(X[70:]), y[70:]).coef_, before, atol=1e-6)


@pytest.mark.parametrize("kind", ["elastic_net", "group_lasso", "mcp", "scad"])
@pytest.mark.parametrize("groups", [None, GROUPS])
def test_a_warm_start_outside_new_bounds_is_brought_inside(kind, groups):
    if kind == "elastic_net" and groups is not None:
        return
    X, y = data()
    model = PenalizedRegression(kind, 0.05, groups=groups, warm_start=True, **TIGHT).fit(X, y)
    assert model.coef_.max() > 0.3
    model.set_params(bounds=(-0.2, 0.3)).fit(X, y)
    cold = PenalizedRegression(kind, 0.05, groups=groups, bounds=(-0.2, 0.3), **TIGHT).fit(X, y)
    assert model.converged_
    assert ((model.coef_ >= -0.2) & (model.coef_ <= 0.3)).all()
    if kind not in ("mcp", "scad"):
        np.testing.assert_allclose(model.coef_, cold.coef_, atol=1e-6)


@pytest.mark.parametrize("kind", CONVEX | CONCAVE)
@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_bounds_are_in_the_units_of_coefficients(kind, scale):
    X, y = data()
    settings = dict((CONVEX | CONCAVE)[kind], l1_ratio=1.0, groups=GROUPS, **TIGHT)
    plain = PenalizedRegression(alpha=0.1, bounds=BOUNDS, **settings).fit(X, y)
    bounds = tuple(np.array(side) * scale for side in BOUNDS)
    both = PenalizedRegression(alpha=0.1 * scale, bounds=bounds, **settings).fit(X, y * scale)
    np.testing.assert_allclose(both.coef_ / scale, plain.coef_, rtol=1e-6, atol=1e-8)
    assert ((bounds[0] <= both.coef_) & (both.coef_ <= bounds[1])).all()


@pytest.mark.parametrize("kind", CONVEX | CONCAVE)
def test_the_grid_begins_where_the_first_coefficient_that_may_enters(kind):
    X, y = data(150)
    settings = dict((CONVEX | CONCAVE)[kind], groups=GROUPS, bounds=(None, 0.0))
    if settings.get("weights") is not None:
        settings["weights"] = None
    search = PenalizedRegressionCV(alphas=8, tol=1e-8, **settings).fit(X, y)
    top = search.alphas_[0]
    at, below = (PenalizedRegression(alpha=a, **settings, **TIGHT).fit(X, y).coef_ for a in (top * 1.001, top * 0.99))
    assert not at.any()
    assert below.any()
    assert (search.coef_ <= 0.0).all()
    assert search.converged_
    one = PenalizedRegression(alpha=search.alpha_, tol=1e-8, **settings).fit(X, y)
    if kind in CONVEX:
        np.testing.assert_allclose(search.coef_, one.coef_, atol=1e-4)
