"""What the linker may merge: code compiled for one instruction set must never be run on another."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def newest_build():
    """The build folder of the extension module in use: the newest one that holds kernel objects."""
    folders = {path.parents[4] for path in ROOT.glob("build/*/*/CMakeFiles/mlwright_simd_*.dir/cpp/src/simd")}
    folders |= {path.parents[4] for path in ROOT.glob("build/*/CMakeFiles/mlwright_simd_*.dir/cpp/src/simd")}
    folders = {
        folder for folder in folders if "MLWRIGHT_BUILD_PYTHON:BOOL=ON" in (folder / "CMakeCache.txt").read_text()
    }
    return max(folders, key=lambda folder: folder.stat().st_mtime, default=None)


def kernel_objects():
    build = newest_build()
    return sorted(build.glob("CMakeFiles/mlwright_simd_*.dir/**/*.o")) if build else []


def symbols(file, *flags):
    listing = subprocess.run(["nm", "-C", *flags, str(file)], capture_output=True, text=True, check=True).stdout
    found = [match.groups() for match in re.finditer(r"^[0-9a-f ]*\s([A-Za-z]) (.*)$", listing, flags=re.MULTILINE)]
    return [(kind, name) for kind, name in found if not name.startswith("__odr_asan.")]  # marks of AddressSanitizer


@pytest.fixture(scope="module")
def objects():
    if shutil.which("nm") is None or not kernel_objects():
        pytest.skip("needs binutils' nm and the objects of a build in build/")
    return kernel_objects()


def test_kernel_objects_hold_nothing_that_can_be_merged(objects):
    """A weak symbol (an inline function, a template) compiled with AVX-512 could be chosen for every CPU."""
    for file in objects:
        merged = [f"{kind} {name}" for kind, name in symbols(file) if kind in "WwVvu"]
        assert not merged, f"{file.parent.parent.name}/{file.name} defines weak symbols: {merged}"


def test_kernel_objects_show_only_their_tables(objects):
    for file in objects:
        level = re.search(r"mlwright_simd_(\w+)\.dir", str(file)).group(1)
        for kind, name in symbols(file, "--defined-only", "--extern-only"):
            table = rf"mlwright::simd::level_{level}::\w+_table"
            assert re.fullmatch(table, name), f"{file.name} of {level} shows {kind} {name}; expected tables only"


def test_kernel_objects_need_no_mathematics_from_outside(objects):
    """libm picks code by CPU; in kernels that would break equal bits."""
    for file in objects:
        needed = {name for kind, name in symbols(file, "--undefined-only")}
        libm = needed & {"exp", "log", "log1p", "expm1", "pow", "sin", "cos", "tanh", "expf", "logf", "powf", "lgamma"}
        assert not libm, f"{file.name} calls {sorted(libm)} of libm; use simd/lane_math.hpp"


def test_the_module_shows_only_its_entry_and_its_doors():
    """Nothing else is visible, so that two copies of the core in one process cannot meet."""
    if shutil.which("nm") is None:
        pytest.skip("needs binutils' nm")
    listed = symbols(find_spec("mlwright._core").origin, "--dynamic", "--defined-only", "--extern-only")
    assert "PyInit__core" in {name for _, name in listed}
    assert [name for _, name in listed if not name.startswith(("PyInit__core", "mlwright_"))] == []
