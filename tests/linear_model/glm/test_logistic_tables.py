"""Offsets and columns of categories of logistic regression: the laws that they obey."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse, special
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

import mlwright
from mlwright._runtime import threads
from mlwright.linear_model import GeneralizedLinearRegressor, LogisticRegression, LogisticRegressionCV
from mlwright.preprocessing import StandardScaler

EXACT = {"tol": 1e-9, "max_iter": 2000}
PENALTIES = [
    {"C": np.inf},
    {"C": 0.3},
    {"C": 0.3, "l1_ratio": 1.0},
    {"C": 0.3, "l1_ratio": 0.5},
]
IDS = ["none", "l2", "l1", "elasticnet"]


def table(n_classes=2, n=500):
    """A frame with two columns of categories, the same one-hot, classes and offsets."""
    rng = np.random.default_rng(n_classes)
    region, brand = rng.choice(["east", "north", "south"], n), rng.choice(list("abcd"), n)
    frame = pd.DataFrame(
        {"age": rng.uniform(18, 80, n), "region": pd.Categorical(region), "power": rng.normal(size=n), "brand": brand}
    )
    encoded = np.column_stack(
        [
            frame["age"],
            *(region == level for level in ("east", "north", "south")),
            frame["power"],
            *(brand == level for level in "abcd"),
        ]
    ).astype(float)
    offset = rng.normal(size=(n, n_classes))
    scores = offset + (encoded - encoded.mean(axis=0)) @ (rng.normal(size=(9, n_classes)) * [[0.01], *[[0.7]] * 8])
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    return frame, encoded, y, offset[:, 1] - offset[:, 0] if n_classes == 2 else offset


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("penalty", PENALTIES, ids=IDS)
def test_the_fit_with_an_offset_is_optimal(penalty, n_classes):
    """The gradient of the objective at the coefficients, by NumPy."""
    _, X, y, offset = table(n_classes)
    X = X[:, [0, 1, 2, 4]]
    w = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    model = LogisticRegression(**penalty, **EXACT).fit(X, y, w, offset=offset)
    assert model.converged_
    scores = (X @ model.coef_.T + model.intercept_).reshape(offset.shape) + offset
    if n_classes == 2:
        residual, scores = (special.expit(scores) - y)[:, None], np.column_stack([np.zeros(len(y)), scores])
    else:
        residual = special.softmax(scores, axis=1) - np.eye(n_classes)[y]
    strength, ratio = 1.0 / penalty["C"], penalty.get("l1_ratio", 0.0)
    slope = (w[:, None] * residual).T @ X + strength * (1.0 - ratio) * model.coef_
    at_zero = np.maximum(np.abs(slope) - strength * ratio, 0.0)
    distance = np.where(model.coef_ == 0.0, at_zero, np.abs(slope + strength * ratio * np.sign(model.coef_)))
    size = np.sqrt((w[:, None] * X**2).sum(axis=0) * model.objective_)
    assert (distance / size).max() < 1e-6
    assert np.abs((w[:, None] * residual).sum(axis=0)).max() < 1e-5 * len(y)
    loss = -(w * special.log_softmax(scores, axis=1)[np.arange(len(y)), y]).sum()
    penalised = strength * ((1 - ratio) / 2 * (model.coef_**2).sum() + ratio * np.abs(model.coef_).sum())
    assert model.objective_ == pytest.approx(loss + penalised, rel=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_offset_of_a_feature_shifts_its_coefficient(n_classes):
    _, X, y, offset = table(n_classes)
    X = X[:, [0, 1, 2, 4]]
    plain = LogisticRegression(C=np.inf, **EXACT).fit(X, y, offset=offset)
    c = np.array([0.7]) if n_classes == 2 else np.array([0.7, -0.2, 0.1])
    more = offset + np.squeeze(np.multiply.outer(X[:, 3], c), axis=1 if n_classes == 2 else ())
    moved = LogisticRegression(C=np.inf, **EXACT).fit(X, y, offset=more)
    shift = plain.coef_ - moved.coef_
    # Only differences of classes count without a penalty.
    centre = 0.0 if n_classes == 2 else shift.mean(axis=0)
    np.testing.assert_allclose((shift - centre)[:, :3], 0.0, atol=1e-6)
    np.testing.assert_allclose((shift - centre)[:, 3], c if n_classes == 2 else c - c.mean(), atol=1e-6)
    np.testing.assert_allclose(moved.predict_proba(X, offset=more), plain.predict_proba(X, offset=offset), atol=1e-7)
    np.testing.assert_allclose(moved.std_errors_, plain.std_errors_, rtol=1e-6)
    inferred = moved.inference(X, y, offset=more)
    np.testing.assert_allclose(inferred.std_errors, np.ravel(moved.std_errors_), rtol=1e-6)
    np.testing.assert_allclose(inferred.params, moved.inference().params)
    assert inferred.figures == {}
    with pytest.raises(ValueError, match="not zero for these rows"):
        moved.inference(X, y)


@pytest.mark.parametrize("penalty", PENALTIES[:2], ids=IDS[:2])
def test_two_classes_with_an_offset_are_the_binomial_model(penalty):
    frame, _, y, offset = table()
    w = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    model = LogisticRegression(**penalty, **EXACT).fit(frame, y, w, offset=offset)
    alpha = 1.0 / penalty["C"] / w.sum()
    other = GeneralizedLinearRegressor("binomial", alpha=alpha, **EXACT).fit(frame, y, w, offset=offset)
    p = model.predict_proba(frame, offset=offset)[:, 1]
    np.testing.assert_allclose(p, other.predict(frame, offset=offset), atol=1e-8)
    assert model.coef_names_.tolist() == other.coef_names_.tolist()
    if alpha:
        np.testing.assert_allclose(model.coef_[0], other.coef_, atol=1e-7)
        return
    mine, theirs = model.inference(frame, y, w, offset=offset), other.inference(frame, y, w, offset=offset)
    assert mine.names == theirs.names
    np.testing.assert_allclose(mine.params, theirs.params, atol=1e-7)
    np.testing.assert_allclose(model.std_errors_, theirs.std_errors, rtol=1e-6)


def test_an_offset_is_that_of_statsmodels():
    api = pytest.importorskip("statsmodels.api")
    _, X, y, offset = table()
    X = X[:, [0, 1, 2, 4]]
    model = LogisticRegression(C=np.inf, **EXACT).fit(X, y, offset=offset)
    other = api.GLM(y, api.add_constant(X), family=api.families.Binomial(), offset=offset).fit(tol=1e-14)
    np.testing.assert_allclose(np.append(model.intercept_, model.coef_), other.params, atol=1e-7)
    np.testing.assert_allclose(model.std_errors_, other.bse, rtol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("penalty", PENALTIES, ids=IDS)
def test_categories_equal_one_hot_columns(penalty, n_classes):
    frame, encoded, y, offset = table(n_classes)
    w = np.random.default_rng(20).integers(0, 3, len(y)).astype(float)
    model = LogisticRegression(**penalty, **EXACT).fit(frame, y, w, offset=offset)
    dense = LogisticRegression(**penalty, **EXACT).fit(encoded, y, w, offset=offset)
    assert model.objective_ == pytest.approx(dense.objective_, rel=1e-9)
    for ask in ("predict_proba", "decision_function", "predict_log_proba"):
        mine, theirs = getattr(model, ask)(frame, offset=offset), getattr(dense, ask)(encoded, offset=offset)
        if ask == "decision_function" and n_classes > 2:
            mine, theirs = (each - each.mean(axis=1, keepdims=True) for each in (mine, theirs))
        np.testing.assert_allclose(mine, theirs, atol=1e-7)
    assert model.score(frame, y, w, offset=offset) == dense.score(encoded, y, w, offset=offset)
    if np.isfinite(penalty["C"]) and penalty.get("l1_ratio") != 1.0:  # else the coefficients are not determined
        np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-7)
    levels = ["region=east", "region=north", "region=south", "power", "brand=a", "brand=b", "brand=c", "brand=d"]
    assert model.coef_names_.tolist() == ["age", *levels]
    assert model.n_features_in_ == 4
    assert model.feature_names_in_.tolist() == frame.columns.tolist()
    assert model.coef_.shape == (1 if n_classes == 2 else 3, 9)


@pytest.mark.parametrize("intercept", [True, False])
def test_standard_errors_of_levels_of_several_classes(intercept):
    frame, encoded, y, offset = table(3)
    model = LogisticRegression(C=np.inf, fit_intercept=intercept, **EXACT).fit(frame, y, offset=offset)
    keep = [0, 2, 3, 4, 6, 7, 8] if intercept else [0, 1, 2, 3, 4, 6, 7, 8]
    dense = clone(model).fit(encoded[:, keep], y, offset=offset)
    mine = model.inference(frame, y, offset=offset)
    theirs = dense.inference(encoded[:, keep], y, offset=offset)
    assert [name.split(": ")[1] for name in mine.names] == [*["intercept"] * intercept, *model.coef_names_[keep]] * 2
    np.testing.assert_allclose(mine.params, theirs.params, atol=1e-6)
    np.testing.assert_allclose(mine.std_errors, theirs.std_errors, rtol=1e-5)
    np.testing.assert_allclose(model.conf_int(), dense.conf_int(), atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_offsets_where_rows_are_few_or_sparse(n_classes):
    """Dual bases, wide descents and sparse rows have the optimum of a dense table."""
    rng = np.random.default_rng(3)
    y = np.arange(90) % n_classes
    offset = rng.normal(size=90) if n_classes == 2 else rng.normal(size=(90, n_classes))
    for p in (300, 12):
        X = rng.standard_normal((90, p)) * (rng.random((90, p)) < 0.3)
        model = LogisticRegression(C=0.1, **EXACT).fit(X, y, offset=offset)
        scores = (X @ model.coef_.T + model.intercept_).reshape(offset.shape) + offset
        p_minus = special.expit(scores) - y if n_classes == 2 else special.softmax(scores, axis=1) - np.eye(3)[y]
        gradient = p_minus.reshape(90, -1).T @ X + 10.0 * model.coef_
        assert np.abs(gradient).max() < 1e-5
        for shape in (sparse.csr_array(X), np.asfortranarray(X)):
            again = LogisticRegression(C=0.1, **EXACT).fit(shape, y, offset=offset)
            np.testing.assert_allclose(again.coef_, model.coef_, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("penalty", PENALTIES[1:3], ids=IDS[1:3])
def test_weights_repeat_rows_and_threads_change_no_bit(penalty, n_classes):
    frame, _, y, offset = table(n_classes)
    w = np.random.default_rng(4).integers(1, 3, len(y))
    model = LogisticRegression(**penalty, **EXACT).fit(frame, y, w, offset=offset)
    many = np.repeat(np.arange(len(y)), w)
    repeated = LogisticRegression(**penalty, **EXACT).fit(frame.iloc[many], y[many], offset=offset[many])
    np.testing.assert_allclose(repeated.coef_, model.coef_, atol=1e-7)
    for n_threads in (1, 3):
        with threads.limit(n_threads):
            again = LogisticRegression(**penalty, **EXACT).fit(frame, y, w, offset=offset)
        assert again.coef_.tobytes() == model.coef_.tobytes()


def test_files_other_libraries_warm_starts_and_routing(tmp_path):
    frame, _, y, offset = table(3)
    model = LogisticRegression(warm_start=True).fit(frame, y, offset=offset)
    mlwright.save(model, tmp_path / "m.mlw")
    loaded = mlwright.load(tmp_path / "m.mlw")
    p = model.predict_proba(frame, offset=offset)
    assert loaded.predict_proba(pl.from_pandas(frame), offset=offset).tobytes() == p.tobytes()
    assert loaded.coef_names_.tolist() == model.coef_names_.tolist()
    np.testing.assert_allclose(model.fit(frame, y, offset=offset).predict_proba(frame, offset=offset), p, atol=1e-3)
    plain = model.fit(frame[["age", "power"]], y)
    assert plain.is_categorical_ is None
    assert plain.coef_.shape == (3, 2)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = LogisticRegression().set_fit_request(offset=True).set_score_request(offset=True)
        search = GridSearchCV(make_pipeline(StandardScaler(), routed), {"logisticregression__C": [0.1, 1.0]}, cv=3)
        search.fit(frame[["age", "power"]].to_numpy(), y, offset=offset)
    assert search.best_score_ > 0.5


def test_what_is_refused():
    frame, encoded, y, offset = table(3)
    two = (y > 0).astype(int)
    with pytest.raises(
        ValueError, match=r"offset: got shape \(500,\), expected one number a row and class, \(500, 3\)"
    ):
        LogisticRegression().fit(encoded, y, offset=offset[:, 0])
    with pytest.raises(ValueError, match=r"offset: got shape \(500, 3\), expected one number a row, \(500,\)"):
        LogisticRegression().fit(encoded, two, offset=offset)
    hole = offset.copy()
    hole[7, 2] = np.nan
    with pytest.raises(ValueError, match="offset: row 7 is"):
        LogisticRegression().fit(encoded, y, offset=hole)
    model = LogisticRegression().fit(frame, y)
    before = model.coef_
    with pytest.raises(ValueError, match="offset: row 7 is"):
        model.fit(frame[["age"]], y, offset=hole)
    assert model.coef_ is before
    assert model.n_features_in_ == 4
    with pytest.raises(ValueError, match="offset: got shape"):
        model.predict(frame, offset=offset[:5])
    with pytest.raises(ValueError, match="column 'brand' has 'z' in row 5"):
        model.predict(frame.assign(brand=["z" if i == 5 else b for i, b in enumerate(frame["brand"])]))
    with pytest.raises(TypeError, match="expected a data frame"):
        model.predict(encoded)
    with pytest.raises(ValueError, match="NaN"):
        LogisticRegression().fit(frame.assign(age=np.nan), y)
    for dates in (
        frame.assign(day=pd.date_range("2020-01-01", periods=len(y))),
        frame.assign(day=pd.to_timedelta(y, "D")),
    ):
        with pytest.raises(TypeError, match=r"X: column 'day' holds D.*, expected numbers"):
            LogisticRegression().fit(dates, y)
    with pytest.raises(TypeError, match="X: column 'age' holds String"):
        model.predict(frame.assign(age="old"))
    for strange in ("abc", offset * 1j, offset.astype(str), np.zeros(offset.shape, "M8[D]"), [[1.0], [1.0, 2.0]]):
        with pytest.raises(TypeError, match=r"offset: got .* of what is no number, expected numbers"):
            LogisticRegression().fit(encoded, y, offset=strange)


@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
@pytest.mark.parametrize(("n_classes", "n", "ratios"), [(2, 500, [0.0, 0.5]), (2, 4000, [0.0, 0.5]), (3, 500, [0.5])])
def test_cross_validation_is_that_of_separate_fits(n_classes, n, ratios, scoring):
    """Folds side by side, one by one and with a Hessian that was lent; scores and choice by fits of single folds."""
    frame, encoded, y, offset = table(n_classes, n)
    cv, Cs = KFold(3, shuffle=True, random_state=0), [0.01, 0.3]
    settings = {"Cs": Cs, "l1_ratios": ratios, "cv": cv, "scoring": scoring, "use_legacy_attributes": False}
    model = LogisticRegressionCV(**settings, tol=1e-7, max_iter=1000).fit(frame, y, offset=offset)
    dense = LogisticRegressionCV(**settings, tol=1e-7, max_iter=1000).fit(encoded, y, offset=offset)
    for f, (train, test) in enumerate(cv.split(encoded)):
        for c, r in np.ndindex(len(Cs), len(ratios)):
            one = LogisticRegression(C=Cs[c], l1_ratio=ratios[r], tol=1e-7, max_iter=1000)
            one.fit(frame.iloc[train], y[train], offset=offset[train])
            if scoring is None:
                want = one.score(frame.iloc[test], y[test], offset=offset[test])
            else:
                want = -log_loss(y[test], one.predict_proba(frame.iloc[test], offset=offset[test]))
            for each in (model, dense):
                assert each.scores_[f, r, c] == pytest.approx(want, abs=1e-5)
                np.testing.assert_allclose(each.coefs_paths_[f, r, c, :, :-1], one.coef_, atol=1e-4)
    best = LogisticRegression(C=model.C_, l1_ratio=model.l1_ratio_, **EXACT).fit(frame, y, offset=offset)
    np.testing.assert_allclose(model.coef_, best.coef_, atol=1e-5)
    assert model.coef_names_.tolist() == best.coef_names_.tolist()
    if scoring is None:
        assert model.score(frame, y, offset=offset) == best.score(frame, y, offset=offset)
    else:
        want = -log_loss(y, best.predict_proba(frame, offset=offset))
        assert model.score(frame, y, offset=offset) == pytest.approx(want, abs=1e-6)
        assert model.score(frame, y) != pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_cross_validation_of_few_rows_and_approximate_leave_one_out(n_classes):
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((120, 300)), np.arange(120) % n_classes
    offset = rng.normal(size=120) if n_classes == 2 else rng.normal(size=(120, n_classes))
    settings = {"Cs": [0.01, 0.1], "scoring": "neg_log_loss", "use_legacy_attributes": False, "tol": 1e-7}
    model = LogisticRegressionCV(cv=3, **settings, max_iter=1000).fit(X, y, offset=offset)
    for f, (train, test) in enumerate(sklearn.model_selection.StratifiedKFold(3).split(X, y)):
        one = LogisticRegression(C=0.1, **EXACT).fit(X[train], y[train], offset=offset[train])
        want = -log_loss(y[test], one.predict_proba(X[test], offset=offset[test]))
        assert model.scores_[f, 0, 1] == pytest.approx(want, abs=1e-6)
    frame, _, y, offset = table(n_classes, 200)
    model = LogisticRegressionCV(cv="alo", **settings, max_iter=1000).fit(frame, y, offset=offset)
    row = 17
    rest = np.delete(np.arange(len(y)), row)
    one = LogisticRegression(C=model.C_, **EXACT).fit(frame.iloc[rest], y[rest], offset=offset[rest])
    exact = one.decision_function(frame.iloc[[row]], offset=offset[[row]])[0]
    guess = model.loo_decision_function_[row]
    if n_classes > 2:
        exact, guess = exact - exact.mean(), guess - guess.mean()
    np.testing.assert_allclose(guess, exact, atol=max(2 * model.alo_error_, 1e-3))
    assert model.alo_error_ < 0.2


@pytest.mark.parametrize("n_classes", [2, 3])
def test_rows_of_weight_zero_are_left_out_of_nothing(n_classes):
    """So their scores without them are those of the model, by the levels that they have."""
    frame, encoded, y, _ = table(n_classes, 200)
    w = np.where(np.arange(200) % 3 == 1, 0.0, 1.0)
    settings = {"Cs": [0.1], "cv": "alo", "tol": 1e-7, "max_iter": 1000}
    model = LogisticRegressionCV(**settings).fit(frame, y, w)
    none = w == 0.0
    np.testing.assert_allclose(model.loo_decision_function_[none], model.decision_function(frame)[none], atol=1e-9)
    other = LogisticRegressionCV(**settings).fit(encoded, y, w)
    np.testing.assert_allclose(model.loo_decision_function_, other.loo_decision_function_, atol=1e-5)
    rare = frame.assign(brand=np.where(np.arange(200) == 1, "rare", frame["brand"]))  # a level of no row that weighs
    assert "brand=rare" not in LogisticRegressionCV(**settings).fit(rare, y, w).coef_names_


def test_levels_that_are_numbers_are_named_as_they_are():
    _, _, y, _ = table()
    rows = np.arange(len(y)) % 2
    frame = pd.DataFrame(
        {"year": pd.Categorical(2019 + rows), "half": pd.Categorical(rows / 2), "word": rows.astype(str)}
    )
    model = LogisticRegression().fit(frame, y)
    assert model.coef_names_.tolist() == ["year=2019", "year=2020", "half=0", "half=0.5", "word=0", "word=1"]


def test_a_file_of_the_cross_validated_model_keeps_its_levels(tmp_path):
    frame, _, y, offset = table()
    model = LogisticRegressionCV(Cs=2, cv=3).fit(frame, y, offset=offset)
    mlwright.save(model, tmp_path / "m.mlw")
    loaded = mlwright.load(tmp_path / "m.mlw")
    assert loaded.predict_proba(frame, offset=offset).tobytes() == model.predict_proba(frame, offset=offset).tobytes()
    with sklearn.config_context(enable_metadata_routing=True):
        routed = LogisticRegressionCV(Cs=2, cv=3).set_fit_request(offset=True)
        pipe = make_pipeline(StandardScaler(), routed).fit(frame[["age", "power"]].to_numpy(), y, offset=offset)
    assert pipe[-1].coef_.shape == (1, 2)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_many_levels_equal_one_hot_columns(n_classes):
    """More columns than an L1 penalty, or the joint Hessian of all classes, has at once."""
    rng = np.random.default_rng(6)
    many, x = rng.integers(0, 900, 3000), rng.standard_normal(3000)
    y = (x + rng.standard_normal(900)[many] + rng.logistic(size=3000) > 0).astype(int) + rng.integers(0, n_classes - 1)
    y[:n_classes] = np.arange(n_classes)
    frame = pd.DataFrame({"x": x, "many": pd.Categorical(many)})
    encoded = sparse.csr_array(np.column_stack([x, np.eye(900)[many]])[:, np.append(True, np.bincount(many) > 0)])
    for ratio in (0.0, 0.5):
        settings = {"C": 0.5, "l1_ratio": ratio, "tol": 1e-7, "max_iter": 1000}
        model = LogisticRegression(**settings).fit(frame, y)
        other = LogisticRegression(**settings).fit(encoded, y)
        assert model.converged_
        assert model.objective_ == pytest.approx(other.objective_, rel=1e-9)
        np.testing.assert_allclose(model.predict_proba(frame), other.predict_proba(encoded), atol=1e-6)
        assert model.feature_names_in_.tolist() == ["x", "many"]
