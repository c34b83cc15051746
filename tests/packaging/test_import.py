"""`import mlwright` is cheap and loads nothing that the user did not ask for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import mlwright

HEAVY = {"sklearn", "scipy", "numba", "pandas", "polars", "pyarrow", "joblib", "narwhals", "hypothesis"}


def in_new_process(code):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def modules_after(code):
    return set(json.loads(in_new_process(f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))")))


def test_the_import_loads_nothing_heavy():
    loaded = modules_after("import mlwright")
    assert "mlwright" in loaded
    assert not loaded & (HEAVY | {"numpy", "mlwright._core", "mlwright._blas"})


def test_listing_the_package_loads_nothing():
    assert not modules_after("import mlwright; dir(mlwright)") & (HEAVY | {"numpy", "mlwright._core"})


def test_the_native_core_loads_no_scipy():
    loaded = modules_after("import mlwright._native")
    assert "mlwright._core" in loaded
    assert not loaded & HEAVY
    assert "scipy.linalg" in modules_after("import mlwright._native; mlwright._native.require_blas()")


def test_the_import_takes_little_beyond_numpy():
    """Best of five: other work on the machine only adds."""
    code = "import numpy, time; t = time.perf_counter(); import mlwright; print(time.perf_counter() - t)"
    assert min(float(in_new_process(code)) for _ in range(5)) < 0.1


def test_every_public_name_is_there():
    for name in mlwright.__all__:
        assert getattr(mlwright, name) is not None
    assert dir(mlwright) == mlwright.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'mlwright' has no attribute 'nonsense'"):
        _ = mlwright.nonsense


def test_every_submodule_imports_without_numba():
    """Everything but `extend` (and `stats`, which compiles the user's functions) works where numba is not installed."""
    package = Path(mlwright.__file__).parent
    names = sorted(
        ".".join(["mlwright", *file.relative_to(package).with_suffix("").parts]).removesuffix(".__init__")
        for file in package.rglob("*.py")
    )
    names = [name for name in names if name.split(".")[1:2] not in (["extend"], ["stats"]) and "__main__" not in name]
    assert "mlwright._kernels.simd" in names
    in_new_process(
        "import sys\n"
        "sys.modules['numba'] = sys.modules['llvmlite'] = None\n"
        "from importlib import import_module\n"
        f"for name in {names!r}: import_module(name)\n"
        "import numpy\n"
        "from mlwright._kernels import simd\n"
        "assert simd.sum(numpy.ones(10)) == 10\n"
        "import contextlib, io, mlwright\n"
        "with contextlib.redirect_stdout(io.StringIO()): mlwright.show_versions()\n"
    )
