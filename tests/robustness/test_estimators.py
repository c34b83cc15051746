"""Every estimator under the conditions of a service: many threads, borrowed memory, thousands of calls, no Numba."""

import gc
import pickle
import re
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from mlwright import ModelFormatError, io
from mlwright.testing.models import fitted_examples, outputs

EXAMPLES = fitted_examples()
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
each_numeric_example = pytest.mark.parametrize(
    "example",
    [example for example in EXAMPLES if isinstance(example.X, np.ndarray) and example.X.dtype.kind == "f"],
    ids=lambda example: example.name,
)

learning_examples = pytest.mark.parametrize(
    "example",
    [example for example in EXAMPLES if hasattr(example.new(), "partial_fit")],
    ids=lambda example: example.name,
)
# Many rounds each, of one example a class: in the suite those that between them go through every engine; the others are
# slow.
ENGINES = {
    "bayes.BARTRegressor",
    "cluster.KMeans",
    "decomposition.PCA",
    "deploy.ImportedRegressor",
    "ensemble.HistGradientBoostingRegressor",
    "gaussian_process.GaussianProcessRegressor",
    "linear_model.Lasso",
    "linear_model.LogisticRegression",
    "linear_model.QuantileRegressor",
    "linear_model.Ridge",
    "mixture.GaussianMixture",
    "preprocessing.TableEncoder",
}
one_a_class = pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, marks=[] if example.registered_name in ENGINES else [pytest.mark.slow])
        for example in {example.registered_name: example for example in reversed(EXAMPLES)}.values()
    ],
    ids=lambda example: example.name,
)


def bits(answers):
    return {method: pickle.dumps(np.ascontiguousarray(answer)) for method, answer in answers.items()}


@each_example
def test_eight_threads_predict_with_one_model(example):
    model = example.make()
    expected = bits(outputs(model, example.X))
    state = io.dumps(model)
    together = threading.Barrier(8)

    def predict(_):
        together.wait()
        return [bits(outputs(model, example.X)) for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        for answers in pool.map(predict, range(8)):
            assert answers == [expected] * 5
    assert io.dumps(model) == state


@each_example
def test_eight_threads_fit_models_of_their_own(example):
    expected = io.dumps(example.make())
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: io.dumps(example.make()), range(8))) == {expected}


@pytest.fixture(params=["read-only", "memory-mapped"])
def borrow(request, tmp_path):
    """What makes of an array one that belongs to somebody else."""

    def read_only(array):
        copy = array.copy()
        copy.flags.writeable = False
        return copy

    def mapped(array):
        if array.dtype == object:  # which no file of numbers holds
            return read_only(array)
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
        np.save(path, array)
        return np.load(path, mmap_mode="r")

    return read_only if request.param == "read-only" else mapped


@each_numeric_example
def test_borrowed_arrays_are_enough(example, borrow):
    y = None if example.y is None else borrow(np.asarray(example.y))
    model = getattr(example.new(), example.by)(borrow(example.X), y)
    assert io.dumps(model) == io.dumps(example.make())
    assert bits(outputs(model, borrow(example.X))) == bits(outputs(model, example.X))


@each_example
def test_inputs_are_left_as_they_are(example):
    before = pickle.dumps((example.X, example.y))
    outputs(example.make(), example.X)
    assert pickle.dumps((example.X, example.y)) == before


@each_example
def test_a_model_in_a_mapped_file_predicts_and_is_left_alone(example, tmp_path):
    model = example.make()
    io.save(model, tmp_path / "model.mlw")
    before = (tmp_path / "model.mlw").read_bytes()
    mapped = io.load(tmp_path / "model.mlw", mmap=True)
    assert bits(outputs(mapped, example.X)) == bits(outputs(model, example.X))
    assert (tmp_path / "model.mlw").read_bytes() == before


@learning_examples
def test_a_model_in_a_mapped_file_can_learn_on(example, tmp_path):
    """Its arrays are read-only, so learning must not happen in place; it learns what the model in memory does."""
    model = example.make()
    io.save(model, tmp_path / "model.mlw")
    before = (tmp_path / "model.mlw").read_bytes()
    mapped = io.load(tmp_path / "model.mlw", mmap=True)
    X, y = example.X[:3], example.y[:3]
    try:
        model.partial_fit(X, y)
    except (AttributeError, ValueError) as error:  # models that keep no statistics say so
        with pytest.raises(type(error), match=re.escape(str(error))):
            mapped.partial_fit(X, y)
    else:
        assert io.dumps(mapped.partial_fit(X, y)) == io.dumps(model)
    assert (tmp_path / "model.mlw").read_bytes() == before


def live_a_round(example, data):
    """Fit, predict, save, load, and a load that fails."""
    model = example.make()
    outputs(io.loads(io.dumps(model)), example.X)
    with pytest.raises(ModelFormatError):
        io.loads(data[:-1])


@one_a_class
def test_python_memory_stays_flat(example):
    """A kilobyte kept in each round would be seen: less than one copy of the data.

    It would be in every stretch of rounds; what an import or a cache keeps is in one.
    """
    data = io.dumps(example.make())

    def allocated_after(rounds):
        for _ in range(rounds):
            live_a_round(example, data)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        allocated = [allocated_after(30) for _ in range(3)]
        assert np.diff(allocated).min() < 30 * 1000
    finally:
        tracemalloc.stop()


@one_a_class
def test_resident_memory_stays_flat(example):
    """Native memory shows here only: 10 kB lost in each round would be seen above the allocator's own noise.

    The allocator may take a few pages in any stretch of rounds; what is lost in each round is lost in every stretch.
    """
    data = io.dumps(example.make())

    def resident_after(rounds):
        for _ in range(rounds):
            live_a_round(example, data)
        gc.collect()
        return psutil.Process().memory_info().rss

    def grows():
        before = resident_after(0)
        return resident_after(100) - before >= 100 * 10_000

    resident_after(30)
    assert not all(grows() for _ in range(3))


_WITHOUT_NUMBA = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numba", "llvmlite"):
            raise ImportError(f"{name} is not installed")

sys.meta_path.insert(0, Refuse())
from mlwright import io
from mlwright.testing.models import fitted_examples, outputs
for example in fitted_examples():
    model = example.make()
    outputs(io.loads(io.dumps(model)), example.X)
    print("works:", example.name)
"""


def test_everything_works_without_numba():
    result = subprocess.run([sys.executable, "-c", _WITHOUT_NUMBA], capture_output=True, text=True, check=True)
    assert result.stdout.count("works:") == len(EXAMPLES)


def test_model_files_load_no_more_than_they_need():
    """Reading a model without scikit-learn's classes in it must not pay for them."""
    code = "import sys, mlwright; mlwright.save; assert not {'sklearn', 'scipy', 'numba', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
