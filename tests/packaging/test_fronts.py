"""Lazy fronts of packages: every name is there, and naming one waits for no other."""

import ast
import json
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mlwright
from mlwright._lazy import front

ROOT = Path(mlwright.__file__).parent
FRONTS = sorted(file.parent.name for file in ROOT.glob("*/__init__.pyi"))
SKLEARN = {"sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.preprocessing"}
#: What naming a class must not load: scikit-learn's packages of models, Numba, and other packages of ours.
LIGHT = {
    "bayes.BayesianLogisticRegression": {"mlwright.bayes._bart", "mlwright.ensemble", "mlwright.io.model"},
    "bayes.BARTRegressor": {"mlwright.bayes._glm"},
    "bayes.sample": {"mlwright.bayes._bart", "mlwright.extend"},
    "ensemble.HistGradientBoostingClassifier": {"mlwright.linear_model"},
    "linear_model.LinearRegression": {"mlwright.linear_model._glm", "mlwright.preprocessing"},
    "linear_model.LogisticRegression": {"mlwright.linear_model._ridge"},
    "linear_model.Ridge": {"mlwright.linear_model._glm", "mlwright.preprocessing"},
    "linear_model.SGDClassifier": {"mlwright.linear_model._glm"},
    "preprocessing.StandardScaler": {"mlwright.preprocessing._table_encoder"},
    "preprocessing.TableEncoder": {"mlwright.linear_model"},
}


def stub_of(package):
    """Modules by public name, and the names listed, as the stub for type checkers says."""
    body = ast.parse((ROOT / package / "__init__.pyi").read_text()).body
    modules = {alias.name: node.module for node in body if isinstance(node, ast.ImportFrom) for alias in node.names}
    (listed,) = (ast.literal_eval(node.value) for node in body if isinstance(node, ast.Assign))
    return modules, listed


def modules_after(code):
    code = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


def test_the_walk_finds_the_fronts():
    assert {"bayes", "ensemble", "linear_model", "preprocessing"} <= set(FRONTS)


@pytest.mark.parametrize("package", FRONTS)
def test_the_stub_says_what_the_front_has(package):
    module = import_module(f"mlwright.{package}")
    modules, listed = stub_of(package)
    assert listed == module.__all__ == dir(module) == sorted(modules)
    for name, home in modules.items():
        assert getattr(module, name) is getattr(import_module(home), name)
        assert name in vars(module)  # kept: asked for only once


@pytest.mark.parametrize("package", FRONTS)
def test_a_front_loads_nothing_before_it_is_asked(package):
    loaded = modules_after(f"import mlwright.{package}; dir(mlwright.{package})")
    assert {name for name in loaded if name.startswith("mlwright")} == {
        "mlwright",
        "mlwright._lazy",
        f"mlwright.{package}",
    }
    assert not loaded & {"numpy", "scipy", "sklearn"}


@pytest.mark.parametrize("package", FRONTS)
def test_star_gives_all(package):
    names = {}
    exec(f"from mlwright.{package} import *", names)
    assert set(names) - {"__builtins__"} == set(import_module(f"mlwright.{package}").__all__)


@pytest.mark.parametrize("name", LIGHT)
def test_naming_one_waits_for_no_other(name):
    package, _, attribute = name.rpartition(".")
    loaded = modules_after(f"from mlwright.{package} import {attribute}")
    assert "sklearn.base" in loaded
    assert not loaded & (SKLEARN | LIGHT[name] | {"numba"})


def test_unknown_names_and_submodules():
    module = import_module("mlwright.linear_model")
    with pytest.raises(AttributeError, match=r"module 'mlwright.linear_model' has no attribute 'Rigde'"):
        _ = module.Rigde
    with pytest.raises(ImportError, match=r"cannot import name 'Rigde' from 'mlwright.linear_model'"):
        exec("from mlwright.linear_model import Rigde")
    namespace = {}
    exec("from mlwright.io import schema", namespace)
    assert namespace["schema"] is import_module("mlwright.io.schema")


def test_names_are_pickled_where_they_are():
    module = import_module("mlwright.ensemble")
    for name in module.__all__:
        assert pickle.loads(pickle.dumps(getattr(module, name))) is getattr(module, name)


def test_a_module_that_fails_says_so():
    """What a module raises while it is imported is not hidden as a missing name."""
    names, get, _ = front("mlwright.io", {"missing": "mlwright.io.no_such_module"})
    assert names == ["missing"]
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        get("missing")
