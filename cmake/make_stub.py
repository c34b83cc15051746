"""Writes the type stub of the extension module from the signatures that pybind11 puts into docstrings.

    python make_stub.py _core.cpython-312-x86_64-linux-gnu.so _core.pyi

Runs in the build, so that the stub cannot differ from the module. Submodules become classes of static methods, which is
what a single .pyi file can say of them.
"""

import ast
import importlib.machinery
import importlib.util
import inspect
import re
import sys

ANYTHING = "(*args: typing.Any, **kwargs: typing.Any) -> typing.Any"
HEADER = """# Generated in the build by cmake/make_stub.py. Private: call the core through mlwright._kernels.
import collections.abc
import typing

import numpy
import numpy.typing
"""


def load(path):
    loader = importlib.machinery.ExtensionFileLoader("_core", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("_core", loader))
    loader.exec_module(module)
    return module


def signatures(function):
    """The signatures of a function and its overloads, e.g. ``(x: float) -> float``."""
    name = re.escape(function.__name__)
    found = re.findall(rf"^(?:\d+\. )?{name}(\(.*\) -> .*)$", function.__doc__ or "", flags=re.MULTILINE)
    overloads = [signature for signature in found if not signature.startswith("(*args, **kwargs)")] or found
    overloads = [re.sub(r"\b(?:mlwright\.)?_core\.", "", signature) for signature in overloads]  # our own classes
    return [signature if is_python(signature) else ANYTHING for signature in overloads] or [ANYTHING]


def is_python(signature):
    try:
        ast.parse(f"def f{signature}: ...")
    except SyntaxError:
        return False
    return True


def is_listed(name, value):
    """Everything of ours; of Python's own names only constructors that were bound."""
    if name == "__init__":
        return (value.__doc__ or "").startswith("__init__(self")
    return not name.startswith(("__", "_pybind11_"))


def stub_of_function(name, function, indent, static):
    overloads = signatures(function)
    for signature in overloads:
        if len(overloads) > 1:
            yield f"{indent}@typing.overload"
        if static:
            yield f"{indent}@staticmethod"
        yield f"{indent}def {name}{signature}: ..."


def stub_of_members(owner, indent="", static=False):
    for name, value in sorted(inspect.getmembers(owner)):
        if not is_listed(name, value):
            continue
        if inspect.ismodule(value) or inspect.isclass(value):
            yield f"{indent}class {name}:"
            inner = list(stub_of_members(value, indent + "    ", static=inspect.ismodule(value)))
            yield from inner or [f"{indent}    pass"]
        elif callable(value):
            yield from stub_of_function(name, value, indent, static)
        else:
            kind = type(value).__name__
            yield f"{indent}{name}: {kind if kind in ('int', 'float', 'str', 'bool') else 'typing.Any'}"


def main(module_path, stub_path):
    stub = "\n".join([HEADER, *stub_of_members(load(module_path))]) + "\n"
    ast.parse(stub)
    with open(stub_path, "w", encoding="utf-8") as file:
        file.write(stub)


if __name__ == "__main__":
    main(*sys.argv[1:])
