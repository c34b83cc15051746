"""The only importer of the extension modules; hands SciPy's BLAS and LAPACK to the core."""

from mlwright import _core as core
from mlwright._runtime import threadpool

threadpool.register()

__all__ = ["core"]
