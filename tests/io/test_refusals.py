"""What is not stored is refused by a message that says what was met, where, and what to do."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

import mlwright
from mlwright import ModelFormatError, io
from mlwright.linear_model import Ridge


class Stranger(BaseEstimator):
    pass


@pytest.mark.parametrize("model", [Stranger(), LinearRegression(), 3, None, "model", Stranger])
def test_other_classes(model):
    with pytest.raises(TypeError, match="a model file holds mlwright's own classes and pipelines of them only"):
        io.dumps(model)


def test_a_subclass(toy_class):
    with pytest.raises(TypeError, match=r"got a model of class .*Sub; a model file holds"):
        io.dumps(type("Sub", (toy_class,), {})())


def test_a_strangers_step_in_a_pipeline():
    with pytest.raises(TypeError, match=r"got a model of class sklearn\.linear_model"):
        io.dumps(Pipeline([("last", LinearRegression())]))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.random.RandomState(0), r"save: params\.alpha: got numpy\.random.*an integer seed or None"),
        (np.random.default_rng(0), r"save: params\.alpha: got numpy\.random.*an integer seed or None"),
        (len, r"save: params\.alpha: got the function or class 'len'; a model file never holds code"),
        ([{"a": lambda: 0}], r"save: params\.alpha\.0\.0: got the function or class .*never holds code"),
        (object(), r"save: params\.alpha: got builtins\.object; a model file holds numbers"),
        (2**70, "does not fit 64 bits"),
        (np.array([1, "a", None], dtype=object), "an array of Python objects; expected an array of strings"),
        (np.array([1 + 2j]), "dtype complex128; expected numbers"),
        (np.array(["2020-01-01"], dtype="M8[s]"), "expected numbers"),
        (np.zeros(2, dtype=[("a", "f8")]), "expected numbers"),
        (np.datetime64("2020-01-01"), "NumPy scalar of dtype datetime64"),
        ({(1, 2): 3}, r"got the key \(1, 2\)"),
        ("\ud800", "half of a surrogate pair"),
        (np.ma.masked_array([1.0]), "got MaskedArray; expected a numpy.ndarray"),
    ],
)
def test_parameters_that_no_file_holds(toy_class, value, message):
    with pytest.raises((TypeError, ValueError), match=message):
        io.dumps(toy_class(alpha=value))


def test_nesting_beyond_what_a_reader_takes(toy_class):
    value = 0
    for _ in range(100):
        value = [value]
    with pytest.raises(ValueError, match="nested more than 64 levels"):
        io.dumps(toy_class(alpha=value))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coef_": np.zeros((2, 4))}, r"save: coef_: got shape \(2, 4\); expected \(p\) or \(k, p\) with k = 3, p = 4"),
        ({"coef_": np.zeros(4, dtype=int)}, "save: coef_: got dtype int64; expected float32 or float64"),
        ({"coef_": [0.0] * 4}, "save: coef_: got list; expected a numpy.ndarray"),
        ({"edges_": np.array([0.0, 2.0, 1.0, 3.0, 4.0])}, "edges_: got values that fall"),
        ({"n_iter_": 1.5}, "save: n_iter_: got 1.5; expected an integer"),
        ({"n_iter_": 101}, "save: n_iter_: got 101; expected at least 0 and at most 100"),
        ({"n_features_in_": True}, "save: n_features_in_: got True; expected an integer"),
        ({"kind_": "forest"}, "save: kind_: got 'forest'; expected one of"),
        ({"intercept_": np.zeros(2)}, "save: intercept_: fits none of its declarations: .*a number.*expected \\(k\\)"),
        ({"table_": {"a": {"scale": 1.0}}}, r"save: table_\.0: lacks mean"),
        ({"parts_": []}, "save: parts_: got list; expected tuple"),
        ({"remark": 1}, "save: model: has 'remark', which its declaration does not name"),
    ],
)
def test_state_that_does_not_fit_its_declaration(toy, change, message):
    vars(toy).update(change)
    with pytest.raises((TypeError, ValueError), match=message):
        io.dumps(toy)


def test_a_pipeline_with_a_cache_is_never_stored(tmp_path):
    with pytest.raises(ValueError, match=r"set_params\(memory=None\) before saving"):
        io.dumps(Pipeline([("pass", "passthrough")], memory=str(tmp_path)))


def test_metadata_requests_are_refused_by_name():
    model = Ridge().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    plain = io.dumps(model)
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True)
        with pytest.raises(ValueError, match=r"Ridge has metadata requests .*set_fit_request\(sample_weight=None\)"):
            io.dumps(model)
        model.set_fit_request(sample_weight=None)
    assert io.dumps(model) == plain


def test_metadata_requests_of_a_pipeline():
    model = Pipeline([("pass", "passthrough")])
    plain = io.dumps(model)
    with config_context(enable_metadata_routing=True):
        model.set_score_request(sample_weight=True)
        with pytest.raises(ValueError, match=r"this Pipeline has metadata requests"):
            io.dumps(model)
        model.set_score_request(sample_weight=None)
    assert io.dumps(model) == plain


def test_saving_into_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"save: the folder '.*nowhere' does not exist; create it first"):
        mlwright.save(Ridge(), tmp_path / "nowhere" / "model.mlw")


def test_loading_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        mlwright.load(tmp_path / "nothing.mlw")
    with pytest.raises(ModelFormatError, match="no regular file"):
        mlwright.load(tmp_path)
    with pytest.raises(ModelFormatError, match="no regular file"):
        mlwright.load("/dev/zero")
    with pytest.raises(ModelFormatError, match="no regular file"):
        io.describe("/dev/zero")
