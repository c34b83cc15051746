"""Every registered class: what it predicts survives every way of copying it, to the bit."""

import copy
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

import mlwright
from mlwright import io
from mlwright.io.registry import CLASSES, class_of, name_of
from mlwright.testing.models import fitted_examples, outputs

EXAMPLES = fitted_examples()
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


def bits(answers):
    return {method: pickle.dumps(np.ascontiguousarray(answer)) for method, answer in answers.items()}


def through_joblib(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


def through_file(mmap):
    def copied(model, folder):
        mlwright.save(model, folder / "model.mlw")
        return mlwright.load(folder / "model.mlw", mmap=mmap)

    return copied


COPIES = {
    "save": through_file(mmap=False),
    "save, mapped": through_file(mmap=True),
    "save twice": lambda model, folder: io.loads(io.dumps(io.loads(io.dumps(model)))),
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "joblib": through_joblib,
    "deepcopy": lambda model, folder: copy.deepcopy(model),
}


def test_every_registered_class_has_an_example():
    assert {example.registered_name for example in EXAMPLES} == set(CLASSES)


@each_example
def test_the_example_is_of_the_class_it_names(example):
    assert name_of(example.make()) == example.registered_name


@each_example
@pytest.mark.parametrize("way", COPIES)
def test_a_copy_predicts_the_same_bits(example, way, tmp_path):
    model = example.make()
    assert bits(outputs(COPIES[way](model, tmp_path), example.X)) == bits(outputs(model, example.X))


@each_example
def test_the_file_does_not_depend_on_the_way_the_model_came(example):
    data = io.dumps(example.make())
    assert io.dumps(example.make()) == data
    assert io.dumps(io.loads(data)) == data
    assert io.dumps(pickle.loads(pickle.dumps(example.make()))) == data


@each_example
def test_clone_is_unfitted_and_saves(example):
    model = example.make()
    fresh = clone(model)
    again = io.loads(io.dumps(fresh))
    assert repr(again) == repr(fresh)
    is_frozen = fresh is model  # as imported models are
    predicts_unfitted = not get_tags(model).requires_fit
    if not (is_frozen or predicts_unfitted) and not example.registered_name.startswith("sklearn"):
        for model in (fresh, again):
            with pytest.raises(NotFittedError):
                check_is_fitted(model)


@each_example
def test_the_example_predicts(example):
    """A refusal is an answer too, but a model that does nothing but refuse is no example."""
    said = outputs(example.make(), example.X)
    assert isinstance(said.get("predict", said.get("transform")), np.ndarray)


@each_example
def test_a_loaded_model_is_fitted(example):
    check_is_fitted(io.loads(io.dumps(example.make())))


_NEW_PROCESS = """
import hashlib, pickle, sys
import mlwright
from mlwright.testing.models import fitted_examples, outputs
for example in fitted_examples():
    model = mlwright.load(f"{sys.argv[1]}/{example.name}.mlw")
    sys.stdout.write(hashlib.sha256(pickle.dumps(outputs(model, example.X))).hexdigest() + chr(10))
"""


def test_a_new_process_predicts_the_same_bits(tmp_path):
    import hashlib

    expected = []
    for example in EXAMPLES:
        model = example.make()
        mlwright.save(model, tmp_path / f"{example.name}.mlw")
        expected.append(hashlib.sha256(pickle.dumps(outputs(model, example.X))).hexdigest())
    run = [sys.executable, "-c", _NEW_PROCESS, str(tmp_path)]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout.split() == expected


def test_a_class_of_the_registry_is_where_it_says():
    assert all(class_of(name).__name__ == name.rpartition(".")[2] for name in CLASSES)
