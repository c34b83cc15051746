"""A small registered class that uses every word of the schema: the format is tested apart from the estimators."""

import sys
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin

from mlwright import ModelFormatError, io
from mlwright.io import registry
from mlwright.io.composite import AnyOf, ListOf, MapOf, Maybe, Nested, Optional, Record, State
from mlwright.io.schema import Choice, Labels, Number, Plain, Size, Strings, Tensor, Text


class Toy(TransformerMixin, BaseEstimator):
    _parameter_constraints: ClassVar = {"alpha": "no_validation", "depth": "no_validation"}

    _model_state = State(
        n_features_in_=Size("p"),
        names_=Maybe(Strings("p")),
        classes_=Labels("k"),
        coef_=Tensor("f4 f8", "p", "k p"),
        edges_=Tensor("f8", "p+1", finite=False),
        flags_=Tensor("?", "p"),
        intercept_=AnyOf(Number(), Tensor("f8", "k")),
        n_iter_=Optional(Number(0, 100, integer=True)),
        kind_=Choice("linear", "tree", None),
        note_=Text(),
        seen_=Plain(),
        rows_=ListOf(Number(), "r"),
        table_=MapOf(Record(mean=Number(), scale=Maybe(Number(low=0)))),
        parts_=ListOf(Nested("tests.Toy"), kind=tuple),
    )

    def __init__(self, alpha=1.0, depth=None):
        self.alpha, self.depth = alpha, depth

    def fit(self, X, y=None, parts=()):
        p = np.shape(X)[1]
        self.n_features_in_ = p
        self.names_ = np.array([f"größe {i}" for i in range(p)], dtype=object)
        self.classes_ = np.array(["no", "yes", "may be"])
        self.coef_ = np.asfortranarray(np.arange(3.0 * p, dtype=np.float32).reshape(3, p) / 7)
        self.edges_ = np.r_[-np.inf, np.arange(p - 1.0), np.inf]
        self.flags_ = np.arange(p) % 2 == 0
        self.intercept_ = np.float32(0.1)
        self.n_iter_ = None
        self.kind_ = "tree"
        self.note_ = 'a "note", ünïcode 🦉'
        self.seen_ = {"nan": float("nan"), 3: (1, [2.0, np.int8(3)], {"b", "a"}), None: np.array(["é", ""])}
        self.rows_ = [1, 2.5]
        self.table_ = {"a": {"mean": 0.1, "scale": 0.0}, "b": {"mean": -0.0}}
        self.parts_ = parts
        return self

    def transform(self, X):
        return np.asarray(X) * self.alpha

    def _validate_state(self):
        if (self.edges_[1:] < self.edges_[:-1]).any():
            raise ModelFormatError("edges_: got values that fall; expected them sorted")


@pytest.fixture(scope="module")
def toy_class():
    """The class Toy, registered under the name tests.Toy."""
    module = ModuleType("mlwright_tests_toy")
    module.Toy = Toy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Toy, "__module__", module.__name__)
        patch.setitem(sys.modules, module.__name__, module)
        patch.setitem(registry.CLASSES, "tests.Toy", f"{module.__name__}:Toy")
        yield Toy


@pytest.fixture
def toy(toy_class):
    """A fitted Toy that holds another one."""
    return fitted(toy_class)


@pytest.fixture(scope="module")
def toy_file(toy_class):
    """The bytes of its file."""
    return io.dumps(fitted(toy_class))


def fitted(toy_class):
    X = np.zeros((2, 4))
    return toy_class(alpha=np.float64(0.3), depth=[None, True, 1, float("inf")]).fit(X, parts=(toy_class().fit(X),))
