"""Every example in a docstring runs and prints what it says."""

import doctest
from importlib import import_module
from pkgutil import walk_packages

import pytest

import benchmarks
import mlwright

FINDER = doctest.DocTestFinder(exclude_empty=True)
# `python -m` would run them on import.
PROGRAMS = {"mlwright.__main__", "mlwright.cli.__main__"}


def modules():
    """Names of all modules of the package and of the benchmarks that can be imported here."""
    for package in (mlwright, benchmarks):
        for found in walk_packages(package.__path__, package.__name__ + "."):
            # The peers of the benchmarks are not installed beside the tests.
            if not found.name.startswith("benchmarks.libraries.") and found.name not in PROGRAMS:
                yield found.name


def examples():
    for name in modules():
        module = import_module(name)
        if module.__doc__ is None and not hasattr(module, "__file__"):
            continue
        for test in FINDER.find(module, module=module):
            if test.examples and test.name.startswith(name):
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("example", list(examples()))
def test_docstring_example(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    failures, _ = runner.run(example, out=report.append)
    assert failures == 0, "".join(report)
