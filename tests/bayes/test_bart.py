"""BART as its users meet it: what fits obey, and what they do with odd input."""

from contextlib import nullcontext

import numpy as np
import pytest
from scipy import stats

from mlwright import io
from mlwright._bayesian.mixtures import NormalMixture
from mlwright._native import core
from mlwright._runtime import simd
from mlwright.bayes import BARTClassifier, BARTRegressor
from mlwright.bayes._bart import different_rows as equal_rows
from mlwright.bayes._bart.target import UNIT, noise_guess

QUICK = {"n_trees": 20, "burn_in": 100, "draws": 50, "chains": 2, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore:BART.*R-hat:sklearn.exceptions.ConvergenceWarning")


def friedman(n=200, p=6, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n, p))
    f = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    return X, f + noise * rng.normal(size=n), f


def trees_of(model):
    return [array.tobytes() for trees in model._trees for array in trees.values()]


def fitted(cls=BARTRegressor, rows=slice(None), **parameters):
    X, y, _ = friedman()
    y = y if cls is BARTRegressor else np.digitize(y, [12.0, 16.0])
    return cls(**QUICK | parameters).fit(X[rows], y[rows])


def test_it_learns_a_function_and_its_noise():
    X, y, _ = friedman(600)
    new, _, f = friedman(400, seed=1)
    model = BARTRegressor(n_trees=100, burn_in=300, draws=200, chains=2, random_state=0).fit(X, y)
    assert np.sqrt(np.mean((model.predict(new) - f) ** 2)) < 0.3 * f.std()
    assert model.sigma_.mean() == pytest.approx(1.0, abs=0.2)
    assert model.variable_inclusion_[:5].min() > model.variable_inclusion_[5]


@pytest.mark.parametrize("cls", [BARTRegressor, BARTClassifier])
def test_same_bits_for_any_thread_count_and_instruction_set(cls):
    want = None
    try:
        for level in core.simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    got = trees_of(fitted(cls, burn_in=5, draws=3, grow_from_root=1))
                    want = want or got
                    assert got == want
    finally:
        core.runtime.set_num_threads(0)


@pytest.mark.parametrize("cls", [BARTRegressor, BARTClassifier])
def test_the_order_of_rows_is_nothing(cls):
    order = np.random.default_rng(0).permutation(200)
    assert trees_of(fitted(cls)) == trees_of(fitted(cls, order))


@pytest.mark.parametrize("cls", [BARTRegressor, BARTClassifier])
def test_a_weight_is_a_repetition(cls):
    X, y, _ = friedman()
    y = y if cls is BARTRegressor else np.digitize(y, [12.0, 16.0])
    weight = np.random.default_rng(0).integers(0, 4, 200)
    repeated = np.repeat(np.arange(200), weight)
    weighted = cls(**QUICK).fit(X, y, weight)
    again = cls(**QUICK).fit(X[repeated], y[repeated])
    assert trees_of(weighted) == trees_of(again)


def test_any_scale_of_weights_and_of_targets():
    X, y, _ = friedman()
    plain = BARTRegressor(**QUICK).fit(X, y)
    scaled = BARTRegressor(**QUICK).fit(X, np.ldexp(y, 40))
    assert trees_of(plain) == trees_of(scaled)
    np.testing.assert_array_equal(np.ldexp(plain.predict(X), 40), scaled.predict(X))
    halves = BARTRegressor(**QUICK).fit(X, y, np.full(200, 0.5))
    assert np.isfinite(halves.sigma_).all()


def test_tiny_weights_are_weights():
    X, y = friedman(60)[:2]
    model = BARTRegressor(n_trees=5, burn_in=5, draws=5, chains=1, random_state=0)
    assert np.isfinite(model.fit(X, y, np.full(60, 1e-12)).predict(X)).all()


def test_only_the_order_of_a_column_matters():
    X, y, _ = friedman()
    bent = np.exp(5 * X)
    assert trees_of(BARTRegressor(**QUICK).fit(X, y)) == trees_of(BARTRegressor(**QUICK).fit(bent, y))


@pytest.mark.parametrize("cls", [BARTRegressor, BARTClassifier])
@pytest.mark.parametrize(
    "change", [np.asfortranarray, lambda X: X.astype(np.float32), lambda X: np.repeat(X, 2, axis=1)[:, ::2]]
)
def test_layouts(cls, change):
    X, y, _ = friedman()
    X = np.round(X, 2).astype(np.float32).astype(np.float64)
    y = y if cls is BARTRegressor else y > 14
    short = QUICK | {"burn_in": 5, "draws": 3}
    assert trees_of(cls(**short).fit(X, y)) == trees_of(cls(**short).fit(change(X), y))


def test_chains_differ_and_thinning_takes_every_second():
    model, thinned = fitted(draws=20), fitted(draws=10, thin=2)
    assert not np.array_equal(*model.sigma_)
    np.testing.assert_array_equal(model.sigma_[:, 1::2], thinned.sigma_)
    X = friedman()[0]
    np.testing.assert_array_equal(model.predict_draws(X)[:, 1::2], thinned.predict_draws(X))


def test_without_draws_sweeps_grown_from_roots_are_kept():
    model = fitted(draws=0, burn_in=3, grow_from_root=15, thin=2)
    assert model.sigma_.shape == (2, 6)
    X, _, f = friedman()
    assert np.corrcoef(model.predict(X), f)[0, 1] > 0.9
    first = fitted(draws=0, burn_in=0, grow_from_root=15)
    np.testing.assert_array_equal(first.sigma_[:, 4::2], model.sigma_)


def test_leaves_whose_scale_is_drawn_reach_as_far_as_the_data_ask():
    """Of trees that a strong prior holds near zero."""
    X, _, f = friedman(400)
    errors = []
    for drawn in (False, True):
        model = BARTRegressor(**QUICK | {"k": 20.0, "draw_leaf_scale": drawn}).fit(X, f)
        errors.append(np.sqrt(np.mean((model.predict(X) - f) ** 2)))
    assert errors[1] < 0.5 * errors[0]


def test_predictions_are_of_the_draws():
    model, X = fitted(), friedman(1300, seed=2)[0]
    draws = model.predict_draws(X)
    assert draws.shape == (2, 50, 1300)
    mean, std = model.predict(X, return_std=True)
    np.testing.assert_allclose(mean, draws.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(std**2, draws.reshape(100, -1).var(axis=0) + (model.sigma_**2).mean(), rtol=1e-10)


def test_quantiles_of_a_mixture_of_normal_laws():
    rng = np.random.default_rng(0)
    law = NormalMixture(
        np.concatenate([rng.normal(size=(50, 3)), 20 + rng.normal(size=(50, 3))]), rng.uniform(0.1, 3, 100)
    )
    levels = np.array([1e-6, 0.05, 0.5, 0.51, 0.95, 1 - 1e-6])
    values = law.quantiles(levels)
    z = (values[None] - law.means[:, :, None]) / law.sds[:, None, None]
    np.testing.assert_allclose(stats.norm.cdf(z).mean(axis=0), np.broadcast_to(levels, values.shape), rtol=1e-9)


@pytest.mark.parametrize("where", ["train", "new"])
def test_missing_values_say_something(where):
    X, _, _ = friedman(400)
    rng = np.random.default_rng(0)
    gone = rng.random(400) < 0.3
    y = np.where(gone, 5.0, X[:, 0]) + 0.1 * rng.normal(size=400)
    if where == "train":
        X[gone, 0] = np.nan
    model = BARTRegressor(**QUICK | {"burn_in": 300}).fit(X, y)
    X[gone, 0] = np.nan
    predicted = model.predict(X)
    assert np.isfinite(predicted).all()
    if where == "train":
        assert abs(predicted[gone].mean() - 5.0) < 0.2


def test_categories_by_name_and_levels_never_seen():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    names = rng.choice(list("abcdef"), 400)
    frame = pd.DataFrame({"x": rng.uniform(size=400), "name": pd.Categorical(names)})
    y = np.isin(names, ["a", "c", "f"]) * 3.0 + 0.1 * rng.normal(size=400)
    model = BARTRegressor(**QUICK).fit(frame, y)
    assert np.corrcoef(model.predict(frame), y)[0, 1] > 0.98
    frame["name"] = "never"
    assert np.isfinite(model.predict(frame)).all()


@pytest.mark.parametrize("cls", [BARTRegressor, BARTClassifier])
def test_growing_from_the_root_starts_chains_well(cls):
    X, y, f = friedman(400)
    X[::9, 1] = np.nan
    X[:, 5] = np.arange(400) % 5
    short = QUICK | {"n_trees": 50, "burn_in": 0, "draws": 5, "categorical_features": [5]}
    y, f = (y, f) if cls is BARTRegressor else (y > 14, (f > 14).astype(float))
    cold, warm = (cls(**short, grow_from_root=sweeps).fit(X, y) for sweeps in (0, 10))

    def off(model):
        predicted = model.predict(X) if cls is BARTRegressor else model.predict_proba(X)[:, 1]
        return np.sqrt(np.mean((predicted - f) ** 2))

    assert off(warm) < 0.9 * off(cold)
    weight = np.random.default_rng(0).integers(0, 3, 400)
    again = np.repeat(np.arange(400), weight)
    weighted = cls(**short, grow_from_root=3).fit(X, y, weight)
    assert trees_of(weighted) == trees_of(cls(**short, grow_from_root=3).fit(X[again], y[again]))


def test_growing_from_the_root_looks_at_variables_that_other_trees_split():
    X, y, f = friedman(500, p=60)
    parameters = {"n_trees": 50, "grow_from_root": 25, "burn_in": 10, "draws": 0, "chains": 1, "random_state": 0}
    model = BARTRegressor(**parameters).fit(X, y)
    inclusion = model.variable_inclusion_
    assert inclusion[:5].sum() > 0.6 * inclusion.sum()
    assert np.sqrt(np.mean((model.predict(X) - f) ** 2)) < 0.19 * f.std()


def test_a_chain_alone_grows_from_roots_on_any_number_of_threads():
    X, y, _ = friedman(9000, p=30)  # rows enough for several threads
    model = BARTRegressor(n_trees=4, grow_from_root=2, burn_in=0, draws=2, chains=1, random_state=0)
    found = []
    try:
        for n_threads in (1, 2, 3):
            core.runtime.set_num_threads(n_threads)
            found.append(trees_of(model.fit(X, y)))
    finally:
        core.runtime.set_num_threads(0)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("weighted", [False, True])
def test_noise_is_guessed_by_what_least_squares_leaves(weighted):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 9, (9000, 3)).astype(np.uint8)
    codes[rng.random(9000) < 0.1, 0] = 255
    columns = np.array([[8, 1, 0], [8, 0, 0], [0, 0, 9]])
    numbers = np.where(codes[:, :2] == 255, 4.0, codes[:, :2])
    y = numbers @ [0.02, -0.03] + 0.05 * rng.normal(size=9000)
    w = rng.integers(1, 4, 9000).astype(float) if weighted else np.ones(9000)
    Z = np.column_stack([np.ones(9000), numbers]) * np.sqrt(w)[:, None]
    left = np.linalg.lstsq(Z, y * np.sqrt(w), rcond=None)[1][0]
    guess = noise_guess(codes, columns, np.rint(y / UNIT).astype(np.int32), w if weighted else None)
    assert guess == pytest.approx(np.sqrt(left / (w.sum() - 3)), rel=1e-5)


@pytest.mark.parametrize("size", [1e-305, 1e-3, 1e300])
def test_weights_of_any_size_are_shares_of_their_sum(size):
    X, y, _ = friedman()
    model = BARTRegressor(**QUICK).fit(X, y, np.full(200, size))
    assert np.isfinite(model.predict(X, return_std=True)).all()
    # So many rows speak for themselves; so few leave all to the prior, whose middle is that of y.
    want = np.std(y - model.predict(X)) if size > 1 else model.sigma_.mean()
    assert model.sigma_.mean() == pytest.approx(want, rel=0.01)
    assert size > 1 or np.abs(model.predict(X) - (y.min() + y.max()) / 2).max() < 0.3 * np.ptp(y)


def test_weights_without_a_finite_sum_are_refused():
    X, y, _ = friedman()
    with pytest.raises(ValueError, match="sample_weight: got weights up to 1e\\+308, whose sum is infinite"):
        BARTRegressor(**QUICK).fit(X, y, np.full(200, 1e308))


@pytest.mark.parametrize("y", [1e152, -1e-300, 5e-324])
def test_a_constant_of_any_size_is_answered_by_itself(y):
    X, _, _ = friedman(30)
    with pytest.warns(UserWarning, match="y is constant"):
        model = BARTRegressor(**QUICK).fit(X, np.full(30, y))
    mean, std = model.predict(X, return_std=True)
    low, high = model.predict_interval(X).T
    assert np.abs(mean - y).max() <= max(1e-11 * abs(y), 1e-312)
    assert ((low <= mean) & (mean <= high)).all()
    assert np.isfinite(std).all()


def test_a_generator_gives_the_seed():
    one, two, three = (fitted(random_state=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert trees_of(one) == trees_of(two) != trees_of(three)


@pytest.mark.parametrize("n_hashes", [None, 3, 1])
def test_equal_rows_are_found_though_hashes_clash(monkeypatch, n_hashes):
    rng = np.random.default_rng(0)
    codes, places = rng.integers(0, 3, (300, 3)).astype(np.uint8), rng.integers(0, 2, 300)
    weight = rng.integers(1, 4, 300)
    right = equal_rows._hashes
    if n_hashes:
        monkeypatch.setattr(equal_rows, "_hashes", lambda *rows: right(*rows) % np.uint64(n_hashes))
    order = rng.permutation(300)
    found = equal_rows.different_rows(codes, places, weight)
    for a, b in zip(found, equal_rows.different_rows(codes[order], places[order], weight[order]), strict=True):
        np.testing.assert_array_equal(a, b)
    table, inverse = np.unique(np.column_stack([codes, places]), axis=0, return_inverse=True)
    rows = np.column_stack([found[0], found[1]])
    by_row = np.lexsort(rows.T[::-1])
    np.testing.assert_array_equal(rows[by_row], table)
    np.testing.assert_array_equal(found[2][by_row], np.bincount(inverse.ravel(), weight))


def test_very_many_categories():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 400, 2000), rng.uniform(size=2000)])
    model = BARTRegressor(**QUICK | {"burn_in": 20}, categorical_features=[0]).fit(X, rng.normal(size=2000))
    assert np.isfinite(model.predict(X)).all()


def test_sparse_features_are_found():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(300, 100))
    y = np.sin(6 * X[:, 3]) + X[:, 7] + 0.1 * rng.normal(size=300)
    settings = QUICK | {"burn_in": 400, "draws": 100}
    dense, sparse = (BARTRegressor(**settings, sparse=choice).fit(X, y) for choice in (False, True))
    share = [model.variable_inclusion_[[3, 7]].sum() / model.variable_inclusion_.sum() for model in (dense, sparse)]
    assert share[1] > 0.9 > share[0]


@pytest.mark.parametrize("y", [np.full(30, 7.0), np.full(30, 1e152), np.zeros(30), np.full(30, -1e-300)])
def test_constant_targets_are_predicted_with_a_warning(y):
    X = friedman(30)[0]
    with pytest.warns(UserWarning, match="y is constant .* intervals have no width"):
        model = BARTRegressor(**QUICK).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-6, atol=1e-320)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_rows(n):
    X, y, _ = friedman(n)
    with pytest.warns(UserWarning, match="y is constant") if n == 1 else nullcontext():
        model = BARTRegressor(**QUICK, min_samples_leaf=1).fit(X, y)
    assert np.isfinite(model.predict_interval(X)).all()


def test_columns_that_say_nothing():
    X, y, _ = friedman()
    X = np.column_stack([np.ones(200), np.full(200, np.nan)])
    model = BARTRegressor(**QUICK).fit(X, y)
    assert model.variable_inclusion_.sum() == 0
    assert np.ptp(model.predict(X)) == 0


def test_outliers_and_large_numbers():
    X, y, _ = friedman()
    for extreme in (1e4, 1e150):
        y[0] = extreme
        assert np.isfinite(BARTRegressor(**QUICK).fit(X * extreme, y).predict(X)).all()


def test_targets_whose_squares_overflow_are_refused():
    X = friedman(30)[0]
    for y in (np.full(30, 1e300), np.full(30, -1e154), X[:, 0] * 1e160):
        with pytest.raises(ValueError, match=r"y: got values from .*, expected magnitudes below 1e\+153"):
            BARTRegressor(**QUICK).fit(X, y)


def test_bad_input_is_named():
    X, y, _ = friedman(20)
    for change, message in [
        (
            lambda: BARTRegressor(**QUICK).fit(
                X, np.where(np.arange(20) < 2, 1.5e308 * np.sign(np.arange(20) - 0.5), y)
            ),
            "y: got values from",
        ),
        (lambda: BARTRegressor(**QUICK).fit(X, y, np.zeros(20)), "at least one non-zero"),
        (lambda: BARTRegressor(**QUICK).fit(X, y, -np.ones(20)), "Negative"),
        (lambda: BARTRegressor(**QUICK | {"draws": 0}).fit(X, y), "draws: got 0"),
        (lambda: BARTRegressor(**QUICK).fit(X, np.where(np.arange(20) == 3, np.nan, y)), "NaN"),
        (lambda: BARTClassifier(**QUICK).fit(X, y > 1e9), "1 class"),
        (lambda: BARTClassifier(**QUICK).fit(X, y > 14, np.full(20, 0.5)), "whole number"),
    ]:
        with pytest.raises(ValueError, match=message):
            change()


@pytest.mark.filterwarnings("ignore:BARTRegressor. leaving out:UserWarning")
def test_leave_one_out_scores():
    X, y, _ = friedman(60)
    model = BARTRegressor(n_trees=10, burn_in=200, draws=500, chains=2, compute_loo=True, random_state=0, k=5).fit(X, y)
    assert model.loo_log_density_.shape == (60,)
    assert model.score_loo_ == pytest.approx(model.loo_log_density_.sum())
    within = stats.norm.logpdf(y[None], model.predict_draws(X).reshape(-1, 60), model.sigma_.reshape(-1, 1))
    assert (model.loo_log_density_ < np.log(np.exp(within).mean(axis=0)) + 1e-9).all()


def test_classes_are_learnt_and_probabilities_sum_to_one():
    X, y, _ = friedman(500)
    labels = np.array(["low", "middle", "high"])[np.digitize(y, [12.0, 16.0])]
    model = BARTClassifier(**QUICK | {"burn_in": 300}).fit(X, labels)
    assert model.score(X, labels) > 0.75
    p, std = model.predict_proba(X, return_std=True)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert (std > 0).all()
    draws = model.predict_draws(X[:5])
    assert draws.shape == (2, 50, 5, 3)
    np.testing.assert_allclose(draws.mean(axis=(0, 1)), p[:5], rtol=1e-9)
    ends = model.predict_interval(X[:5], 0.5)
    assert ((ends[..., 0] <= p[:5] + 0.1) & (p[:5] - 0.1 <= ends[..., 1])).all()
    drawn = model.sample_predictive(X[:5], 4000, random_state=0)
    share = np.stack([(drawn == c).mean(axis=0) for c in model.classes_], axis=1)
    np.testing.assert_allclose(share, p[:5], atol=0.04)


def leave_one_out_by_force(X, y, **parameters):
    """Log probability of each row's class by a fit without the row."""
    out = []
    for i in range(len(y)):
        others = np.arange(len(y)) != i
        model = BARTClassifier(**parameters).fit(X[others], y[others])
        p = model.predict_proba(X[i : i + 1])[0]
        out.append(np.log(p[model.classes_ == y[i]][0]))
    return np.array(out)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_of_rows_left_out(n_classes):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(15, 1)).astype(float)
    y = np.minimum(X[:, 0].astype(int) + (rng.random(15) < 0.4), n_classes - 1)
    how = {"n_trees": 5, "burn_in": 100, "draws": 1000, "chains": 2, "k": 3.0, "min_samples_leaf": 1, "random_state": 0}
    model = BARTClassifier(compute_loo=True, **how).fit(X, y)
    assert model.loo_k_hat_.max() < 0.7
    assert model.score_loo_ == pytest.approx(model.loo_log_density_.sum())
    # A fit without a row has an offset of its own.
    np.testing.assert_allclose(model.loo_log_density_, leave_one_out_by_force(X, y, **how), atol=0.25)
    weight = rng.integers(0, 3, 15)
    weighted = BARTClassifier(compute_loo=True, **how).fit(X, y, weight)
    repeated = BARTClassifier(compute_loo=True, **how).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert weighted.score_loo_ == pytest.approx(repeated.score_loo_, rel=1e-12)
    assert not hasattr(BARTClassifier(**how).fit(X, y), "loo_log_density_")


def test_a_classifier_keeps_the_contract_of_bayesian_estimators():
    model, X = fitted(BARTClassifier), friedman()[0][:7]

    def answers():
        draws = model.sample_posterior(20, random_state=3)["probability"]
        new = model.sample_predictive(X, 20, random_state=3)
        assert draws.shape[0] == 20
        assert new.shape == (20, 7)
        told = model.diagnostics_["probability"]["rhat"]
        return [a.tobytes() for a in (model.predict_quantiles(X, 0.5), model.predict_interval(X), draws, new, told)]

    want = answers()
    model.set_params(n_trees=3, chains=1, draws=7)
    assert answers() == want
    for call, message in [
        (lambda: model.sample_posterior(0), "n_samples: got 0"),
        (lambda: model.predict_quantiles(X, [0.5, 1.0]), "quantiles: got"),
        (lambda: model.predict_interval(X, 1.0), "coverage: got 1.0"),
        (lambda: model.predict_proba(X[:, :2]), "2 features"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(AttributeError, match="compute_loo=True"):
        _ = model.score_loo_


def test_probabilities_are_calibrated():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(1500, 2))
    p = stats.norm.cdf(1.5 * X[:, 0])
    model = BARTClassifier(n_trees=30, burn_in=200, draws=200, chains=2, random_state=0).fit(X, rng.random(1500) < p)
    assert np.abs(model.predict_proba(X)[:, 1] - p).mean() < 0.04


def test_interrupted_fits_leave_the_model_as_it_was():
    from mlwright import watch_progress

    model = fitted()
    before = dict(vars(model))

    def stop(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), watch_progress(stop):
        model.fit(*friedman()[:2])
    assert vars(model) == before or all(vars(model)[key] is before[key] for key in before)


def test_scores_of_rows_left_out_are_those_of_all_rows_given():
    """Rows of weight zero too, by their predictive density; a class of such rows alone has none."""
    X, y, _ = friedman(60)
    weight = np.where(np.arange(60) < 5, 0.0, 1.0)
    settings = {"compute_loo": True, **QUICK}
    model, rest = BARTRegressor(**settings).fit(X, y, weight), BARTRegressor(**settings).fit(X[5:], y[5:])
    np.testing.assert_array_equal(model.loo_log_density_[5:], rest.loo_log_density_)
    f, sigma = model.predict_draws(X[:5]), model.sigma_[..., None]
    wanted = np.log(stats.norm.pdf(y[:5], f, sigma).mean(axis=(0, 1)))
    np.testing.assert_allclose(model.loo_log_density_[:5], wanted, rtol=1e-6)
    labels = np.where(y > np.median(y), "b", "a").astype(object)
    labels[:2] = "never"
    classifier, rest = (
        BARTClassifier(**settings).fit(X, labels, weight),
        BARTClassifier(**settings).fit(X[5:], labels[5:]),
    )
    np.testing.assert_array_equal(classifier.loo_log_density_[5:], rest.loo_log_density_)
    assert np.isneginf(classifier.loo_log_density_[:2]).all()
    p = classifier.predict_proba(X[2:5])[np.arange(3), np.searchsorted(["a", "b"], labels[2:5].astype(str))]
    np.testing.assert_allclose(classifier.loo_log_density_[2:5], np.log(p), rtol=1e-9)
    assert io.loads(io.dumps(classifier)).loo_log_density_.tobytes() == classifier.loo_log_density_.tobytes()
