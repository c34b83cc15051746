"""Mixtures against scikit-learn, and by the laws that they obey."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn import mixture as peer
from sklearn.exceptions import ConvergenceWarning

import mlwright
from mlwright import NumericalError
from mlwright._runtime import threads
from mlwright.mixture import BayesianGaussianMixture, GaussianMixture
from mlwright.mixture._covariances import TYPES, full_covariances

PAIRS = [(GaussianMixture, peer.GaussianMixture), (BayesianGaussianMixture, peer.BayesianGaussianMixture)]
STARTS = ["kmeans", "k-means++", "random", "random_from_data"]
each_type = pytest.mark.parametrize("covariance_type", TYPES)
each_class = pytest.mark.parametrize("cls", [GaussianMixture, BayesianGaussianMixture])


def table(n=300, d=3, k=3, seed=0):
    rng = np.random.default_rng(seed)
    means, turns = 4.0 * rng.standard_normal((k, d)), 0.5 * rng.standard_normal((k, d, d)) + np.eye(d)
    of = rng.integers(0, k, n)
    return np.einsum("nij,nj->ni", turns[of], rng.standard_normal((n, d))) + means[of]


def fit(model, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*args, **kwargs)


def holes_in(X, share, seed=1):
    rng = np.random.default_rng(seed)
    holes = X.copy()
    holes[rng.random(X.shape) < share] = np.nan
    return holes


def given_start(d=3, k=2, covariance_type="full"):
    full = np.stack([np.eye(d)] * k)
    precisions = {"full": full, "tied": np.eye(d), "diag": np.ones((k, d)), "spherical": np.ones(k)}
    return {
        "n_components": k, "covariance_type": covariance_type, "weights_init": np.full(k, 1 / k),
        "means_init": np.linspace(-2.0, 2.0, k)[:, None] * np.ones(d), "precisions_init": precisions[covariance_type],
    }  # fmt: skip


FITTED = ["weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_", "lower_bound_", "lower_bounds_"]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@each_type
@pytest.mark.parametrize("init_params", STARTS)
def test_the_answers_are_scikit_learns(ours, theirs, covariance_type, init_params):
    X = table()
    settings = {"n_components": 3, "covariance_type": covariance_type, "init_params": init_params, "reg_covar": 1e-3}
    a, b = (fit(cls(**settings, max_iter=15, n_init=2, tol=1e-4, random_state=3), X) for cls in (ours, theirs))
    for name in FITTED:
        got, want = np.asarray(getattr(a, name)), np.asarray(getattr(b, name))  # some are of shape (n, 1) there
        np.testing.assert_allclose(got, want.reshape(got.shape), rtol=1e-6, atol=1e-8, err_msg=name)
    assert (a.n_iter_, a.converged_) == (b.n_iter_, b.converged_)
    new = table(seed=5)
    np.testing.assert_allclose(a.score_samples(new), b.score_samples(new), rtol=1e-6)
    np.testing.assert_allclose(a.predict_proba(new), b.predict_proba(new), atol=1e-6)
    assert (a.predict(new) == b.predict(new)).all()
    for drawn, expected in zip(a.sample(20), b.sample(20), strict=True):
        np.testing.assert_allclose(drawn, expected, rtol=1e-5)
    if ours is GaussianMixture:
        assert (a.aic(X), a.bic(X)) == pytest.approx((b.aic(X), b.bic(X)))
    else:
        np.testing.assert_allclose(a.mean_precision_, b.mean_precision_, rtol=1e-7)
        np.testing.assert_allclose(a.degrees_of_freedom_, b.degrees_of_freedom_, rtol=1e-7)


@each_type
@pytest.mark.parametrize("kind", ["dirichlet_process", "dirichlet_distribution"])
def test_priors_are_scikit_learns(covariance_type, kind):
    X = table()
    covariance = {"full": np.eye(3), "tied": 2 * np.eye(3), "diag": np.ones(3), "spherical": 0.5}[covariance_type]
    settings = {
        "n_components": 4, "covariance_type": covariance_type, "weight_concentration_prior_type": kind,
        "weight_concentration_prior": 0.3, "mean_precision_prior": 0.1, "mean_prior": [1.0, 0.0, -1.0],
        "degrees_of_freedom_prior": 5.5, "covariance_prior": covariance, "random_state": 0, "max_iter": 20,
    }  # fmt: skip
    a, b = (fit(cls(**settings), X) for cls in (BayesianGaussianMixture, peer.BayesianGaussianMixture))
    for name in FITTED:
        got, want = np.asarray(getattr(a, name)), np.asarray(getattr(b, name))  # some are of shape (n, 1) there
        np.testing.assert_allclose(got, want.reshape(got.shape), rtol=1e-6, atol=1e-8, err_msg=name)


@each_type
def test_given_starts_and_warm_starts_are_scikit_learns(covariance_type):
    X = table()
    start = given_start(covariance_type=covariance_type)
    a, b = (cls(**start, max_iter=2, warm_start=True) for cls in (GaussianMixture, peer.GaussianMixture))
    for _ in range(2):
        fit(a, X), fit(b, X)
        np.testing.assert_allclose(a.covariances_, b.covariances_, rtol=1e-9)
        assert a.lower_bound_ == pytest.approx(b.lower_bound_, rel=1e-12)
    untouched = GaussianMixture(**start, max_iter=0).fit(X)
    np.testing.assert_allclose(untouched.precisions_, start["precisions_init"])
    assert (untouched.n_iter_, untouched.lower_bound_, untouched.lower_bounds_) == (0, -np.inf, [])


@each_class
@each_type
@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1))
def test_the_bound_never_falls(cls, covariance_type, seed):
    rng = np.random.default_rng(seed)
    X = holes_in(table(120, seed=seed), 0.3 * (seed % 2), seed)
    w = None if seed % 3 else rng.integers(1, 4, len(X))
    model = fit(cls(n_components=3, covariance_type=covariance_type, max_iter=20, random_state=0), X, sample_weight=w)
    rises = np.diff(model.lower_bounds_)
    # reg_covar is no part of the objective; what it takes is small
    assert (rises > -1e-4 * (1.0 + abs(model.lower_bound_))).all()


@each_class
@each_type
@pytest.mark.parametrize("share", [0.0, 0.25])
def test_a_weight_is_a_repetition(cls, covariance_type, share):
    X = holes_in(table(), share)
    w = np.random.default_rng(2).integers(0, 4, len(X))
    start = given_start(covariance_type=covariance_type)
    if cls is BayesianGaussianMixture:
        start = {"n_components": 1, "covariance_type": covariance_type}
    a = fit(cls(**start, max_iter=10, tol=0.0), X, sample_weight=w)
    b = fit(cls(**start, max_iter=10, tol=0.0), np.repeat(X, w, axis=0))
    np.testing.assert_allclose(a.means_, b.means_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(a.covariances_, b.covariances_, rtol=1e-8, atol=1e-9)
    assert a.lower_bound_ == pytest.approx(b.lower_bound_)


@each_type
def test_densities_with_missing_values_are_those_of_the_observed_part(covariance_type):
    model = fit(GaussianMixture(3, covariance_type=covariance_type, random_state=0), table())
    X = holes_in(table(60, seed=7), 0.5)
    covariances = full_covariances(model.covariances_, covariance_type, 3, 3)
    got = model.score_samples(X)
    for row, log_density in zip(X, got, strict=True):
        seen = ~np.isnan(row)
        parts = np.log(model.weights_)
        if seen.any():
            blocks = covariances[:, seen][:, :, seen]
            parts = parts + [
                multivariate_normal(mean[seen], block).logpdf(row[seen])
                for mean, block in zip(model.means_, blocks, strict=True)
            ]
        assert log_density == pytest.approx(logsumexp(parts), abs=1e-10)


def test_one_gaussian_with_missing_values_is_the_maximum_likelihood_answer():
    """Monotone missingness, for which the answer is known: regress the second column on the first (Anderson 1957)."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2)) @ [[1.0, 0.8], [0.0, 0.5]] + [1.0, -2.0]
    X[250:, 1] = np.nan
    model = GaussianMixture(tol=1e-13, max_iter=5000, reg_covar=0.0).fit(X)
    first, both = X[:, 0], X[:250]
    slope = np.cov(both.T, bias=True)[0, 1] / both[:, 0].var()
    mean = [first.mean(), both[:, 1].mean() + slope * (first.mean() - both[:, 0].mean())]
    left = both[:, 1].var() - slope**2 * both[:, 0].var()
    np.testing.assert_allclose(model.means_[0], mean, atol=1e-5)
    expected = [[first.var(), slope * first.var()], [slope * first.var(), left + slope**2 * first.var()]]
    np.testing.assert_allclose(model.covariances_[0], expected, atol=1e-5)


@each_class
@each_type
def test_a_fit_of_rows_without_holes_does_not_depend_on_the_way(cls, covariance_type):
    """One row of which nothing is known sends all others through the passes for patterns, and adds no information."""
    X = table()
    settings = {"n_components": 1, "covariance_type": covariance_type, "max_iter": 1, "reg_covar": 0.0}
    if cls is GaussianMixture:
        settings |= given_start(k=2, covariance_type=covariance_type)
    a = fit(cls(**settings), X)
    b = fit(cls(**settings), np.vstack([X, np.full(3, np.nan)]), sample_weight=np.append(np.ones(len(X)), 1e-12))
    np.testing.assert_allclose(a.means_, b.means_, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(a.covariances_, b.covariances_, rtol=1e-8, atol=1e-8)


@each_class
@each_type
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_partial_fit_adds_the_moments_of_new_rows(cls, covariance_type, share):
    X, more = holes_in(table(), share), holes_in(table(150, seed=9), share)
    model = fit(cls(n_components=3, covariance_type=covariance_type, random_state=0, reg_covar=0.01, max_iter=15), X)
    before = model.score(more)
    model.partial_fit(more)
    assert model.n_samples_seen_ == 450
    assert model._mass.sum() == pytest.approx(450)
    assert model.score(more) > before - 0.05
    # Of one component nothing is to be divided: the parts together are all rows.
    if share == 0.0:
        one = {"n_components": 1, "covariance_type": covariance_type, "reg_covar": 0.01, "random_state": 0}
        if cls is BayesianGaussianMixture:
            diagonal = {"diag": np.ones(3), "spherical": 1.0}.get(covariance_type, np.eye(3))
            one |= {"mean_prior": np.zeros(3), "covariance_prior": diagonal}
        parts = fit(cls(**one), X).partial_fit(more[:50]).partial_fit(more[50:])
        whole = fit(cls(**one), np.vstack([X, more]))
        np.testing.assert_allclose(parts.means_, whole.means_, rtol=1e-9)
        np.testing.assert_allclose(parts.covariances_, whole.covariances_, rtol=1e-9)


@each_class
def test_bits_do_not_depend_on_threads(cls):
    X = table(9000, 6, 4)
    answers = set()
    for n in (1, 2, 3, 8):
        with threads.limit(n):
            model = fit(cls(n_components=4, random_state=0, max_iter=3, init_params="random_from_data"), X)
            answers.add(model.means_.tobytes() + model.covariances_.tobytes() + model.score_samples(X).tobytes())
    assert len(answers) == 1


def test_far_away_rows_do_not_disturb_others():
    X = np.vstack([table(), np.full((1, 3), 1e9)])
    model = fit(GaussianMixture(2, random_state=0), X)
    assert (model.predict(X) == [*[model.predict(X[:1])[0]] * 300, model.predict(X[-1:])[0]]).all()
    assert np.isfinite(model.score_samples(X)).all()


@each_type
@pytest.mark.parametrize("n", [2, 5])
def test_constant_columns_and_few_rows(covariance_type, n):
    X = np.ones((n, 2))
    model = fit(GaussianMixture(1, covariance_type=covariance_type), X)
    np.testing.assert_allclose(model.means_, 1.0)
    with pytest.raises(ValueError, match="ill-defined empirical covariance"):
        fit(GaussianMixture(1, covariance_type=covariance_type, reg_covar=0.0), X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weights_init": [0.5, 0.6]}, "'weights_init' should be normalized: got the sum 1.1"),
        ({"weights_init": [1.0]}, r"'weights_init' should have the shape of \(2,\), but got \(1,\)"),
        ({"means_init": np.zeros((2, 2))}, r"'means_init' should have the shape of \(2, 3\)"),
        ({"precisions_init": -np.ones((2, 3, 3))}, "'full precision' should be symmetric, positive-definite"),
        ({"n_components": 301}, "Expected n_samples >= n_components but got n_components = 301, n_samples = 300"),
        ({"covariance_type": "round"}, "covariance_type"),
    ],
)
def test_wrong_parameters(parameters, message):
    model = GaussianMixture(**{"n_components": 2, **parameters})
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(table())
    assert vars(model) == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"degrees_of_freedom_prior": 2.0}, "'degrees_of_freedom_prior' should be greater than 2, but got 2.000"),
        ({"mean_prior": [1.0]}, r"'mean_prior' should have the shape of \(3,\)"),
        ({"covariance_prior": -np.eye(3)}, "'full covariance_prior' should be symmetric, positive-definite"),
        ({"covariance_type": "diag", "covariance_prior": np.zeros(3)}, "'diag covariance_prior' should be positive"),
        ({"covariance_type": "spherical", "covariance_prior": np.ones(3)}, "should be a number; got an array"),
    ],
)
def test_wrong_priors(parameters, message):
    with pytest.raises(ValueError, match=message):
        BayesianGaussianMixture(**parameters).fit(table())


def test_bad_rows():
    X = table()
    model = fit(GaussianMixture(2, random_state=0), X)
    with pytest.raises(ValueError, match="infinity"):
        model.fit(np.vstack([X, np.full(3, np.inf)]))
    with pytest.raises(ValueError, match=r"column 1 of X has no value that is not NaN"):
        model.fit(np.where([False, True, False], np.nan, X))
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        model.fit(X, sample_weight=-np.ones(len(X)))
    for weight in (1e-300, 1e307):  # where empty components would count for more than rows; where the sum is infinite
        with pytest.raises(ValueError, match=r"sample_weight: got a sum of .*, expected a number from 1e-06 on"):
            model.fit(X, sample_weight=np.full(len(X), weight))
    for method in (model.predict, model.predict_proba):
        with pytest.raises(NumericalError, match="row 1 of X has no density above zero under any component"):
            method(np.vstack([X[:1], np.full((1, 3), 1e200)]))
    with pytest.raises(ValueError, match=r"n_samples = 1 \(rows of positive weight\)"):
        model.fit(X, sample_weight=np.eye(len(X))[0])
    with pytest.raises(ValueError, match="3 features"):
        model.partial_fit(X[:, :2])
    with pytest.raises(NumericalError, match="whose squares overflow"):
        GaussianMixture(**given_start()).fit(X * 1e200)
    with pytest.raises(ValueError, match="at least one sample"):
        model.sample(0)
    model.set_params(warm_start=True, n_components=3)
    with pytest.raises(ValueError, match="warm_start=True, but the last fit had other components"):
        model.fit(X)
    assert model.means_.shape == (2, 3)


def test_the_start_of_a_fit_that_goes_on_is_the_last_one():
    X = table()
    once = fit(GaussianMixture(2, random_state=0, max_iter=6, tol=0.0), X)
    twice = GaussianMixture(2, random_state=0, max_iter=3, tol=0.0, warm_start=True)
    fit(twice, X), fit(twice, X)
    assert (once.covariances_ == twice.covariances_).all()


@pytest.mark.parametrize("changed", [{"n_components": 2}, {"covariance_type": "diag"}])
def test_another_mixture_does_not_go_on_from_the_last_one(changed):
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = GaussianMixture(3, random_state=0).fit(X).set_params(**changed)
    means = model.means_.copy()
    with pytest.raises(ValueError, match="partial_fit, but the last fit"):
        model.partial_fit(X)
    assert (model.means_ == means).all()
    assert model.predict(X).shape == (40,)


def test_progress(capsys):
    fit(GaussianMixture(2, random_state=0, max_iter=6, tol=0.0, verbose=2, verbose_interval=3), table())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" lower_bound")[0] for line in lines] == ["[mlwright] mixture 3/6", "[mlwright] mixture 6/6"]


ARRAYS = ["weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@each_type
def test_float32_comes_out_where_scikit_learns_does(ours, theirs, covariance_type):
    X = table()
    options = {"n_components": 3, "covariance_type": covariance_type, "random_state": 0}
    dtypes = (np.float32, np.float64)
    models = {(cls, dtype): fit(cls(**options), X.astype(dtype)) for cls in (ours, theirs) for dtype in dtypes}
    for dtype in dtypes:
        mine, other = models[ours, dtype], models[theirs, dtype]
        for name in ARRAYS:
            assert getattr(mine, name).dtype == getattr(other, name).dtype, name
            np.testing.assert_allclose(
                getattr(mine, name), getattr(models[ours, np.float64], name), rtol=1e-3, atol=1e-4
            )
        for rows in (X.astype(np.float32), X):
            for answer in ("predict_proba", "score_samples", "predict"):
                assert getattr(mine, answer)(rows).dtype == getattr(other, answer)(rows).dtype
        assert mine.sample(5)[0].dtype == np.float64
    np.testing.assert_allclose(
        models[ours, np.float32].predict_proba(X), models[ours, np.float64].predict_proba(X), atol=1e-4
    )


@each_type
def test_a_float32_mixture_goes_on_and_is_saved(covariance_type, tmp_path):
    X = table().astype(np.float32)
    model = fit(GaussianMixture(5, covariance_type=covariance_type, random_state=0), X[:200])
    model.partial_fit(X[200:].astype(np.float64))
    assert model.means_.dtype == model.covariances_.dtype == np.float32
    mlwright.save(model, tmp_path / "mixture.mlw")
    again = mlwright.load(tmp_path / "mixture.mlw")
    assert again.means_.dtype == np.float32
    holes = holes_in(X, 0.3)
    assert again.score_samples(holes).tobytes() == model.score_samples(holes).tobytes()
    np.testing.assert_array_equal(again.sample(50)[0], model.sample(50)[0])
    model.set_params(warm_start=True)
    assert fit(model, X).lower_bound_ >= model.score(X) - 1e-2


@pytest.mark.parametrize("scale", [1e25, 1e-24])
def test_variances_that_float32_does_not_hold_are_kept_in_float64(scale):
    X = (scale * table()).astype(np.float32)
    model = fit(GaussianMixture(2, reg_covar=0.0, random_state=0), X)
    assert model.covariances_.dtype == np.float64
    assert np.isfinite(model.score_samples(X)).all()
