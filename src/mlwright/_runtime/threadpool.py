"""Our thread pool as threadpoolctl sees it, registered when the native module is loaded; and the threads of BLAS."""

from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from threading import Lock

import threadpoolctl


class MlwrightController(threadpoolctl.LibController):
    """Lets ``threadpoolctl.threadpool_info`` show and ``threadpoolctl.threadpool_limits`` limit the pool.

    The limit is that of the process, as of :func:`mlwright.set_num_threads`.
    """

    user_api = "mlwright"
    internal_api = "mlwright"
    filename_prefixes = ("_core.",)
    check_symbols = ("mlwright_get_num_threads", "mlwright_set_num_threads")

    def get_num_threads(self):
        return self.dynlib.mlwright_get_num_threads()

    def set_num_threads(self, num_threads):
        self.dynlib.mlwright_set_num_threads(num_threads)

    def get_version(self):
        return version("mlwright")


def register():
    """Make the pool known to threadpoolctl; called once, by ``mlwright._native``."""
    threadpoolctl.register(MlwrightController)


@cache
def _libraries():
    """Those loaded at the first call, which callers see to; looking for them takes milliseconds."""
    return threadpoolctl.ThreadpoolController()


class _OneThread:
    """Fits on several threads of the user's share one limit: the last to leave restores what the first found."""

    def __init__(self):
        self._lock, self._inside, self._limit = Lock(), 0, None

    @contextmanager
    def __call__(self):
        with self._lock:
            if self._inside == 0:
                self._limit = _libraries().limit(limits=1, user_api="blas")
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._limit.restore_original_limits()


#: A context in which BLAS and LAPACK start no threads: theirs would go on waiting on the cores for a while. For small
#: factorisations just before, or on, threads of our own.
blas_of_one_thread = _OneThread()
