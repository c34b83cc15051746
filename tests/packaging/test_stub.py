"""The type stub of the extension says what the module has."""

import ast
import inspect
from importlib.util import find_spec
from pathlib import Path

from mlwright._native import core

STUB = Path(find_spec("mlwright._core").origin).parent / "_core.pyi"


def names_in_stub(body, prefix=""):
    for node in body:
        if isinstance(node, ast.FunctionDef):
            if node.name != "__init__":
                yield f"{prefix}{node.name}"
        elif isinstance(node, ast.ClassDef):
            yield from names_in_stub(node.body, f"{prefix}{node.name}.")


def names_in_module(owner, prefix=""):
    for name, value in inspect.getmembers(owner):
        if name.startswith(("__", "_pybind11_")):
            continue
        if inspect.ismodule(value) or inspect.isclass(value):
            yield from names_in_module(value, f"{prefix}{name}.")
        elif callable(value):
            yield f"{prefix}{name}"


def test_the_stub_lists_every_function():
    listed = set(names_in_stub(ast.parse(STUB.read_text()).body))
    assert "simd.exp" in listed
    assert listed == set(names_in_module(core))


def test_signatures_were_read():
    """A function whose signature was not understood takes anything: that would hide a change of docstrings."""
    unknown = [line.strip() for line in STUB.read_text().splitlines() if "(*args: typing.Any" in line]
    assert unknown == []
