"""TableEncoder: a row of whole weight w is w rows, one of weight 0 is no row."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import KFold, ShuffleSplit

from mlwright.preprocessing import TableEncoder

N = 80
RNG = np.random.default_rng(5)
WEIGHT = RNG.integers(0, 4, N)
Y = RNG.normal(size=N)
REPEATED = RNG.permutation(np.repeat(np.arange(N), WEIGHT)).tolist()
OPTIONS = {
    "linear": {},
    "trees": {"categories": "ordinal", "missing": "keep", "scale": False, "datetimes": "parts"},
    "pooled": {"max_categories": 3},
    "a share": {"min_frequency": 0.15, "handle_unknown": "error"},
    "counted": {"min_frequency": 20},
    "targets": {"categories": "target"},
    "targets of classes": {"categories": "target", "target_type": "multiclass", "smooth": 2.0},
}


def table():
    rng = np.random.default_rng(6)
    x, day = rng.lognormal(size=N), rng.integers(0, 900, N).tolist()
    x[::7] = np.nan
    only_without_weight = np.where(WEIGHT == 0, 1.0, np.nan)
    return pl.DataFrame(
        {
            "x": x,
            "flag": rng.random(N) < 0.3,
            "group": rng.choice(list("abcdefg"), N, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05]),
            "day": [date(2020, 1, 1) + timedelta(days=d) for d in day],
            "gone": only_without_weight,
        },
        nan_to_null=True,
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_a_weight_is_a_repetition(name):
    X = table()
    y = np.digitize(Y, [-0.5, 0.5]) if "classes" in name else Y
    ours = TableEncoder(**OPTIONS[name]).fit(X, y, sample_weight=WEIGHT)
    theirs = TableEncoder(**OPTIONS[name]).fit(X[REPEATED], y[REPEATED])
    assert ours.kinds_ == theirs.kinds_
    assert ours.kinds_[-1] == "empty"
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    np.testing.assert_allclose(ours.transform(X[REPEATED]), theirs.transform(X[REPEATED]), rtol=1e-9, atol=1e-12)
    without = TableEncoder(**OPTIONS[name]).fit(X, y)
    assert without.get_feature_names_out().tolist() != ours.get_feature_names_out().tolist()


def test_target_means_are_crossfitted_with_weights():
    """Of folds that repeat with their rows, cross-fitted means repeat, too; no row of weight 0 is seen by others."""
    X, y = table().select("group"), Y.copy()
    fold = np.random.default_rng(0).integers(0, 3, N)

    def splits(fold):
        return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]

    how = {"categories": "target", "target_type": "continuous"}
    ours = TableEncoder(cv=splits(fold), **how).fit_transform(X, y, sample_weight=WEIGHT)
    theirs = TableEncoder(cv=splits(fold[REPEATED]), **how).fit_transform(X[REPEATED], y[REPEATED])
    np.testing.assert_allclose(ours[REPEATED], theirs, rtol=1e-9, atol=1e-12)
    y[WEIGHT == 0] += 100.0
    again = TableEncoder(cv=splits(fold), **how).fit_transform(X, y, sample_weight=WEIGHT)
    np.testing.assert_allclose(again, ours, rtol=1e-9)


def test_a_splitter_for_target_means():
    X = table().select("group")
    ours = TableEncoder(categories="target", cv=KFold(4)).fit_transform(X, Y)
    pairs = TableEncoder(categories="target", cv=list(KFold(4).split(Y))).fit_transform(X, Y)
    np.testing.assert_array_equal(ours, pairs)
    with pytest.raises(ValueError, match="cv: got splits that do not test every row once"):
        TableEncoder(categories="target", cv=ShuffleSplit(3, random_state=0)).fit_transform(X, Y)


def test_bad_weights():
    X = table()
    with pytest.raises(ValueError, match="Negative values"):
        TableEncoder().fit(X, sample_weight=-np.ones(N))
    with pytest.raises(ValueError, match=r"sample_weight.shape"):
        TableEncoder().fit(X, sample_weight=np.ones(N - 1))
    with pytest.raises(ValueError, match="no cell that is not missing"):
        TableEncoder().fit(X.select("gone"), sample_weight=WEIGHT)
