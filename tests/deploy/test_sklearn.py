"""scikit-learn's own trees, forests and boosting, fitted here and taken over."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import ensemble, tree
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import mlwright
from mlwright import deploy, io
from mlwright.explain import TreeExplainer

SMALL = {"n_estimators": 7, "random_state": 0, "max_depth": 6}
FEW = {"max_iter": 8, "random_state": 0, "min_samples_leaf": 5}


def table(missing=False, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((300, 5))
    X[:, 2] = np.round(X[:, 2] * 2)
    y = X[:, 0] - X[:, 1] * X[:, 2] + np.sin(3 * X[:, 3]) + 0.1 * rng.standard_normal(300)
    if missing:
        X[rng.random(X.shape) < 0.15] = np.nan
    return X, y


def classes(y):
    return np.array(["low", "mid", "high", "top"])[np.digitize(y, [-1, 0, 1])]


def two(y):
    return np.where(y > 0, "yes", "no")


def positive(y):
    return np.exp(y)


def both(y):
    return np.column_stack([y, y * y])


def no_change(y):
    return y


def at_thresholds(X, model):
    """X, and rows with numbers at the model's own thresholds, just below and above, and special ones."""
    values = deploy.from_model(model)._trees["threshold"]
    values = values[np.isfinite(values)][:40]
    values = np.concatenate([values, np.nextafter(values, -np.inf), np.nextafter(values, np.inf), [0.0, -0.0, 5e-324]])
    rows = np.tile(values[:, None], (1, X.shape[1]))
    return np.concatenate([X, rows])


AVERAGED = {
    "tree": (tree.DecisionTreeRegressor(random_state=0), no_change, True),
    "tree-poisson": (tree.DecisionTreeRegressor(criterion="poisson", max_leaf_nodes=20), positive, True),
    "tree-two-targets": (tree.DecisionTreeRegressor(max_depth=5), both, False),
    "tree-classes": (tree.DecisionTreeClassifier(max_depth=4), classes, True),
    "tree-one-class": (tree.DecisionTreeClassifier(), lambda y: np.zeros(len(y)), False),
    "extra-tree": (tree.ExtraTreeRegressor(random_state=0, max_depth=7), no_change, False),
    "extra-tree-classes": (tree.ExtraTreeClassifier(random_state=0, max_depth=7), classes, False),
    "forest": (ensemble.RandomForestRegressor(**SMALL), no_change, True),
    "forest-two-targets": (ensemble.RandomForestRegressor(**SMALL), both, False),
    "forest-classes": (ensemble.RandomForestClassifier(**SMALL, class_weight="balanced"), classes, True),
    "forest-two-classes": (ensemble.RandomForestClassifier(**SMALL, bootstrap=False), two, False),
    "extra-trees": (ensemble.ExtraTreesRegressor(**SMALL), no_change, True),
    "extra-trees-classes": (ensemble.ExtraTreesClassifier(**SMALL), classes, True),
}


@pytest.mark.parametrize(("model", "target", "missing"), AVERAGED.values(), ids=AVERAGED)
def test_trees_and_forests_are_equal_to_the_bit(model, target, missing):
    X, y = table(missing)
    model = clone(model).fit(X, target(y))
    ours = deploy.from_model(model)
    X = at_thresholds(X, model)
    assert np.array_equal(ours.predict(X), model.predict(X))
    if hasattr(model, "classes_"):
        assert np.array_equal(ours.predict_proba(X), model.predict_proba(X))
        assert np.array_equal(ours.classes_, model.classes_)
        assert not hasattr(ours, "decision_function")


BOOSTED = {
    "squared": (ensemble.GradientBoostingRegressor(**SMALL), no_change, False),
    "huber": (ensemble.GradientBoostingRegressor(loss="huber", subsample=0.7, **SMALL), no_change, False),
    "quantile-zero": (ensemble.GradientBoostingRegressor(loss="quantile", init="zero", **SMALL), no_change, False),
    "two-classes": (ensemble.GradientBoostingClassifier(**SMALL), two, False),
    "exponential": (ensemble.GradientBoostingClassifier(loss="exponential", **SMALL), two, False),
    "classes": (ensemble.GradientBoostingClassifier(**SMALL), classes, False),
    "hist": (ensemble.HistGradientBoostingRegressor(**FEW), no_change, True),
    "hist-poisson": (ensemble.HistGradientBoostingRegressor(loss="poisson", **FEW), positive, True),
    "hist-gamma": (ensemble.HistGradientBoostingRegressor(loss="gamma", **FEW), positive, False),
    "hist-quantile": (ensemble.HistGradientBoostingRegressor(loss="quantile", quantile=0.7, **FEW), no_change, True),
    "hist-two-classes": (ensemble.HistGradientBoostingClassifier(**FEW), two, True),
    "hist-classes": (ensemble.HistGradientBoostingClassifier(**FEW, early_stopping=True), classes, True),
}


@pytest.mark.parametrize(("model", "target", "missing"), BOOSTED.values(), ids=BOOSTED)
def test_boosting_has_equal_sums_to_the_bit(model, target, missing):
    X, y = table(missing)
    model = clone(model).fit(X, target(y))
    ours = deploy.from_model(model)
    X = at_thresholds(X, model)
    if "Hist" in type(model).__name__:
        X = np.concatenate([X, np.full((1, 5), np.inf), np.full((1, 5), -np.inf)])
    if hasattr(model, "classes_"):
        assert np.array_equal(ours.decision_function(X), model.decision_function(X))
        np.testing.assert_allclose(ours.predict_proba(X), model.predict_proba(X), rtol=1e-15, atol=1e-16)
        assert np.array_equal(ours.predict(X), model.predict(X))
    elif ours._link == "identity":
        assert np.array_equal(ours.predict(X), model.predict(X))
    else:
        np.testing.assert_allclose(ours.predict(X), model.predict(X), rtol=5e-16)


def with_categories():
    X, y = table(missing=True)
    X[:, 1] = np.random.default_rng(1).integers(0, 30, 300) * 1.5 - 7  # any numbers are categories
    X[:, 4] = np.random.default_rng(2).integers(0, 4, 300)
    X[::11, 1] = np.nan
    return X, y + np.nan_to_num(X[:, 1]) % 4


def test_categories_of_hist_gradient_boosting():
    X, y = with_categories()
    model = ensemble.HistGradientBoostingRegressor(categorical_features=[1, 4], **FEW).fit(X, y)
    ours = deploy.from_model(model)
    assert "rule" in ours._trees
    assert (ours._trees["rule"] == 2).any()
    new = np.concatenate([X, X, X])
    new[: len(X), 1] += 0.25  # unknown ones
    new[len(X) : 2 * len(X), 4] = -1
    for part in (new, np.asfortranarray(new), new.astype(np.float32)):
        assert np.array_equal(ours.predict(part), model.predict(part))
    again = io.loads(io.dumps(ours))
    assert np.array_equal(again.predict(new), model.predict(new))


def test_a_table_of_words_truths_and_numbers():
    X, y = table()
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["word"] = pd.Categorical(rng.choice(["x", "y", "z", None], len(y)))
    frame["truth"], frame["number"] = rng.random(len(y)) > 0.5, pd.Categorical(rng.integers(0, 9, len(y)))
    source = ensemble.HistGradientBoostingRegressor(**FEW).fit(frame, y + (frame["word"] == "x") * frame["truth"])
    frame["word"] = pd.Categorical(rng.choice(["x", "new", None], len(y)))
    assert np.array_equal(deploy.from_model(source).predict(frame), source.predict(frame))


def test_categories_that_are_words():
    X, y = with_categories()
    frame = pd.DataFrame(X, columns=list("abcde"))
    words = np.array(["red", "green", "blue", None], dtype=object)[X[:, 4].astype("i8", copy=True) % 4]
    frame["e"] = pd.Categorical(words)
    model = ensemble.HistGradientBoostingClassifier(**FEW).fit(frame, two(y))
    ours = deploy.from_model(model)
    assert np.array_equal(ours.decision_function(frame), model.decision_function(frame))
    assert np.array_equal(ours.feature_names_in_, model.feature_names_in_)
    unseen = frame.assign(e=pd.Categorical(["violet"] * len(frame)))
    assert np.array_equal(ours.decision_function(unseen), model.decision_function(unseen))
    with pytest.raises(ValueError, match="feature names should match"):
        ours.predict(frame[list("bacde")])
    with pytest.raises(ValueError, match="could not convert string to float"):
        ours.predict(frame.assign(a="x"))


@pytest.mark.parametrize(
    "cls", [tree.DecisionTreeRegressor, ensemble.ExtraTreesRegressor, ensemble.GradientBoostingRegressor]
)
def test_sparse_rows(cls):
    X, y = table()
    X = sparse.csr_matrix(np.where(np.abs(X) > 0.7, X, 0.0))
    source = cls(random_state=0, max_depth=4).fit(X, y)
    model = deploy.from_model(source)
    assert np.array_equal(model.predict(X), source.predict(X))
    values = TreeExplainer(model).shap_values(X)
    np.testing.assert_array_equal(values, TreeExplainer(model).shap_values(X.toarray()))
    X.data[3] = np.nan
    if cls is ensemble.GradientBoostingRegressor:
        with pytest.raises(ValueError, match="NaN"):
            model.predict(X)


def test_only_the_first_iterations():
    X, y = table()
    model = ensemble.GradientBoostingRegressor(**SMALL).fit(X, y)
    for n, staged in enumerate(model.staged_predict(X), start=1):
        assert np.array_equal(deploy.from_model(model, iterations=n).predict(X), staged)


def test_what_is_not_supported_is_refused_by_name():
    X, y = table()

    class Own(ensemble.RandomForestRegressor):
        pass

    refused = {
        LinearRegression().fit(X, y): "got a sklearn.linear_model.*LinearRegression; expected one of",
        Own(**SMALL).fit(X, y): "got a .*Own; expected one of",
        ensemble.GradientBoostingRegressor(init=LinearRegression(), **SMALL).fit(X, y): "with init=LinearRegression",
        tree.DecisionTreeClassifier().fit(X, np.column_stack([two(y), two(-y)])): "of 2 targets",
    }
    for model, message in refused.items():
        with pytest.raises(deploy.UnsupportedModelError, match=message):
            deploy.from_model(model)
    with pytest.raises(NotFittedError):
        deploy.from_model(ensemble.RandomForestRegressor())


def test_missing_values_beside_monotonic_constraints():
    X, y = table(missing=True)
    source = ensemble.RandomForestRegressor(monotonic_cst=[1, -1, 0, 0, 0], **SMALL).fit(X, y)
    assert np.array_equal(deploy.from_model(source).predict(X), source.predict(X))


@pytest.mark.parametrize("cls", [ensemble.HistGradientBoostingClassifier, tree.DecisionTreeClassifier])
def test_one_class(cls, tmp_path):
    X, _ = table()
    source = cls().fit(X, np.full(len(X), "only"))
    mlwright.save(deploy.from_model(source), tmp_path / "model.mlw")
    for model in (deploy.from_model(source), mlwright.load(tmp_path / "model.mlw")):
        np.testing.assert_allclose(model.predict_proba(X), source.predict_proba(X), atol=1e-15)
        assert np.array_equal(model.predict(X), source.predict(X))


def test_numbers_that_the_source_refuses_are_refused():
    X, y = table()
    boosting = deploy.from_model(ensemble.GradientBoostingRegressor(**SMALL).fit(X, y))
    forest = deploy.from_model(ensemble.RandomForestRegressor(**SMALL).fit(X, y))
    missing = X[:3].copy()
    missing[1, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        boosting.predict(missing)
    assert np.isfinite(forest.predict(missing)).all()
    missing[1, 1] = np.inf
    for model in (boosting, forest):
        with pytest.raises(ValueError, match="infinity"):
            model.predict(missing)
        with pytest.raises(ValueError, match="X has 4 features"):
            model.predict(X[:, :4])


def test_an_imported_model_is_frozen():
    X, y = table()
    model = deploy.from_model(ensemble.RandomForestClassifier(**SMALL).fit(X, two(y)))
    assert clone(model) is model
    assert model.fit(X, two(-y)) is model
    pipeline = make_pipeline(FunctionTransformer(), clone(model)).fit(X, two(-y))
    assert np.array_equal(pipeline.predict(X), model.predict(X))
    calibrated = CalibratedClassifierCV(model, method="sigmoid").fit(X, two(y))
    assert calibrated.predict_proba(X).shape == (300, 2)
    stacked = ensemble.StackingClassifier([("forest", model)], LogisticRegression(), cv="prefit").fit(X, two(y))
    assert stacked.score(X, two(y)) > 0.8
    with pytest.raises(NotFittedError, match=r"make one with mlwright\.deploy\.from_file or from_model"):
        deploy.ImportedClassifier().fit(X, y)


def test_pickle_and_file(tmp_path):
    X, y = table()
    model = deploy.from_model(ensemble.HistGradientBoostingClassifier(**FEW).fit(X, classes(y)))
    before = model.predict_proba(X)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), before)
    mlwright.save(model, tmp_path / "model.mlw")
    for again in (mlwright.load(tmp_path / "model.mlw"), mlwright.load(tmp_path / "model.mlw", mmap=True)):
        assert np.array_equal(again.predict_proba(X), before)
        assert again.source_ == "scikit-learn HistGradientBoostingClassifier, log_loss"
