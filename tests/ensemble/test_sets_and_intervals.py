"""Sets of classes and intervals with a stated coverage: their definition, coverage, weights, files, refusals."""

import numpy as np
import pytest

import mlwright
from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.ensemble._boosting.losses import LOSSES
from mlwright.extend import array_loss

SMALL = {"max_iter": 30, "early_stopping": True, "n_iter_no_change": 30, "random_state": 0}


def classes(n, k, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    scores = np.column_stack([X[:, j % 4] * (1 + j // 4) for j in range(k)]) + rng.gumbel(size=(n, k))
    return X, np.array([f"class {j}" for j in range(k)])[scores.argmax(axis=1)]


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("loss", ["log_loss", "one_vs_rest"])
def test_sets_are_as_defined_and_cover(k, loss):
    X, y = classes(9000, k)
    model = HistGradientBoostingClassifier(loss=loss, **SMALL).fit(X[:2000], y[:2000])
    held, new = slice(2000, 4000), slice(4000, None)
    model.calibrate_set(X[held], y[held])
    column = np.searchsorted(model.classes_, y)
    errors = np.sort(1 - model.predict_proba(X[held])[np.arange(2000), column[held]])
    sizes = []
    for coverage in (0.5, 0.8, 0.9, 0.99):
        in_set = model.predict_set(X[new], coverage=coverage)
        p = model.predict_proba(X[new])
        expected = 1 - p <= errors[int(np.ceil(2001 * coverage - 1e-9)) - 1]
        expected[np.arange(len(p)), p.argmax(axis=1)] = True
        np.testing.assert_array_equal(in_set, expected)
        hit = in_set[np.arange(len(p)), column[new]].mean()
        assert hit > coverage - 3 * np.sqrt(coverage * (1 - coverage) * (1 / 2000 + 1 / 5000))
        sizes.append(in_set.sum(axis=1).mean())
        assert in_set.any(axis=1).all()
    assert sizes == sorted(sizes)


def test_rows_of_early_stopping_are_the_ones_held_out(tmp_path):
    X, y = classes(3000, 3)
    model = HistGradientBoostingClassifier(**SMALL).fit(X[:1000], y[:1000], X_val=X[1000:1500], y_val=y[1000:1500])
    expected = model.predict_set(X)
    mlwright.save(model, tmp_path / "model.mlw")
    np.testing.assert_array_equal(mlwright.load(tmp_path / "model.mlw").predict_set(X), expected)
    again = HistGradientBoostingClassifier(**SMALL).set_params(early_stopping=False, max_iter=model.n_iter_)
    again.fit(X[:1000], y[:1000])
    with pytest.raises(ValueError, match=r"predict_set: this model held out no rows.*calibrate_set"):
        again.predict_set(X)
    np.testing.assert_array_equal(again.calibrate_set(X[1000:1500], y[1000:1500]).predict_set(X), expected)
    twice = np.full(500, 2)
    rows = np.repeat(np.arange(1000, 1500), 2)
    weighted = again.calibrate_set(X[1000:1500], y[1000:1500], twice).predict_set(X)
    np.testing.assert_array_equal(weighted, again.calibrate_set(X[rows], y[rows]).predict_set(X))
    with pytest.raises(ValueError, match=r"errors of at least 999 rows are needed .* and 100 are there"):
        again.calibrate_set(X[:100], y[:100]).predict_set(X, coverage=0.999)
    with pytest.raises(ValueError, match="classes that the model does not have"):
        again.calibrate_set(X[:2], ["class 0", "elsewhere"])
    again.refit_leaves(X, y)
    with pytest.raises(ValueError, match="held out no rows"):
        again.predict_set(X)


def test_balanced_rows_do_not_stand_for_new_ones():
    X, y = classes(2000, 3)
    model = HistGradientBoostingClassifier(class_weight="balanced", **SMALL).fit(X[:1500], y[:1500])
    with pytest.raises(ValueError, match="calibrate_set"):
        model.predict_set(X)
    assert model.calibrate_set(X[1500:], y[1500:]).predict_set(X).shape == (2000, 3)


def targets(loss, X, rng):
    f = X[:, 0] + np.sin(2 * X[:, 1])
    if loss == "poisson":
        return rng.poisson(np.exp(f)).astype(float)
    if loss in ("gamma", "tweedie"):
        return rng.gamma(2.0, np.exp(f)) * (rng.random(len(X)) < (1.0 if loss == "gamma" else 0.8)) + 1e-9
    return f + rng.standard_t(3, size=len(X))


@pytest.mark.parametrize("loss", [*LOSSES, "own"])
def test_intervals_of_every_loss_cover(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 3))
    y = targets(loss, X, rng)
    own = array_loss(lambda y, raw: (y - raw) ** 2 / 2, lambda y, raw: (raw - y, 1.0))
    level = {"quantile": 0.7} if loss == "quantile" else {}
    model = HistGradientBoostingRegressor(loss=own if loss == "own" else loss, **level, **SMALL)
    model.fit(X[:1000], y[:1000], X_val=X[1000:2000], y_val=y[1000:2000])
    for coverage in (0.5, 0.9):
        lower, upper = model.predict_interval(X[2000:], coverage=coverage).T
        hit = np.mean((lower <= y[2000:]) & (y[2000:] <= upper))
        assert hit > coverage - 3 * np.sqrt(coverage * (1 - coverage) * (1 / 1000 + 1 / 4000)), (loss, coverage)
        if loss != "poisson":  # counts sit on the ends
            assert hit < coverage + 0.05
