"""The state algebra of estimators that choose a penalty by folds: the answer of fit with folds of the rows' content."""

import copy
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import KFold

import mlwright
from mlwright._runtime import threads
from mlwright._runtime.errors import LossOfPrecisionWarning, ModelFormatError
from mlwright.linear_model import (
    ElasticNetCV,
    LassoCV,
    MultiTaskElasticNetCV,
    MultiTaskLassoCV,
    PenalizedRegressionCV,
    RidgeCV,
)
from mlwright.linear_model._content_folds import content_keys, fold_numbers

rng = np.random.default_rng(0)
N = 240
X = rng.standard_normal((N, 6)) * [1.0, 10.0, 0.1, 1.0, 1.0, 3.0] + [0.0, 5.0, 0.0, 0.0, -1.0, 0.0]
Y = X[:, :2] @ [[1.0, 0.2], [0.1, -0.2]] + rng.standard_normal((N, 2))
W = rng.integers(0, 3, N).astype(float)

EXACT = {"tol": 1e-10, "max_iter": 100_000}
MODELS = [
    LassoCV(alphas=15, **EXACT),
    LassoCV(alphas=[0.3, 0.1, 0.01], cv=3, positive=True, **EXACT),
    ElasticNetCV(l1_ratio=[0.4, 0.9], alphas=10, cv=4, fit_intercept=False, **EXACT),
    MultiTaskLassoCV(alphas=8, cv=3, **EXACT),
    MultiTaskElasticNetCV(l1_ratio=[0.5, 1.0], alphas=8, **EXACT),
    PenalizedRegressionCV("mcp", alphas=8, cv=3, **EXACT),
    RidgeCV([0.1, 1.0, 10.0, 100.0], cv=4),
    RidgeCV([1.0, 10.0], cv=3, scoring="neg_root_mean_squared_error", fit_intercept=False),
    RidgeCV([1e-3, 1.0], cv=2, scoring="neg_mean_squared_error"),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: repr(m)[:60])


def folds_of(X, y, k):
    return fold_numbers(content_keys(X) + content_keys(y), k)


def target_of(model):
    return Y if "MultiTask" in type(model).__name__ else Y[:, 0]


def splits_of(model, X, y):
    """The folds as pairs of row numbers, for ``fit``."""
    k = 5 if model.cv is None else model.cv
    number = folds_of(X, y.reshape(len(y), -1), k)
    return [(np.flatnonzero(number != f), np.flatnonzero(number == f)) for f in range(k)]


def streamed(model, *arrays, step=70):
    model = clone(model)
    for begin in range(0, len(arrays[0]), step):
        model.partial_fit(*(a[begin : begin + step] for a in arrays))
    return model


def assert_same(got, want, rtol=1e-9):
    for name in ("alpha_", "l1_ratio_", "alphas_", "mse_path_", "best_score_", "coef_", "intercept_", "objective_"):
        assert hasattr(got, name) == hasattr(want, name)
        if hasattr(got, name):
            want_it = getattr(want, name)
            np.testing.assert_allclose(getattr(got, name), want_it, rtol=rtol, atol=rtol * np.abs(want_it).max())


@each_model
def test_batches_equal_fit_with_the_same_folds(model):
    y = target_of(model)
    whole = clone(model).set_params(cv=splits_of(model, X, y)).fit(X, y)
    assert_same(streamed(model, X, y), whole)
    assert_same(clone(model).fit_stream((X[b : b + 33], y[b : b + 33]) for b in range(0, N, 33)), whole)


def test_weighted_batches_equal_fit_with_the_same_folds():
    model, y, seen = LassoCV(alphas=10, cv=3, **EXACT), Y[:, 0], W > 0.0
    whole = clone(model).set_params(cv=splits_of(model, X[seen], y[seen])).fit(X[seen], y[seen], W[seen])
    assert_same(streamed(model, X, y, W), whole)


@each_model
def test_neither_order_nor_batches_matter(model):
    y, order = target_of(model), np.random.default_rng(1).permutation(N)
    once = streamed(model, X, y, step=N)
    assert_same(streamed(model, X[order], y[order], step=50), once)
    a, b = streamed(model, X[:100], y[:100]), streamed(model, X[100:], y[100:])
    before = b.coef_.copy()
    assert_same(copy.deepcopy(a).merge(b), once)
    assert_same(copy.deepcopy(b).merge(a), once)
    np.testing.assert_array_equal(b.coef_, before)


@each_model
def test_forgotten_rows_were_never_there(model):
    y = target_of(model)
    assert_same(streamed(model, X, y).forget(X[150:], y[150:]), streamed(model, X[:150], y[:150]), rtol=1e-7)


@each_model
def test_a_weight_is_a_repetition(model):
    y, times = target_of(model), W.astype(int)
    repeated = streamed(model, np.repeat(X, times, axis=0), np.repeat(y, times, axis=0))
    assert_same(streamed(model, X, y, W), repeated)


@each_model
def test_the_same_bits_for_any_number_of_threads(model):
    y, answers = target_of(model), []
    for n in (1, 2, 3):
        with threads.limit(n):
            answers.append(streamed(model, X, y).coef_.tobytes())
    assert len(set(answers)) == 1


layouts = st.sampled_from(["C", "F", "strided", "reversed", "csr", "csc", "unordered csr"])


@given(st.integers(0, 10_000), layouts, st.sampled_from([np.float32, np.float64]), st.integers(2, 12))
def test_folds_follow_from_values_alone(seed, layout, dtype, k):
    random = np.random.default_rng(seed)
    values = np.round(random.standard_normal((20, 7)), 1) * (random.random((20, 7)) < 0.6)
    values, y = values.astype(np.float32).astype(np.float64), random.standard_normal((20, 2))
    want = folds_of(values + 0.0, y, k)
    assert 0 <= want.min() <= want.max() < k
    other = values.astype(dtype)
    other[other == 0.0] = -0.0
    if layout == "F":
        other = np.asfortranarray(other)
    elif layout == "strided":
        other = np.repeat(np.repeat(other, 2, axis=0), 3, axis=1)[::2, ::3]
    elif layout == "reversed":
        other = np.ascontiguousarray(other[::-1, ::-1])[::-1, ::-1]
    elif layout in ("csr", "csc"):
        other = sparse.csr_array(other).asformat(layout)
    elif layout == "unordered csr":  # two halves of each entry, and columns that fall
        half = sparse.csr_array(other) * 0.5
        indptr = 2 * half.indptr
        entries = [
            np.tile(a[b:e][::-1], 2)
            for a in (half.data, half.indices)
            for b, e in zip(half.indptr[:-1], half.indptr[1:], strict=True)
        ]
        other = sparse.csr_array(
            (np.concatenate(entries[:20]), np.concatenate(entries[20:]), indptr), shape=other.shape
        )
    np.testing.assert_array_equal(folds_of(other, y, k), want)


def test_folds_are_these_on_every_machine():
    values = np.arange(24.0).reshape(8, 3) / 8.0
    assert folds_of(values, values[:, :1], 5).tolist() == [2, 3, 4, 1, 2, 4, 2, 2]


def test_folds_are_about_equal_for_rows_of_few_values():
    random = np.random.default_rng(0)
    zeros_and_ones = (random.random((5000, 12)) < 0.5).astype(float)
    y = zeros_and_ones[:, :1]
    for table in (zeros_and_ones, random.integers(0, 50, (5000, 3)).astype(float), random.standard_normal((5000, 1))):
        counts = np.bincount(folds_of(table, y, 5), minlength=5)
        assert 800 < counts.min() <= counts.max() < 1200


def test_input_of_any_kind_is_one_stream(tmp_path):
    y, want = Y[:, 0], streamed(LassoCV(alphas=10), X, Y[:, 0])
    mixed = (
        LassoCV(alphas=10).partial_fit(sparse.csr_array(X[:80]), y[:80]).partial_fit(np.asfortranarray(X[80:]), y[80:])
    )
    assert_same(mixed, want)
    frame = pd.DataFrame({**{f"x{j}": X[:, j] for j in range(6)}, "y": y})
    parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "rows.parquet", row_group_size=50)
    for source in (tmp_path / "rows.parquet", pa.Table.from_pandas(frame, preserve_index=False)):
        model = LassoCV(alphas=10).fit_stream(source, target="y")
        assert_same(model, want)
        assert model.feature_names_in_.tolist() == [f"x{j}" for j in range(6)]
    ridge = RidgeCV(cv=3).fit_stream(tmp_path / "rows.parquet", target="y")
    assert ridge.feature_names_in_.tolist() == [f"x{j}" for j in range(6)]
    with pytest.raises(ValueError, match="feature names"):
        ridge.partial_fit(frame[["x1", "x0", "x2", "x3", "x4", "x5"]], y)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (RidgeCV(), r"RidgeCV.partial_fit: got cv=None, .* set cv=5"),
        (RidgeCV(cv=KFold(3)), r"got cv=KFold.*set cv=5"),
        (RidgeCV(cv=3, scoring="neg_median_absolute_error"), "got scoring='neg_median_absolute_error'"),
        (LassoCV(cv="alo"), r"got cv='alo', .* set cv=5"),
        (ElasticNetCV(cv=KFold(3)), r"ElasticNetCV.partial_fit: got cv=KFold"),
    ],
    ids=lambda m: repr(m)[:40],
)
def test_what_sums_do_not_tell_is_refused_by_name(model, why):
    assert not any(hasattr(model, verb) for verb in ("partial_fit", "fit_stream", "merge", "forget"))
    with pytest.raises(AttributeError, match=why):
        model.partial_fit(X, Y[:, 0])


@pytest.mark.parametrize("option", ["store_cv_results", "alpha_per_target"])
def test_ridge_options_of_leave_one_out_are_refused(option):
    with pytest.raises(AttributeError, match=f"got {option}=True"):
        RidgeCV(cv=5, **{option: True}).partial_fit(X, Y)


def refuses(model, error, match, call):
    before = pickle.dumps(vars(model))
    with pytest.raises(error, match=match):
        call(model)
    assert pickle.dumps(vars(model)) == before


@pytest.mark.parametrize("model", [LassoCV(alphas=5), RidgeCV(cv=5)], ids=["lasso", "ridge"])
def test_bad_input_leaves_the_model_as_it_was(model):
    y = Y[:, 0]
    refuses(clone(model), ValueError, r"fall into 1 of 5 folds", lambda m: m.partial_fit(X[:1], y[:1]))
    refuses(clone(model), ValueError, r"fall into 1 of 5 folds", lambda m: m.partial_fit(X[[0] * 50], y[[0] * 50]))
    refuses(clone(model), ValueError, "at least one non-zero", lambda m: m.partial_fit(X, y, np.zeros(N)))
    refuses(clone(model), ValueError, "no batch that has rows", lambda m: m.fit_stream([]))
    refuses(clone(model), ValueError, "forget, .*: this model is not fitted", lambda m: m.forget(X, y))
    fitted = clone(model).fit(X, y)
    for verb in ("partial_fit", "forget", "merge"):
        refuses(fitted, AttributeError, f"{verb}: .* fitted by fit, whose folds go", lambda m, v=verb: getattr(m, v))
    seen = streamed(model, X[:100], y[:100])
    refuses(seen, ValueError, "merge, .* fitted by fit", lambda m: m.merge(fitted))
    refuses(seen, ValueError, "NaN", lambda m: m.partial_fit(X * [1, 1, np.nan, 1, 1, 1], y))
    refuses(seen, ValueError, "features", lambda m: m.partial_fit(X[:, :5], y))
    refuses(seen, ValueError, "rows that it was fitted on", lambda m: m.forget(X[:220], y[:220]))
    refuses(seen, ValueError, "fall into 0 of 5 folds", lambda m: m.forget(X[:100], y[:100]))
    other = streamed(clone(model).set_params(cv=3), X, y)
    refuses(seen, ValueError, "cv: got rows in 3 folds, expected 5", lambda m: m.merge(other))
    refuses(seen.set_params(cv=3), ValueError, "cv: got rows in 3 folds, expected 5", lambda m: m.partial_fit(X, y))


def test_rows_are_found_only_in_their_own_fold():
    folds = folds_of(X, Y[:, :1], 5)
    some = folds != 2
    model = streamed(LassoCV(alphas=5), X[some], Y[some, 0])
    assert model.mse_path_.shape == (5, 4)  # a fold without rows is no fold
    refuses(model, ValueError, "a fold of which the model has no row", lambda m: m.forget(X[~some], Y[~some, 0]))
    model.partial_fit(X[~some], Y[~some, 0])
    assert model.mse_path_.shape == (5, 5)
    model.forget(X[~some], Y[~some, 0])
    assert_same(model, streamed(LassoCV(alphas=5), X[some], Y[some, 0]), rtol=1e-8)


def test_fit_begins_anew_and_a_stream_after_fit_does_too():
    y = Y[:, 0]
    model = streamed(LassoCV(alphas=5), X, y)
    assert_same(model.fit(X, y), LassoCV(alphas=5).fit(X, y))
    with pytest.raises(AttributeError, match="fitted by fit"):
        model.partial_fit(X, y)
    alo = LassoCV(alphas=5, cv="alo").fit(X, y).set_params(cv=5).fit_stream([(X, y)])
    assert not hasattr(alo, "loo_predictions_")
    assert_same(alo, streamed(LassoCV(alphas=5), X, y))


def test_ridge_warns_where_rounding_decides():
    exact = X @ np.arange(6.0)
    with pytest.warns(LossOfPrecisionWarning, match="lost digits to rounding"):
        model = RidgeCV([1e-9, 1.0], cv=3).partial_fit(X, exact)
    np.testing.assert_allclose(model.coef_, np.arange(6.0), atol=1e-6)
    with pytest.warns(LossOfPrecisionWarning):  # the same column twice, no penalty to speak of
        RidgeCV([0.0, 1e-14], cv=3).partial_fit(np.hstack([X, X[:, :1]]), Y[:, 0])
    with pytest.raises(ValueError, match="R2 is not defined"):
        RidgeCV(cv=5).partial_fit(X[:6], Y[:6, 0])


@each_model
def test_model_files_go_on_streaming(model, tmp_path):
    y = target_of(model)
    mlwright.save(streamed(model, X[:150], y[:150]), tmp_path / "model")
    loaded = mlwright.load(tmp_path / "model")
    assert_same(loaded.partial_fit(X[150:], y[150:]), streamed(model, X, y))


def test_damaged_sums_of_a_fold_are_refused():
    model = streamed(LassoCV(alphas=5), X, Y[:, 0])
    model._fold_statistics[1] = {**model._fold_statistics[1], "scatter": np.full((7, 7), np.nan)}
    with pytest.raises(ModelFormatError, match="not finite"):
        model._validate_state()
