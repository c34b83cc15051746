"""What a bug report needs to say."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from mlwright import capi
from mlwright._native import core, require_blas
from mlwright._runtime import simd, threads

__all__ = ["show_versions"]

_PACKAGES = [
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "joblib",
    "narwhals",
    "threadpoolctl",
    "pandas",
    "polars",
    "pyarrow",
]


def show_versions() -> None:
    """Print the versions and settings that results and speed depend on; paste it into bug reports.

    Examples
    --------
    >>> import mlwright
    >>> mlwright.show_versions()  # doctest: +ELLIPSIS
    mlwright ...
    """
    for name, value in _report().items():
        print(f"{name:<16}{value}")


def _report() -> dict[str, str]:
    return {
        "mlwright": version("mlwright"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        **{name: _version(name) for name in _PACKAGES},
        "C interface": f"version {capi.VERSION}",
        "SIMD level": f"{simd.level()} (this CPU has {', '.join(simd.supported_levels())})",
        "threads": f"{threads.get_num_threads()} of {os.cpu_count()} processors",
        "BLAS": _blas(),
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _blas():
    from threadpoolctl import threadpool_info

    require_blas()
    found = sorted(
        f"{library['internal_api']} {library['version']} ({library['num_threads']} threads)"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    )
    width = 64 if core.blas.has_wide_integers() else 32
    return f"SciPy's, {width}-bit integers; loaded: {'; '.join(found) or 'none that threadpoolctl knows'}"
