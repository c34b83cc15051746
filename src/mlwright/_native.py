"""The only importer of the extension modules; hands SciPy's BLAS and LAPACK to the core."""

from mlwright import _core as core
from mlwright._runtime import threadpool

threadpool.register()

__all__ = ["core", "require_blas"]


def require_blas():
    """Hand SciPy's BLAS and LAPACK to the core, once; kernel modules that need them call this when they are imported.

    Not done with the core: importing ``scipy.linalg`` costs 140 ms, and trees, tables and model files need none.
    """
    if not core.blas.installed():
        core.blas.install(*_find_blas())


def _find_blas():
    """Addresses of the double and of the float routines, and whether they count in 64 bits."""
    from mlwright import _blas

    names = core.blas.routine_names()
    addresses, width = _blas.find([letter + name for letter in "ds" for name in names])
    return addresses[: len(names)], addresses[len(names) :], width == 64
