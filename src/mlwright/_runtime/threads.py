"""How many threads the native code uses.

The count is, in this order: ``n_jobs`` of the estimator (:func:`limit`), :func:`set_num_threads` (which threadpoolctl
calls too), the environment variables ``MLWRIGHT_NUM_THREADS`` and ``OMP_NUM_THREADS``, the CPU affinity and the quota
of the control group. No result depends on it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral

from mlwright._native import core

__all__ = ["get_num_threads", "limit", "set_num_threads"]


def get_num_threads() -> int:
    """Number of threads that native code called from here would use.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> import mlwright
    >>> mlwright.set_num_threads(2)
    >>> mlwright.get_num_threads()
    2
    >>> mlwright.set_num_threads(None)
    """
    return core.runtime.max_threads()


def set_num_threads(n: int | None) -> None:
    """Set the number of threads for the whole process.

    Parameters
    ----------
    n : int or None
        At least 1; more than there are cores is allowed. None returns to what the environment says, read anew.

    Raises
    ------
    ValueError
        If ``n`` is below 1.
    """
    if n is not None and (not isinstance(n, Integral) or isinstance(n, bool) or n < 1):
        raise ValueError(f"set_num_threads: got {n!r}, expected an integer of at least 1, or None for the default")
    core.runtime.set_num_threads(0 if n is None else min(int(n), 1 << 30))


def resolve_n_jobs(n_jobs: int | None) -> int:
    """joblib's convention as a number of threads; 0 is no limit.

    None leaves the count to the process, -1 is all of it, -2 all but one, and so on, but at least one.
    """
    if n_jobs is None:
        return 0
    if not isinstance(n_jobs, Integral) or isinstance(n_jobs, bool) or n_jobs == 0:
        raise ValueError(f"n_jobs: got {n_jobs!r}, expected None, a positive integer, or a negative one (-1: all)")
    return min(int(n_jobs), 1 << 30) if n_jobs > 0 else max(1, get_num_threads() + 1 + int(n_jobs))


@contextmanager
def limit(n_jobs: int | None) -> Iterator[None]:
    """Limit the native code that this Python thread calls in the block.

    Parameters
    ----------
    n_jobs : int or None
        As in scikit-learn: None is no limit of its own, -1 all the threads of the process, -2 all but one.
    """
    n = resolve_n_jobs(n_jobs)
    if n == 0:
        yield
        return
    before = core.runtime.set_thread_limit(n)
    try:
        yield
    finally:
        core.runtime.set_thread_limit(before)
