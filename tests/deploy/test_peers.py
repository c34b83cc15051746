"""Models of LightGBM and XGBoost predict what their own libraries predicted (made by make_models.py)."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from mlwright import deploy, io
from mlwright._runtime import threads
from mlwright._runtime.errors import ModelFormatError
from mlwright.deploy._xgboost_categories import table_categories

MODELS = Path(__file__).parent / "models"
ALL = sorted(file for file in MODELS.iterdir() if file.suffix != ".npz")
SUPPORTED = [file for file in ALL if "refused" not in file.name and "table" not in file.name]
each_model = pytest.mark.parametrize("path", SUPPORTED, ids=lambda path: path.name)


def expected(path):
    with np.load(path.with_name(path.name + ".npz")) as arrays:
        return arrays["X"], arrays["raw"], arrays["prediction"]


def ulps(a, b):
    """The largest difference in units of the last place of b."""
    with np.errstate(invalid="ignore"):
        steps = np.abs(a - b) / np.spacing(np.abs(b))
    return 0 if a.size == 0 else np.max(np.where(a == b, 0, steps))


def as_peer(model, X):
    """What a Booster's predict gives: probabilities, of the second class only if there are two."""
    if isinstance(model, deploy.ImportedRegressor):
        return model.predict(X)
    p = model.predict_proba(X)
    return p[:, 1] if p.shape[1] == 2 else p


def test_the_models_are_there():
    assert sum(path.name.startswith("lgb") for path in SUPPORTED) >= 10
    assert sum(path.name.startswith("xgb") for path in SUPPORTED) >= 10


@each_model
def test_sums_are_equal_to_the_bit(path):
    X, raw, _ = expected(path)
    model = deploy.from_file(path)
    ours = model.predict_raw(X)
    if "-rf-" in path.name:  # LightGBM's raw scores of a forest are sums, its predictions come from averages
        raw = raw / model.n_trees_ * (1 if raw.ndim == 1 else raw.shape[1])
    assert ours.dtype == raw.dtype
    np.testing.assert_array_equal(ours, raw)


@each_model
def test_predictions_are_equal_within_ulps(path):
    X, _, prediction = expected(path)
    model = deploy.from_file(path)
    if "softmax" in path.name:
        assert np.array_equal(model.predict(X), prediction)
        return
    ours = as_peer(model, X)
    assert ours.dtype == prediction.dtype
    if model._link in ("identity", "signed_square", "step"):
        np.testing.assert_array_equal(ours, prediction)
    else:
        assert ulps(ours, prediction) <= (2 if model._sum_dtype == "float32" else 4)
    if isinstance(model, deploy.ImportedClassifier):
        likeliest = prediction.argmax(axis=1) if prediction.ndim == 2 else (prediction > 0.5).astype(int)
        assert np.array_equal(model.predict(X), likeliest)


@each_model
def test_a_saved_model_predicts_the_same(path):
    X, _, _ = expected(path)
    model = deploy.from_file(path)
    data = io.dumps(model)
    again = io.loads(data)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert io.dumps(again) == data


@each_model
def test_layout_and_threads_do_not_matter(path):
    X, _, _ = expected(path)
    model = deploy.from_file(path)
    many = np.tile(X, (30, 1))
    whole = model.predict_raw(many)
    for n in (1, 2, 3, 8):
        with threads.limit(n):
            np.testing.assert_array_equal(model.predict_raw(many), whole)
    np.testing.assert_array_equal(model.predict_raw(np.asfortranarray(many)), whole)
    np.testing.assert_array_equal(model.predict_raw(many[::-1])[::-1], whole)
    np.testing.assert_array_equal(model.predict_raw(X[:1]), whole[:1])


def test_json_and_ubjson_are_the_same_model():
    pairs = [(path, path.with_suffix(".json")) for path in SUPPORTED if path.suffix == ".ubj"]
    pairs = [pair for pair in pairs if pair[1].exists()]
    assert pairs
    for a, b in pairs:
        assert io.dumps(deploy.from_file(a)) == io.dumps(deploy.from_file(b))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lgb-refused-linear.txt", "tree 0 has linear leaves, which are not supported"),
        ("xgb-refused-linear.ubj", "its booster is 'gblinear'; expected gbtree or dart"),
        ("xgb-refused-vectors.ubj", "its leaves are vectors; expected one output a tree"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(name, message):
    with pytest.raises(deploy.UnsupportedModelError, match=message):
        deploy.from_file(MODELS / name)


def test_blanks_in_names_are_underscores_in_files_of_lightgbm():
    data = (MODELS / "lgb-regression-nan.txt").read_bytes()
    names = b"feature_names=" + b" ".join(b"Column_%d" % j for j in range(5))
    assert names in data
    model = deploy.from_bytes(data.replace(names, b"feature_names=a b_(cm) c d e"))
    X = expected(MODELS / "lgb-regression-nan.txt")[0]
    want = deploy.from_bytes(data).predict(X)
    for library in (pd.DataFrame, pl.DataFrame):
        frame = library(dict(zip(["a", "b (cm)", "c", "d", "e"], X.T, strict=True)))
        assert np.array_equal(model.predict(frame), want)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(pd.DataFrame(X, columns=["a", "b cm", "c", "d", "e"]))


class FromXGBoost:
    """As an estimator of XGBoost's, which this environment has not: what `from_model` asks of one."""

    __module__ = "xgboost.sklearn"
    missing = np.nan

    def __init__(self, name, classes=None):
        self.model = (MODELS / name).read_bytes()
        if classes is not None:
            self.classes_ = classes

    def get_booster(self):
        return self

    def attributes(self):
        return {}

    def save_raw(self, form):
        return self.model


def test_a_classifier_by_another_objective_is_refused():
    model = deploy.from_model(FromXGBoost("xgb-binary.ubj", [0, 1]))
    assert model.classes_.tolist() == [0, 1]
    assert isinstance(deploy.from_model(FromXGBoost("xgb-regression.ubj")), deploy.ImportedRegressor)
    with pytest.raises(deploy.UnsupportedModelError, match=r"FromXGBoost whose objective .* gives no probabilities"):
        deploy.from_model(FromXGBoost("xgb-regression.ubj", [0, 1]))


def test_cuts_by_category_need_no_threshold():
    text = (MODELS / "xgb-categories.json").read_text()
    document = json.loads(text)
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        for node in tree["categories_nodes"]:
            tree["split_conditions"][node] = float("nan")  # so does XGBoost 2
    model = deploy.from_bytes(json.dumps(document).encode())
    assert io.dumps(model) == io.dumps(deploy.from_bytes(text.encode()))


@pytest.mark.parametrize(("share", "margin"), [(b"[0E0]", -13.81551), (b"[1E-8]", -13.81551), (b"[1E0]", 13.74516)])
def test_a_base_score_at_the_end_of_its_range(share, margin):
    data = (MODELS / "xgb-binary.json").read_bytes()
    score = re.search(rb'"base_score":"([^"]*)"', data).group(1)
    model = deploy.from_bytes(data.replace(b'"base_score":"' + score, b'"base_score":"' + share))
    np.testing.assert_allclose(model._start, [margin], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "absent"),
    [("lgb-binary-categories.txt", 0.0), ("xgb-regression.ubj", np.nan), ("xgb-categories.ubj", np.nan)],
)
def test_cells_that_a_sparse_matrix_does_not_store(name, absent):
    path = MODELS / name
    model, X = deploy.from_file(path), expected(path)[0]
    stored = np.random.default_rng(0).random(X.shape) < 0.6
    rows, columns = np.nonzero(stored)
    for form in (sparse.csr_matrix, sparse.csc_array):
        part = form((X[stored], (rows, columns)), shape=X.shape)
        assert np.array_equal(model.predict_raw(part), model.predict_raw(np.where(stored, X, absent)))


def test_a_table_with_categories():
    path = MODELS / "lgb-table.txt"
    model = deploy.from_file(path)
    with np.load(path.with_name(path.name + ".npz")) as arrays:
        frame = pd.DataFrame(arrays["X"], columns=["a", "c", "e"])
        frame.insert(1, "b", pd.Categorical(arrays["words"]))
        frame.insert(3, "d", pd.Categorical(arrays["numbers"]))
        cells, expected = arrays["numbers"], arrays["prediction"]
    assert np.array_equal(model.predict(frame), expected)
    assert np.array_equal(io.loads(io.dumps(model)).predict(frame), expected)
    with pytest.raises(ValueError, match=r"got 1 columns of categories .* this model has 2 such columns"):
        model.predict(frame.assign(b=0.0))
    numbers = frame.assign(b=0.0, d=cells)  # values, which are no codes
    for table in (numbers, pl.from_pandas(numbers)):
        with pytest.raises(ValueError, match=r"got 0 columns of categories .* this model has 2 such columns"):
            model.predict(table)
    codes_only = deploy.from_file(MODELS / "xgb-categories.ubj")
    with pytest.raises(ValueError, match="this model knows their codes only; pass the table of pandas as in"):
        codes_only.predict(frame)


def xgboost_table():
    with np.load(MODELS / "xgb-table.ubj.npz") as arrays:
        frame = pd.DataFrame(arrays["X"], columns=["a", "c", "e"])
        frame.insert(1, "b", pd.Categorical(arrays["words"], categories=["grey", "red", "blue", "pink", "green"]))
        numbers = pd.array(arrays["numbers"], dtype="Float64").astype("Int64")
        frame.insert(3, "d", pd.Categorical(numbers, categories=pd.Index([0, 60, 10, 20, 30, 40, 50])))
        return frame, arrays["prediction"]


def test_a_table_whose_categories_xgboost_kept():
    frame, expected = xgboost_table()
    model = deploy.from_file(MODELS / "xgb-table.ubj")
    again = io.loads(io.dumps(model))
    for one in (model, again):
        assert np.array_equal(one.predict(frame), expected)
        assert np.array_equal(one.predict(frame.iloc[3:4]), expected[3:4])
        for value in ("pink", "lilac"):
            foreign = frame.assign(b=pd.Categorical([value, *frame["b"][1:]]))
            with pytest.raises(ValueError, match=f"X: column 'b' holds the category {value}, which the model was not"):
                one.predict(foreign)
        with pytest.raises(ValueError, match="X: column 'd' holds the category 5"):
            one.predict(frame.assign(d=pd.Categorical([5] * len(frame))))
    missing = frame.assign(b=pd.Categorical([None] * len(frame), categories=["red"]))
    codes = frame.assign(b=np.nan, d=frame["d"].cat.set_categories([50, 40, 60, 0, 10, 20, 30]).cat.codes)
    codes["d"] = codes["d"].where(codes["d"] >= 0)
    with pytest.raises(ValueError, match="or an array of the codes"):
        model.predict(codes)
    with pytest.warns(UserWarning, match="feature names"):
        by_codes = model.predict(codes.to_numpy(dtype=np.float64))
    assert np.array_equal(model.predict(missing), by_codes)
    assert frame["b"].dtype == "category"  # as it was


@pytest.mark.parametrize(
    ("cats", "message"),
    [
        ([], "cats are no object"),
        ({"enc": {}}, "no list of objects"),
        ({"enc": [{"values": [1]}]}, "categories of 1 features, not 2"),
        ({"enc": [{"values": [1, 1]}, {}]}, "feature 0: holds one of them twice"),
        ({"enc": [{"values": ["a"]}, {}]}, "feature 0: holds what is no number"),
        ({"enc": [{}, {"offsets": [0, 2], "values": [97]}]}, "feature 1: its offsets do not fit"),
        ({"enc": [{}, {"offsets": [1, 1], "values": [97]}]}, "feature 1: its offsets do not fit"),
        ({"enc": [{}, {"offsets": [0, 2, 1], "values": [97, 98]}]}, "feature 1: its offsets do not fit"),
        ({"enc": [{}, {"offsets": [0, 1], "values": [1000]}]}, "feature 1: its offsets do not fit"),
    ],
)
def test_damaged_categories_of_xgboost(cats, message):
    with pytest.raises(ModelFormatError, match=message):
        table_categories(cats, 2, "XGBoost model")


def test_categories_that_cannot_be_known_again_are_codes():
    half = {"offsets": [0, 1], "values": [-61]}
    for entry in (half, {"type": 15, "values": [1, (1 << 53) + 1]}):
        assert table_categories({"enc": [{"values": [3, 7]}, entry]}, 2, "XGBoost model") == []
    words = {"offsets": [0, 2, 2, 5], "values": [-61, -68, 97, 98, 99]}
    assert [column.tolist() for column in table_categories({"enc": [{}, words]}, 2, "")] == [["ü", "", "abc"]]


def test_the_first_iterations():
    path = MODELS / "lgb-multiclass.txt"
    X, _, _ = expected(path)
    whole, first = deploy.from_file(path), deploy.from_file(path, iterations=1)
    assert (whole.n_trees_, first.n_trees_) == (12, 4)
    assert not np.array_equal(whole.predict_raw(X), first.predict_raw(X))
    parallel = deploy.from_file(MODELS / "xgb-softprob-parallel.ubj", iterations=1)
    assert parallel.n_trees_ == 12
    with pytest.raises(ValueError, match="iterations: got 0; expected None or a positive integer"):
        deploy.from_file(path, iterations=0)
