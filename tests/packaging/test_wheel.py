"""What a wheel and a source distribution hold, and that they install on every supported Python."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "mlwright"
PYTHONS = ("3.11", "3.12", "3.13")

pytestmark = pytest.mark.slow


def run(*command, cwd=ROOT, env=None):
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, (
        f"{' '.join(map(str, command))} failed:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
    )
    return result.stdout


def find_python(version):
    """An interpreter of that version that runs: on PATH, or installed by pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [sys.executable, *sorted(map(str, pyenv.glob(f"{version}.*/bin/python")), reverse=True)]
    candidates += filter(None, [shutil.which(f"python{version}")])
    for candidate in candidates:
        probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
        result = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, check=False)
        if result.returncode == 0 and result.stdout.strip() == version:
            return candidate
    return None


@pytest.fixture(scope="session")
def clean_tree(tmp_path_factory):
    """A copy of what is under version control or would be: no build folder, no environment, no compiled module."""
    tree = tmp_path_factory.mktemp("tree") / "mlwright"
    shutil.copytree(
        ROOT,
        tree,
        ignore=shutil.ignore_patterns(
            ".git", ".venv*", "build", "dist", "__pycache__", "*.so", ".*_cache", ".hypothesis"
        ),
    )
    return tree


@pytest.fixture(scope="session")
def distributions(clean_tree, tmp_path_factory):
    """A source distribution and the wheel that `python -m build` makes of it, in isolation."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", out, cwd=clean_tree)
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return sdist, wheel


def expected_files():
    """Every Python file, type marker and Cython declaration, every header; what the build adds is in the test."""
    package = {
        str(file.relative_to(PACKAGE.parent))
        for pattern in ("*.py", "*.pyi", "*.pxd", "*.md", "py.typed")
        for file in PACKAGE.rglob(pattern)
    }
    include = ROOT / "cpp" / "include"
    headers = {f"mlwright/include/{file.relative_to(include)}" for file in include.rglob("*.h*")}
    return package | headers


def test_the_wheel_holds_what_it_should_and_nothing_else(distributions):
    _, wheel = distributions
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    built = {
        "mlwright/_core.pyi",
        "mlwright/cmake/mlwrightConfig.cmake",
        "mlwright/cmake/mlwrightConfigVersion.cmake",
    }
    assert {"mlwright/py.typed", "mlwright/__init__.pxd", "mlwright/include/mlwright/capi.h"} <= names
    rest = names - expected_files() - built
    assert expected_files() | built <= names
    modules = {re.sub(r"\.cpython-\d+-.*\.so$", "", name) for name in rest if name.endswith(".so")}
    assert modules == {"mlwright/_core", "mlwright/_blas"}
    rest = {re.sub(r"^mlwright-[^/]+\.dist-info/", "", name) for name in rest if not name.endswith(".so")}
    assert rest == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


def test_the_source_distribution_builds_and_holds_no_tests(distributions):
    sdist, _ = distributions
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "CMakeLists.txt", "LICENSE", "README.md", "cpp/bindings/module.cpp"} <= names
    assert not {name for name in names if name.startswith(("tests/", "docs/", "benchmarks/", "build/", ".venv"))}


def test_the_version_has_one_door(distributions):
    _, wheel = distributions
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE).group(1)
    archive = zipfile.ZipFile(wheel)
    assert wheel.name.startswith(f"mlwright-{version}-")
    assert f'"{version}"' in archive.read("mlwright/cmake/mlwrightConfigVersion.cmake").decode()
    for file in [*ROOT.glob("cpp/**/*.?pp"), ROOT / "CMakeLists.txt", PACKAGE / "__init__.py"]:
        assert version not in file.read_text(), f"{file} repeats the version"


SMOKE = """
import numpy as np
import mlwright
from mlwright import capi
from mlwright._kernels import blas, simd
assert simd.exp(np.zeros(3)).tolist() == [1, 1, 1]
assert blas.solve_spd(np.eye(2), np.ones((2, 1))).tolist() == [[1], [1]]
assert capi.function("sum")(np.ones(5).ctypes, 5) == 5
from pathlib import Path
assert (Path(mlwright.get_include()) / "mlwright" / "capi.h").exists()
assert (Path(mlwright.get_cmake_dir()) / "mlwrightConfig.cmake").exists()
mlwright.show_versions()
"""


@pytest.mark.parametrize("version", PYTHONS)
def test_pip_install_from_the_tree(version, clean_tree, tmp_path):
    """`pip install .` with build isolation in an empty environment, then a short run away from the sources."""
    python = find_python(version)
    if python is None:
        pytest.skip(f"no Python {version} with venv on PATH or in pyenv")
    run(python, "-m", "venv", tmp_path / "env")
    mine = tmp_path / "env" / "bin" / "python"
    run(mine, "-m", "pip", "install", "--quiet", ".", cwd=clean_tree)
    report = run(mine, "-W", "error", "-c", SMOKE, cwd=tmp_path)
    assert re.search(rf"^python\s+{re.escape(version)}\.", report, flags=re.MULTILINE)


def test_a_cython_consumer_of_the_wheel(distributions, tmp_path):
    """The .pxd is found beside the installed package, without a path to the sources."""
    _, wheel = distributions
    run(sys.executable, "-m", "venv", tmp_path / "env")
    mine = tmp_path / "env" / "bin" / "python"
    run(mine, "-m", "pip", "install", "--quiet", wheel, "cython", "setuptools")
    source = ROOT / "tests" / "embedding" / "cython_consumer.pyx"
    include = run(mine, "-c", "import mlwright; print(mlwright.get_include())", cwd=tmp_path).strip()
    run(mine, "-m", "cython", source, "-o", tmp_path / "cython_consumer.c", cwd=tmp_path)
    python_include = run(mine, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])").strip()
    run(
        "gcc",
        "-shared",
        "-fPIC",
        f"-I{python_include}",
        f"-I{include}",
        "cython_consumer.c",
        "-o",
        "cython_consumer.so",
        cwd=tmp_path,
    )
    code = (
        "import numpy, cython_consumer; x = numpy.zeros(5); cython_consumer.expit_doubled(x, x); assert (x == 1).all()"
    )
    run(mine, "-c", code, cwd=tmp_path)
