"""SharedSearchCV of Ridge: scikit-learn's results from one pass, and separate fits where that is not good enough."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit

from mlwright.linear_model import Ridge
from mlwright.linear_model._ridge import path
from mlwright.model_selection import SharedSearchCV

GRID = {"alpha": [0.0, 0.3, 20.0], "fit_intercept": [True, False]}


def data(n=80, p=5, t=0):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + 1.0
    y = X @ rng.standard_normal((p, max(t, 1))) + rng.standard_normal((n, max(t, 1))) + 3.0
    return X, y[:, 0] if t == 0 else y, rng.random(n) + 0.2


@pytest.fixture
def shared(monkeypatch):
    """Whether searches were answered without fits."""
    answers = []

    def watch(*args):
        answers.append(path.scores_on_splits(*args))
        return answers[-1]

    monkeypatch.setattr(Ridge, "_score_all", staticmethod(watch))
    return lambda: [answer is not None for answer in answers]


def assert_same_search(ours, theirs):
    assert ours.best_params_ == theirs.best_params_
    for name, values in theirs.cv_results_.items():
        if name.endswith("_score"):
            np.testing.assert_allclose(ours.cv_results_[name], values, rtol=1e-9, atol=1e-11, err_msg=name)
    np.testing.assert_allclose(ours.best_estimator_.coef_, theirs.best_estimator_.coef_, rtol=1e-9)


@pytest.mark.parametrize("cv", [5, KFold(3, shuffle=True, random_state=0), TimeSeriesSplit(3)], ids=str)
@pytest.mark.parametrize("scoring", [None, "r2", "neg_mean_squared_error", "neg_root_mean_squared_error"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("targets", [0, 2])
def test_results_are_those_of_separate_fits(shared, cv, scoring, weighted, targets):
    X, y, w = data(t=targets)
    params = {"sample_weight": w} if weighted else {}
    settings = {"cv": cv, "scoring": scoring, "return_train_score": True}
    ours = SharedSearchCV(Ridge(), GRID, **settings).fit(X, y, **params)
    assert_same_search(ours, GridSearchCV(Ridge(), GRID, **settings).fit(X, y, **params))
    assert shared() == [True]


@pytest.mark.parametrize("form", [sparse.csr_array, np.asfortranarray])
def test_forms_of_X(shared, form):
    X, y, _ = data()
    X[X < 0.5] = 0.0
    ours = SharedSearchCV(Ridge(), GRID).fit(form(X), y)
    assert_same_search(ours, GridSearchCV(Ridge(), GRID).fit(X, y))
    assert shared() == [True]


@pytest.mark.parametrize(
    ("settings", "grid"),
    [
        ({}, {"alpha": [0.5, np.ones(1)]}),
        ({}, {"alpha": [0.5], "positive": [False, True]}),
        ({"scoring": "neg_mean_absolute_error"}, GRID),
        ({"scoring": ["r2", "neg_mean_squared_error"], "refit": "r2"}, GRID),
        ({"scoring": lambda model, X, y: model.score(X, y)}, GRID),
    ],
)
def test_separate_fits_where_nothing_is_shared(shared, settings, grid):
    X, y, _ = data()
    ours = SharedSearchCV(Ridge(), grid, cv=3, **settings).fit(X, y)
    assert_same_search(ours, GridSearchCV(Ridge(), grid, cv=3, **settings).fit(X, y))
    assert shared() == [False]


def test_separate_fits_where_rounding_would_show(shared):
    X, y, _ = data()
    X[:, 1] = X[:, 0] * (1.0 + 1e-6 * y)
    SharedSearchCV(Ridge(), {"alpha": [1e-13, 1.0]}, cv=3).fit(X, y)
    X, _, _ = data()
    SharedSearchCV(Ridge(), {"alpha": [1e-9]}, cv=3).fit(X, X.sum(axis=1))
    assert shared() == [False, False]


def test_bad_parameters_and_rows_fail_as_in_scikit_learn():
    X, y, _ = data()
    with pytest.raises(ValueError, match="All the 3 fits failed"):
        SharedSearchCV(Ridge(), {"alpha": [-1.0]}, cv=3).fit(X, y)
    with pytest.raises(ValueError, match="Invalid parameter 'beta'"):
        SharedSearchCV(Ridge(), {"beta": [1.0]}, cv=3).fit(X, y)
    with pytest.raises(ValueError, match="All the 3 fits failed"):
        SharedSearchCV(Ridge(), {"alpha": [1.0]}, cv=3).fit(np.full_like(X, np.nan), y)


def test_a_subclass_with_a_fit_of_its_own_shares_nothing(shared):
    class Own(Ridge):
        def fit(self, X, y, sample_weight=None):
            return super().fit(X, -y, sample_weight)

    X, y, _ = data()
    search = SharedSearchCV(Own(), {"alpha": [1.0]}, cv=3).fit(X, y)
    assert search.best_score_ < 0.0
    assert shared() == []
