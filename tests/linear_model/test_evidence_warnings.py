"""What BayesianRidge and ARDRegression say where rows do not tell the noise, or where units hid the columns."""

import warnings

import numpy as np
import pytest

from mlwright.linear_model import ARDRegression, BayesianRidge

BOTH = pytest.mark.parametrize("cls", [BayesianRidge, ARDRegression])
RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.3 * RNG.standard_normal(60)
WIDE = RNG.standard_normal((40, 600))


@BOTH
@pytest.mark.parametrize("rows", [X, WIDE], ids=["tall", "wide"])
@pytest.mark.parametrize("scale_invariant", [False, True])
@pytest.mark.parametrize("value", [0.0, 0.1, 7e5])
def test_constant_y(cls, rows, scale_invariant, value):
    y = np.full(len(rows), value)
    with pytest.warns(UserWarning, match=r"y does not vary, so that the noise, of standard deviation .* of the prior"):
        model = cls(scale_invariant=scale_invariant).fit(rows, y)
    np.testing.assert_allclose(model.predict(rows), value, rtol=1e-9, atol=1e-9)


@BOTH
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_one_row(cls, fit_intercept):
    with pytest.warns(UserWarning, match="the rows weigh 1 in all"):
        cls(fit_intercept=fit_intercept).fit(X[:1], Y[:1])
    with pytest.warns(UserWarning, match="the rows weigh 0.5 in all"):
        cls(fit_intercept=fit_intercept).fit(X, Y, np.full(60, 0.5 / 60))


@BOTH
def test_y_below_the_prior_of_its_noise(cls):
    with pytest.warns(UserWarning, match=r"y varies by .*, by less than the prior of its noise does") as told:
        model = cls().fit(X, 1e-5 * Y)
    assert "use scale_invariant=True" in str(told[0].message)
    assert np.diff(model.predict_interval(X)).min() > 1e-5  # of noise that is 3e-6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        free = cls(scale_invariant=True).fit(X, 1e-5 * Y)
        cls(alpha_2=1e-20).fit(X, 1e-4 * Y) if cls is BayesianRidge else None
    inside = np.abs(free.predict(X) - 1e-5 * Y) < 0.5 * np.diff(free.predict_interval(X))[:, 0]
    assert 0.8 < inside.mean() <= 1.0


@BOTH
@pytest.mark.parametrize("unit", [1e9, 1e40, 1e80, 1e140])
@pytest.mark.parametrize("wide", [False, True])
def test_units_of_y_that_end_at_the_mean_are_told_of(cls, unit, wide):
    rows, y = X, Y
    if wide:
        rows, y = np.hstack([X[:40], 1e-2 * WIDE]), Y[:40]
    with pytest.warns(UserWarning, match=r"the columns explain y \(with them the log evidence is higher by"):
        model = cls().fit(rows, unit * y)
    assert np.abs(model.predict(rows) - unit * y.mean()).max() < 0.05 * unit
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = cls(scale_invariant=True).fit(rows, unit * y)
    assert np.corrcoef(found.predict(rows), y)[0, 1] > 0.9


@BOTH
@pytest.mark.parametrize("scale_invariant", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_nothing_to_tell_of(cls, scale_invariant, seed):
    rng = np.random.default_rng(seed)
    for n, p in ((60, 3), (200, 1), (30, 60)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            cls(scale_invariant=scale_invariant).fit(rng.standard_normal((n, p)), 5.0 + rng.standard_normal(n))
