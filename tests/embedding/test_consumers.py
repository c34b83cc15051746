"""Other people's code in C, C++, Cython, Numba and ctypes uses the core through its C table."""

import ctypes
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import numba
import numpy as np
import pytest

import mlwright
from mlwright import capi
from mlwright._kernels import simd as kernels
from mlwright._native import core

HERE = Path(__file__).parent
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
PYTHON_INCLUDE = sysconfig.get_paths()["include"]


# cmake and ninja of the environment that runs the tests, activated or not.
ENVIRONMENT = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def try_to_run(*command):
    return subprocess.run([str(part) for part in command], env=ENVIRONMENT, capture_output=True, text=True, check=False)


def run(*command):
    result = try_to_run(*command)
    assert result.returncode == 0, f"{command[0]} failed:\n{result.stdout}\n{result.stderr}"
    return result.stdout


def load(name, path):
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def compile_extension(source, target, *flags):
    compiler = "g++" if source.suffix == ".cpp" else "gcc"
    includes = [f"-I{PYTHON_INCLUDE}", f"-I{mlwright.get_include()}"]
    run(compiler, "-shared", "-fPIC", "-O1", *flags, *includes, source, "-o", target)
    return target


OK, INVALID_ARGUMENT, CANCELLED, BODY_FAILED = 0, 1, 3, 5


@pytest.fixture(scope="session")
def consumer(tmp_path_factory):
    """The C++ consumer, compiled by g++ alone with every warning an error."""
    target = tmp_path_factory.mktemp("consumer") / f"consumer{SUFFIX}"
    flags = ("-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror")
    return load("consumer", compile_extension(HERE / "consumer.cpp", target, *flags))


def cpp_total(module, n=100_000, grain=1_000, threads=2, fail_at=-1, stop=False):
    return module.total(n, grain, threads, fail_at, stop)


def test_a_cpp_consumer_has_the_same_bits_for_any_number_of_threads(consumer):
    results = {cpp_total(consumer, threads=threads) for threads in (1, 2, 3, 8)}
    assert len(results) == 1
    status, total, message = results.pop()
    x = np.empty(100_000)
    assert capi.function("fill_normal")(7, 1, x.ctypes, x.size) == OK
    assert (status, message) == (OK, "")
    assert total == pytest.approx(kernels.softplus(x).sum(), rel=1e-12)


def test_failures_are_statuses_with_a_message(consumer):
    status, _, message = cpp_total(consumer, fail_at=3)
    assert (status, message) == (BODY_FAILED, "parallel_for: a body returned non-zero")
    status, _, message = cpp_total(consumer, grain=0)
    assert status == INVALID_ARGUMENT
    assert message.startswith("parallel_for: got a grain below 1; expected")
    status, message = consumer.bad_gamma()
    assert status == INVALID_ARGUMENT
    assert "shape" in message


def test_a_consumer_can_stop_a_loop(consumer):
    status, _, message = cpp_total(consumer, n=40_000_000, grain=100_000, threads=1, stop=True)
    assert (status, message) == (CANCELLED, "cancelled by the caller")


def test_scalars_have_the_bits_of_arrays(consumer):
    rng = np.random.default_rng(0)
    edges = [0.0, -0.0, -1.0, 1e-320, 710.0, -745.2, np.inf, -np.inf]
    x = np.concatenate([rng.uniform(-750, 750, 500), 10 ** rng.uniform(-320, 300, 500), edges])
    scalars = np.array([consumer.scalars(value) for value in x])
    for column, name in enumerate(("exp", "log", "log1p", "expit", "softplus")):
        np.testing.assert_array_equal(scalars[:, column], getattr(kernels, name)(x))


def test_cmake_finds_the_package(tmp_path):
    version = importlib.metadata.version("mlwright")
    configure = ["cmake", "-G", "Ninja", "-S", HERE / "cmake_consumer", "-B", tmp_path]
    run(
        *configure,
        f"-Dmlwright_DIR={mlwright.get_cmake_dir()}",
        f"-DPython_EXECUTABLE={sys.executable}",
        f"-DEXPECTED_VERSION={version}",
    )
    run("cmake", "--build", tmp_path)
    status, total, _ = cpp_total(load("consumer", tmp_path / f"consumer{SUFFIX}"))
    assert status == OK
    assert total > 0


def test_cmake_refuses_another_version(tmp_path):
    command = ["cmake", "-G", "Ninja", "-S", HERE / "cmake_consumer", "-B", tmp_path, "-DEXPECTED_VERSION=9999.0"]
    command += [f"-Dmlwright_DIR={mlwright.get_cmake_dir()}", f"-DPython_EXECUTABLE={sys.executable}"]
    result = try_to_run(*command)
    assert result.returncode != 0
    assert "compatible with requested version" in result.stderr


def test_a_cython_consumer(tmp_path):
    source = tmp_path / "cython_consumer.c"
    package = Path(mlwright.__file__).parents[1]
    run(sys.executable, "-m", "cython", "-I", package, HERE / "cython_consumer.pyx", "-o", source)
    module = load("cython_consumer", compile_extension(source, tmp_path / f"cython_consumer{SUFFIX}"))
    x = np.linspace(-5, 5, 12_345)
    out = np.empty_like(x)
    module.expit_doubled(x, out)
    np.testing.assert_array_equal(out, 2 * kernels.expit(x))


def test_the_cython_declarations_are_those_of_the_header():
    """Cython checks no field of an extern struct: names and order are compared here, types by the C compiler."""
    header = (Path(mlwright.get_include()) / "mlwright" / "capi.h").read_text()
    struct = re.search(r"typedef struct mlwright_api \{(.*?)\} mlwright_api;", header, flags=re.DOTALL).group(1)
    functions = re.findall(r"\(\*(\w+)\)\(", struct)
    declarations = (
        (Path(mlwright.__file__).parent / "__init__.pxd").read_text().partition("ctypedef struct mlwright_api:")[2]
    )
    assert re.findall(r"\(\*(\w+)\)\(", declarations) == functions
    assert capi.names() == functions


def test_the_header_is_plain_c(tmp_path):
    source = tmp_path / "plain.c"
    source.write_text('#include "mlwright/capi.h"\nint main(void) { return sizeof(mlwright_api) < 8; }\n')
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{mlwright.get_include()}"]
    run("gcc", *flags, source, "-o", tmp_path / "plain")
    run(tmp_path / "plain")


def test_every_public_header_stands_alone(tmp_path):
    include = Path(mlwright.get_include())
    sources = []
    for i, header in enumerate(sorted(include.rglob("*.hpp"))):
        source = tmp_path / f"header_{i}.cpp"
        source.write_text(f'#include "{header.relative_to(include)}"\n')
        sources.append(source)
    assert sources
    run("g++", "-std=gnu++20", "-fsyntax-only", "-Wall", "-Wextra", f"-I{include}", *sources)


def test_numba_calls_by_address():
    expit, draw = capi.function("expit"), capi.function("fill_uniform")

    @numba.njit
    def mean_probability(x, out):
        expit(x.ctypes, out.ctypes, x.size)
        return out.mean(), draw(1, 2, out.ctypes, out.size)

    x, out = np.linspace(-2, 3, 1000), np.empty(1000)
    mean, status = mean_probability(x, out)
    assert status == OK
    assert mean == pytest.approx(kernels.expit(x).mean(), rel=1e-14)
    again = np.empty(1000)
    capi.function("fill_uniform")(1, 2, again.ctypes, again.size)
    assert (out == again).all()


def test_ctypes_and_addresses():
    x = np.arange(10.0)
    assert capi.function("dot")(x.ctypes, x.ctypes, x.size) == 285.0
    assert capi.function("simd_level")().decode() == core.simd.level()
    assert capi.address("dot") == ctypes.cast(capi.function("dot"), ctypes.c_void_p).value
    with pytest.raises(ValueError, match="C function: got 'nothing', expected one of last_error, "):
        capi.function("nothing")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_gram_matrix(order, weighted):
    rng = np.random.default_rng(0)
    x = np.asarray(rng.standard_normal((500, 11)), order=order)
    w = rng.uniform(0, 2, 500) if weighted else None
    out = np.full((11, 11), np.nan)
    strides = (step // x.itemsize for step in x.strides)
    gram = capi.function("weighted_gram")
    assert gram(x.ctypes, *x.shape, *strides, w.ctypes if weighted else None, out.ctypes) == OK
    np.testing.assert_allclose(out, (x.T * w if weighted else x.T) @ x, rtol=1e-12, atol=1e-12)
    assert gram(x.ctypes, -1, 11, 1, 1, None, out.ctypes) == INVALID_ARGUMENT


def test_a_newer_consumer_is_refused(tmp_path):
    """A module built for a larger table than the installed one gets an ImportError, not a crash."""
    headers = tmp_path / "include" / "mlwright"
    headers.mkdir(parents=True)
    for name in ("capi.h", "capi_import.h"):
        text = (Path(mlwright.get_include()) / "mlwright" / name).read_text()
        (headers / name).write_text(
            text.replace("} mlwright_api;", "  void (*from_the_future)(void);\n} mlwright_api;")
        )
    target = tmp_path / f"consumer{SUFFIX}"
    compile_extension(HERE / "consumer.cpp", target, f"-I{tmp_path / 'include'}")
    with pytest.raises(ImportError, match="mlwright C interface: the installed one has version 1 and"):
        load("consumer", target)


def test_a_negative_number_of_threads_does_not_throw_into_c():
    before = capi.function("max_threads")()
    capi.function("set_num_threads")(-3)
    assert capi.function("max_threads")() == before


def test_a_wrong_instruction_set_fails_the_import_and_does_not_end_the_process():
    result = subprocess.run(
        [sys.executable, "-c", "from mlwright import capi"],
        env={**ENVIRONMENT, "MLWRIGHT_SIMD": "sse9"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert "SIMD level (MLWRIGHT_SIMD): got 'sse9', expected one of" in result.stderr
