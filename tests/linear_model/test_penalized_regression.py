"""PenalizedRegression: objectives as documented, certificates against plain proximal gradients, what is refused."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as peer
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning

from mlwright._runtime import threads
from mlwright.linear_model import PenalizedRegression

TIGHT = {"tol": 1e-12, "max_iter": 20_000}
GROUPS = ["b", "a", "b", "c", "c", "a", "d", "b"]
KINDS = {
    "weights": {"l1_ratio": 0.7, "weights": np.arange(8.0) / 4 + 0.1},
    "free": {"weights": np.array([0.0, 1, 1, 0, 2, 1, 1, 1])},
    "bounds": {"bounds": (-0.3, [0.2] * 4 + [np.inf] * 4)},
    "group": {"penalty": "group_lasso", "groups": GROUPS},
    "group ridge": {"penalty": "group_lasso", "groups": GROUPS, "l1_ratio": 0.6, "group_weights": [1.0, 2.0, 0.5, 1.0]},
    "sparse group": {"penalty": "sparse_group_lasso", "groups": GROUPS, "sparsity": 0.3, "weights": np.ones(8) * 1.5},
    "mcp": {"penalty": "mcp", "weights": np.linspace(0.5, 1.5, 8)},
    "scad": {"penalty": "scad", "gamma": 3.0},
    "group mcp": {"penalty": "mcp", "groups": GROUPS},
    "group scad": {"penalty": "scad", "groups": GROUPS, "gamma": 3.0, "group_weights": [1.0, 2.0, 0.5, 1.0]},
    "mcp within bounds": {"penalty": "mcp", "bounds": (-0.3, [0.2] * 4 + [np.inf] * 4)},
    "scad not negative": {"penalty": "scad", "bounds": (0.0, None), "weights": np.linspace(0.5, 1.5, 8)},
}


def data(n=90, p=8, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.3 * rng.standard_normal((p, p))) + 1.0
    return X, X[:, :3] @ [2.0, -1.0, 0.5] + rng.standard_normal(n), rng.random(n) + 0.2


def concave_value(kind, size, strength, gamma):
    if kind == "mcp":
        inside = np.minimum(size, gamma * strength)
        return strength * inside - inside**2 / (2 * gamma)
    slope = np.linspace(0.0, 1.0, 20_001) * size[:, None]
    slopes = np.clip((gamma * strength[:, None] - slope) / (gamma - 1), 0.0, strength[:, None])
    return np.trapezoid(slopes, slope, axis=1)


def by_group(b):
    return [b[np.array(GROUPS) == label] for label in sorted(set(GROUPS))]


def penalty(model, b):
    """As the docstring says, term by term."""
    w = np.ones(len(b)) if model.weights is None else model.weights
    if model.penalty in ("mcp", "scad"):
        gamma = model.gamma or {"mcp": 3.0, "scad": 3.7}[model.penalty]
        if model.groups is not None:
            sizes = np.array([[np.linalg.norm(of), np.sqrt(len(of))] for of in by_group(b)])
            v = sizes[:, 1] if model.group_weights is None else np.array(model.group_weights)
            return concave_value(model.penalty, sizes[:, 0], model.alpha * v, gamma).sum()
        return concave_value(model.penalty, np.abs(b), model.alpha * w, gamma).sum()
    single = (w * (model.l1_ratio * np.abs(b) + (1 - model.l1_ratio) * b * b / 2)).sum()
    if model.penalty == "elastic_net":
        return model.alpha * single
    grouped = 0.0
    for g, label in enumerate(sorted(set(model.groups))):
        of_group = b[np.array(model.groups) == label]
        v = np.sqrt(len(of_group)) if model.group_weights is None else model.group_weights[g]
        length = np.linalg.norm(of_group)
        grouped += v * (model.l1_ratio * length + (1 - model.l1_ratio) * length**2 / 2)
    share = model.sparsity if model.penalty == "sparse_group_lasso" else 0.0
    return model.alpha * (share * (w * np.abs(b)).sum() + (1 - share) * grouped)


def objective(model, X, y, w, b):
    residuals = y - X @ b
    residuals = residuals - np.average(residuals, weights=w)
    return (w * residuals**2).sum() / (2 * w.sum()) + penalty(model, b)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alpha", [0.3, 0.02])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array], ids=["dense", "csr"])
def test_the_objective_is_as_documented_and_no_neighbour_is_better(kind, alpha, form):
    X, y, w = data()
    model = PenalizedRegression(alpha=alpha, **KINDS[kind], **TIGHT).fit(form(X), y, w)
    reached = objective(model, X, y, w, model.coef_)
    assert model.converged_
    assert reached == pytest.approx(model.objective_, rel=1e-7)
    assert model.kkt_violation_ < 1e-5
    assert not hasattr(model, "dual_gap_") or model.dual_gap_ <= 1e-11 * np.average(y * y, weights=w)
    concave = model.penalty in ("mcp", "scad")
    assert hasattr(model, "dual_gap_") == (kind != "free" and not concave)
    low, high = model.bounds or (-np.inf, np.inf)
    high = np.inf if high is None else high
    assert ((low <= model.coef_) & (model.coef_ <= high)).all()
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-2, 0.1):
        for _ in range(15):
            step = size * rng.standard_normal(8) * (rng.random(8) < 0.4)
            other = np.clip(model.coef_ + step, low, high)
            if concave and size > 1e-3:
                continue  # stationary, not the least of all
            assert objective(model, X, y, w, other) >= reached - 1e-9


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", ["group", "group ridge", "sparse group"])
def test_proximal_gradient_steps_find_nothing_better(seed, kind):
    """FISTA from zero on the rows, whose proximal map is made of the two soft thresholds."""
    X, y, w = data(40, 8, seed)
    model = PenalizedRegression(alpha=0.1, **KINDS[kind], **TIGHT).fit(X, y, w)
    Xc, yc = X - np.average(X, axis=0, weights=w), y - np.average(y, weights=w)
    gram, cross = (Xc.T * w) @ Xc / w.sum(), (Xc.T * w) @ yc / w.sum()
    step, labels = 1.0 / np.linalg.eigvalsh(gram)[-1], np.array(GROUPS)
    share = model.sparsity if kind == "sparse group" else 0.0
    single = model.alpha * share * (np.ones(8) if model.weights is None else model.weights)

    def prox(v):
        v = np.sign(v) * np.maximum(np.abs(v) - step * single, 0.0)
        for g, label in enumerate(sorted(set(GROUPS))):
            at = labels == label
            size = np.sqrt(at.sum()) if model.group_weights is None else model.group_weights[g]
            strength = step * model.alpha * (1 - share) * size
            length = np.linalg.norm(v[at])
            v[at] *= max(0.0, 1 - strength * model.l1_ratio / max(length, 1e-300)) / (
                1 + strength * (1 - model.l1_ratio)
            )
        return v

    b, ahead, t = np.zeros(8), np.zeros(8), 1.0
    for _ in range(1500):
        before, b = b, prox(ahead - step * (gram @ ahead - cross))
        t, last = (1 + np.sqrt(1 + 4 * t * t)) / 2, t
        ahead = b + (last - 1) / t * (b - before)
    assert model.objective_ <= objective(model, X, y, w, b) * (1 + 1e-9)
    np.testing.assert_allclose(model.coef_, b, atol=1e-4)


@pytest.mark.parametrize("kind", ["mcp", "scad"])
@pytest.mark.parametrize("alpha", [0.4, 0.1])
def test_concave_groups_beside_proximal_gradient_steps(kind, alpha):
    """Whose proximal map is found by a grid of norms; the problem is convex as a whole, so that there is one answer."""
    X, y, _ = data(60)
    X = np.linalg.qr(X - X.mean(axis=0))[0] * np.sqrt(60) * 1.1 + 0.1 * X
    gamma, labels = 6.0, np.array(GROUPS)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    gram, cross = Xc.T @ Xc / 60, Xc.T @ yc / 60
    assert np.linalg.eigvalsh(gram)[0] > 1 / (gamma - 1)
    step, b = 1.0 / np.linalg.eigvalsh(gram)[-1], np.zeros(8)
    for _ in range(120):
        v = b - step * (gram @ b - cross)
        for label in sorted(set(GROUPS)):
            at = labels == label
            length, strength = np.linalg.norm(v[at]), np.array([alpha * np.sqrt(at.sum())])

            def value(s, length=length, strength=strength):
                size = np.array([s])
                return (s - length) ** 2 / 2 + step * concave_value(kind, size, strength, gamma)[0]

            best = optimize.minimize_scalar(value, bounds=(0.0, length), method="bounded", options={"xatol": 1e-9})
            b[at] = v[at] * (best.x / length if best.fun < value(0.0) else 0.0)
    model = PenalizedRegression(kind, alpha, groups=GROUPS, gamma=gamma, tol=1e-10).fit(X, y)
    assert model.converged_
    np.testing.assert_allclose(model.coef_, b, atol=1e-4)
    assert model.objective_ <= objective(model, X, y, np.ones(60), b) + 1e-7


@pytest.mark.parametrize("tol", [1e-4, 1e-6])
@pytest.mark.parametrize(
    ("kind", "shape", "size", "within", "share", "seed"),
    [
        ("scad", (40, 120), 4, False, 1e-2, 1),
        ("mcp", (100, 150), 3, True, 1e-2, 1),
        ("mcp", (100, 150), 3, True, 1e-4, 1),
        ("scad", (100, 150), 3, True, 1e-2, 1),
        ("mcp", (20, 300), 10, True, 1e-4, 0),
    ],
)
def test_concave_groups_of_many_badly_scaled_columns_are_stationary(kind, shape, size, within, share, seed, tol):
    """Weak penalties: the Gram matrix is singular where large groups have no penalty at all."""
    (n, p), rng = shape, np.random.default_rng(seed)
    X, groups = rng.standard_normal(shape) + 0.7 * rng.standard_normal((n, 1)), np.arange(p) // size
    scale = np.exp(4.0 * rng.standard_normal(p if within else p // size))
    scale = scale if within else scale[groups]
    y = X[:, : 2 * size] @ rng.standard_normal(2 * size) + 0.5 * rng.standard_normal(n)
    X = X * scale
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    slopes = np.sqrt(np.bincount(groups, weights=(Xc.T @ yc / n) ** 2) / size)
    model = PenalizedRegression(kind, share * np.median(slopes), groups=groups, tol=tol).fit(X, y)
    assert model.converged_
    gamma, strength = {"mcp": 3.0, "scad": 3.7}[kind], model.alpha * np.sqrt(size)
    for g in range(p // size):
        of, b = Xc[:, groups == g], model.coef_[groups == g]
        length, pull = np.linalg.norm(b), of.T @ (yc - Xc @ model.coef_) / n
        falling = strength - length / gamma if kind == "mcp" else (gamma * strength - length) / (gamma - 1)
        edge = np.clip(falling, 0.0, strength)
        off = np.linalg.norm(pull - edge * b / length) if length > 0 else max(0.0, np.linalg.norm(pull) - strength)
        assert off <= 1.01 * tol * np.linalg.norm(of, 2) * np.linalg.norm(yc) / n


def test_groups_of_one_are_none():
    X, y, w = data()
    for kind in ("mcp", "scad"):
        for alpha in (0.5, 0.1, 0.02):
            one = PenalizedRegression(kind, alpha, groups=np.arange(8), gamma=6.0, **TIGHT).fit(X, y, w)
            none = PenalizedRegression(kind, alpha, gamma=6.0, **TIGHT).fit(X, y, w)
            np.testing.assert_allclose(one.coef_, none.coef_, atol=1e-8)
            assert one.objective_ == pytest.approx(none.objective_)


@pytest.mark.parametrize("kind", ["group_lasso", "mcp", "scad"])
def test_columns_divided_by_weights_have_the_norm_of_weight_times_coefficient(kind):
    X, y, _ = data()
    weights, labels = np.linspace(0.5, 2.0, 8), np.array(GROUPS)
    model = PenalizedRegression(kind, 0.1, groups=GROUPS, **TIGHT).fit(X / weights, y)
    b = model.coef_ / weights

    def value(b):
        residuals = y - X @ b
        lengths = np.array([np.linalg.norm((weights * b)[labels == label]) for label in sorted(set(GROUPS))])
        strength = 0.1 * np.sqrt([np.sum(labels == label) for label in sorted(set(GROUPS))])
        gamma = {"mcp": 3.0, "scad": 3.7}.get(kind)
        own = concave_value(kind, lengths, strength, gamma) if gamma else strength * lengths
        return np.var(residuals) / 2 + own.sum()

    assert value(b) == pytest.approx(model.objective_, rel=1e-7)
    rng = np.random.default_rng(0)
    assert min(value(b + 1e-3 * rng.standard_normal(8)) for _ in range(40)) > value(b)


def test_special_cases_are_scikit_learns():
    X, y, _ = data()
    for settings, theirs in [
        ({}, peer.Lasso(0.1, **TIGHT)),
        ({"l1_ratio": 0.4}, peer.ElasticNet(0.1, l1_ratio=0.4, **TIGHT)),
        ({"bounds": (0.0, None)}, peer.Lasso(0.1, positive=True, **TIGHT)),
        ({"penalty": "group_lasso"}, peer.Lasso(0.1, **TIGHT)),
        ({"penalty": "sparse_group_lasso"}, peer.Lasso(0.1, **TIGHT)),
        ({"penalty": "mcp", "gamma": 1e9}, peer.Lasso(0.1, **TIGHT)),
        ({"penalty": "scad", "gamma": 1e9, "bounds": (0.0, None)}, peer.Lasso(0.1, positive=True, **TIGHT)),
    ]:
        ours = PenalizedRegression(alpha=0.1, **settings, **TIGHT).fit(X, y)
        np.testing.assert_allclose(ours.coef_, theirs.fit(X, y).coef_, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_repetitions_rows_come_and_go_threads_do_not_show(kind):
    X, y, w = data(120)

    def new():
        return PenalizedRegression(alpha=0.05, **KINDS[kind], **TIGHT)

    counts = np.random.default_rng(0).integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), counts)
    np.testing.assert_allclose(
        new().fit(X, y, counts.astype(float)).coef_, new().fit(X[again], y[again]).coef_, atol=1e-6
    )
    whole, first = new().fit(X, y, w), new().fit(X[:70], y[:70], w[:70])
    before = first.coef_
    np.testing.assert_allclose(first.partial_fit(X[70:], y[70:], w[70:]).coef_, whole.coef_, atol=1e-6)
    with threads.limit(3):
        assert new().fit(X, y, w).coef_.tobytes() == whole.coef_.tobytes()
    np.testing.assert_allclose(whole.forget(X[70:], y[70:], w[70:]).coef_, before, atol=1e-6)
    assert first.predict_interval(X).shape == (120, 2)


@pytest.mark.parametrize("kind", ["weights", "group", "mcp", "scad", "group mcp", "group scad"])
@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_columns_and_targets_of_any_scale(kind, scale):
    X, y, _ = data()
    plain = PenalizedRegression(alpha=0.1, **KINDS[kind], **TIGHT).fit(X, y)
    both = PenalizedRegression(alpha=0.1 * scale, **KINDS[kind], **TIGHT)
    if kind == "weights":
        both.l1_ratio = plain.l1_ratio = 1.0
        plain.fit(X, y)
    np.testing.assert_allclose(both.fit(X, y * scale).coef_ / scale, plain.coef_, rtol=1e-6, atol=1e-8)


def test_more_columns_than_rows_and_warm_starts():
    X, y, _ = data(40, 300)
    model = PenalizedRegression("group_lasso", 0.5, groups=np.arange(300) // 3, warm_start=True, tol=1e-8).fit(X, y)
    assert model.converged_
    assert model.fit(X, y).n_iter_ <= 8
    assert PenalizedRegression("mcp", 0.5, tol=1e-8).fit(X, y).converged_


def test_what_does_not_go_together_is_refused():
    X, y, _ = data()
    for settings, message in [
        ({"penalty": "group_lasso", "gamma": 2.0}, "gamma: penalty='group_lasso' has none, .*='mcp' or 'scad'"),
        ({"penalty": "group_lasso", "bounds": (0.5, 1)}, "lower bounds up to 0"),
        ({"penalty": "mcp", "bounds": (0.5, 1.0)}, "lower bounds up to 0"),
        ({"penalty": "scad", "groups": GROUPS, "weights": 2.0}, "weights: a concave .* one strength.* group_weights"),
        ({"penalty": "mcp", "group_weights": 2.0}, "group_weights: there are no groups"),
        ({"gamma": 2.0}, "gamma: penalty='elastic_net' has none"),
        ({"penalty": "group_lasso", "weights": 2.0}, "weighs groups, not features.* columns divided"),
        ({"penalty": "group_lasso", "groups": [0, 1]}, "a label for each of 8 features"),
        ({"penalty": "group_lasso", "group_weights": [1.0, 2.0]}, "expected one number or 8"),
        ({"weights": -np.ones(8)}, "not below 0"),
        ({"bounds": (0.5, 1.0)}, "lower bounds up to 0"),
        ({"bounds": (0.5,)}, "expected a pair"),
        ({"penalty": "scad", "gamma": 0.5}, "a finite number above 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            PenalizedRegression(**settings).fit(X, y)
    with pytest.raises(ValueError, match="expected up to 8192"):
        PenalizedRegression().fit(np.ones((2, 9000)), [0.0, 1.0])
    with pytest.raises(ValueError, match="contains NaN"):
        PenalizedRegression().fit(np.where(X > 2, np.nan, X), y)
    with warnings.catch_warnings(), pytest.warns(ConvergenceWarning, match="max_iter=1"):
        model = PenalizedRegression("group_lasso", 1e-4, groups=GROUPS, max_iter=1, tol=1e-12).fit(X, y)
    assert not model.converged_


@pytest.mark.parametrize("penalty", ["mcp", "scad"])
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 2, 2]])
def test_a_concave_fit_that_is_cut_short_names_its_violation(penalty, groups):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 6)) + rng.standard_normal((40, 1))
    model = PenalizedRegression(penalty=penalty, groups=groups, alpha=0.01, tol=1e-14, max_iter=1)
    with pytest.warns(ConvergenceWarning, match=r"sweeps left a violation of the optimality conditions of \d"):
        model.fit(X, X @ np.arange(6.0) + rng.standard_normal(40))
    assert not model.converged_
