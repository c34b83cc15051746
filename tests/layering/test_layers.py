"""Who may know whom, read from includes and imports (the table is in HACKING.md)."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CPP = ROOT / "cpp"
PYTHON = ROOT / "src" / "mlwright"

GROUND = {"base"}
TOOLS = GROUND | {"simd", "runtime"}
FUNCTORS = {"loss", "penalty", "density"}
#: Folder of the C++ core to the folders that it may include besides itself; bindings and tests may include all.
CPP_MAY_KNOW = {
    "base": set(),
    "simd": GROUND | FUNCTORS,  # its kernels are where a functor meets an array
    "runtime": GROUND | {"simd"},
    "linalg": TOOLS,
    "cluster": TOOLS | {"linalg"},
    "loss": GROUND,
    "penalty": GROUND,
    "density": GROUND,
    "solver": TOOLS | FUNCTORS | {"linalg"},
    "tree": TOOLS | FUNCTORS | {"linalg"},
    "sampler": TOOLS | FUNCTORS | {"linalg"},
    "gp": TOOLS | {"linalg"},
    "mixture": TOOLS | FUNCTORS | {"linalg"},
    "capi": TOOLS | {"linalg"},  # offers to C what the others do
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)

#: Parts of the package to the parts of mlwright that they may import besides themselves; all others may import any.
MAY_KNOW = {
    "_native": {"_core", "_blas", "_runtime"},
    "_runtime": {"_native"},
    "_kernels": {"_native", "_runtime"},
    "reference": set(),
}
#: Packages from outside to the parts that may import them.
ONLY_IN = {
    "numba": {"extend"},
    "llvmlite": {"extend"},
    "hypothesis": {"testing"},
    "typer": {"cli"},
    "rich": {"cli", "_runtime"},  # a progress bar, when it is installed
}
#: Parts that neither know scikit-learn nor anything built on it.
WITHOUT_SKLEARN = {"_native", "_runtime", "_kernels", "reference", "extend"}


def cpp_files():
    for folder in (CPP / "include" / "mlwright", CPP / "src"):
        for file in sorted([*folder.rglob("*.hpp"), *folder.rglob("*.cpp"), *folder.rglob("*.h")]):
            if file.parent != folder:
                yield pytest.param(file, file.relative_to(folder).parts[0], id=str(file.relative_to(CPP)))


@pytest.mark.parametrize(("file", "folder"), list(cpp_files()))
def test_includes(file, folder):
    assert folder in CPP_MAY_KNOW, (
        f"cpp folder {folder}: not in the table of who may know whom; add it there and to HACKING.md"
    )
    for target in INCLUDE.findall(file.read_text()):
        assert not target.startswith(("Python.h", "pybind11/")), (
            f"{file.name} includes {target}; only bindings see Python"
        )
        known = target.removeprefix("mlwright/").split("/")[0]
        if known in CPP_MAY_KNOW:
            assert known == folder or known in CPP_MAY_KNOW[folder], (
                f"{folder} may not know {known}: {file.name} includes {target}"
            )


def imports(file):
    """Dotted names of all that a module imports, at any depth."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import; write the whole name"
            # `from mlwright import io` names a part just as `from mlwright.io import load` does.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(file):
    return file.relative_to(PYTHON).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", sorted(PYTHON.rglob("*.py")), ids=lambda file: str(file.relative_to(PYTHON)))
def test_imports(file):
    part = part_of(file)
    for name in imports(file):
        package, _, rest = name.partition(".")
        known = rest.split(".")[0]
        if package == "mlwright" and part in MAY_KNOW:
            assert known == part or known in MAY_KNOW[part], f"{part} may not know mlwright.{known}"
        if package == "mlwright" and known in {"_core", "_blas"}:
            assert part == "_native", f"{part} imports the extension module {known}; only _native does"
        if package in ONLY_IN:
            assert part in ONLY_IN[package], f"{part} imports {package}; only {sorted(ONLY_IN[package])} may"
        if package == "sklearn":
            assert part not in WITHOUT_SKLEARN, f"{part} imports {name}; estimators and validation do"


def test_the_walk_finds_what_is_there():
    """An empty walk would pass every test above."""
    assert len(list(cpp_files())) > 10
    assert "mlwright._core" in set(imports(PYTHON / "_native.py"))
