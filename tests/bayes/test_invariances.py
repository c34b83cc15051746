"""What changes nothing, of every Bayesian estimator: the order of rows and columns, units, rows repeated or weighted.

Estimators and their rows are those of ``test_contract_of_each.py``.
"""

import inspect

import numpy as np
import pytest
from sklearn.base import clone

from mlwright import bayes
from mlwright.gaussian_process import GaussianProcessRegressor
from mlwright.linear_model import ARDRegression, BayesianRidge
from tests.bayes.test_contract_of_each import CASES

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*score_loo_ is uncertain:UserWarning"),
]
RTOL = 1e-8
RNG = np.random.default_rng(3)
ORDER, TIMES, COLUMNS = RNG.permutation(60), RNG.integers(1, 4, 60), np.array([2, 0, 1])
UNITS, ORIGIN = np.array([4.0, 1024.0, 2.0**-5]), np.array([3.0, -50.0, 7.0])
BART = (bayes.BARTRegressor, bayes.BARTClassifier)
OF_UNITS = (
    BayesianRidge,
    ARDRegression,
    bayes.NormalInverseGammaRegressor,
    GaussianProcessRegressor,
)  # priors in units
IN_CLOSED_FORM = (*OF_UNITS, bayes.BayesianLinearRegression)


def cases(holds=lambda case: True):
    kept = [case for case in CASES if holds(case)]
    return pytest.mark.parametrize("case", kept, ids=lambda case: case.name)


def takes_weights(case):
    return "sample_weight" in inspect.signature(case.model.fit).parameters


def is_real(case):
    return np.issubdtype(case.y.dtype, np.floating) and case.y.min() < 0.0


def has_groups(case):
    return bool(getattr(case.model, "group_effects", ()))


def fit(case, X, y, **weights):
    return clone(case.model).fit(X, y, **weights)


def answers(model, new):
    """A table a question: the middle, the ends, and what is said of the fit as a whole."""
    middle = model.predict_proba(new) if hasattr(model, "predict_proba") else model.predict(new)
    return [
        middle,
        model.predict_interval(new, 0.8),
        np.array([getattr(model, "log_evidence_", 0.0), model.score_loo_]),
    ]


def assert_same(got, want, rtol=RTOL):
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max())


@pytest.fixture(scope="module")
def plain():
    cache = {}

    def of(case):
        if case.name not in cache:
            cache[case.name] = answers(case.fit(), case.new)
        return cache[case.name]

    return of


@cases(takes_weights)
def test_a_weight_is_a_repetition(case):
    weighted = fit(case, case.X, case.y, sample_weight=TIMES.astype(float))
    repeated = fit(case, np.repeat(case.X, TIMES, axis=0), np.repeat(case.y, TIMES))
    assert_same(answers(weighted, case.new), answers(repeated, case.new))


def moved(case, X, by, times):
    return np.column_stack([X[:, :2] * times[:2] + by[:2], X[:, 2:]]) if has_groups(case) else (X * times + by)


@cases()
def test_the_order_of_rows_and_the_origin_of_columns_are_nothing(case, plain):
    by, times = ORIGIN[: case.X.shape[1]], np.ones(case.X.shape[1])
    model = fit(case, moved(case, case.X[ORDER], by, times), case.y[ORDER])
    assert_same(answers(model, moved(case, case.new, by, times)), plain(case))


@cases(lambda case: not isinstance(case.model, OF_UNITS))
def test_units_of_columns_are_nothing(case, plain):
    model = fit(case, moved(case, case.X, np.zeros(3), UNITS), case.y)
    assert_same(answers(model, moved(case, case.new, np.zeros(3), UNITS)), plain(case))


@cases(lambda case: is_real(case) and not isinstance(case.model, OF_UNITS))
def test_units_and_origin_of_targets_are_theirs_alone(case, plain):
    middle, ends, of_fit = answers(fit(case, case.X, 8.0 * case.y + 5.0), case.new)
    want = plain(case)
    jacobian = np.log(8.0) * np.array([59 if want[2][0] != 0.0 else 0, 60])  # the flat intercept is in units of y
    assert_same([(middle - 5.0) / 8.0, (ends - 5.0) / 8.0, of_fit + jacobian], want)


@cases(lambda case: isinstance(case.model, IN_CLOSED_FORM) and case.X.shape[1] == 3)
def test_the_order_of_columns_is_nothing(case, plain):
    assert_same(answers(fit(case, case.X[:, COLUMNS], case.y), case.new[:, COLUMNS]), plain(case))


@cases(lambda case: not isinstance(case.model, IN_CLOSED_FORM) and not has_groups(case))
def test_the_order_of_columns_is_nothing_but_other_draws(case):
    near = 0.1
    model = clone(case.model)
    if isinstance(model, BART):  # whose chains turn slowly from one column to another
        model.set_params(draws=1500)
        near = 0.3
    one, other = clone(model).fit(case.X, case.y), model.fit(case.X[:, COLUMNS], case.y)
    (a, ends, of_fit), (b, others, of_other) = answers(one, case.new), answers(other, case.new[:, COLUMNS])
    width = (ends[..., 1] - ends[..., 0]).max()
    assert np.abs(a - b).max() < near * width
    assert np.abs(ends - others).max() < 2.5 * near * width
    np.testing.assert_allclose(of_fit, of_other, atol=20 * near)
    mixed = answers(one, case.new[:, COLUMNS])[0]
    assert np.abs(mixed - a).max() > near * width  # columns that change places would show
