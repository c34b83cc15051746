"""Many independent computations at once, each on a Python thread of its own.

One fit a thread beats one fit on all threads where there are many: nothing waits at the end of a parallel region.
Native code releases the GIL, so plain threads will do; the results do not depend on how many there are.
"""

from collections.abc import Callable, Iterable
from queue import SimpleQueue
from threading import Thread
from time import monotonic

from mlwright._native import core
from mlwright._runtime.progress import unwatched
from mlwright._runtime.threads import get_num_threads, limit, resolve_n_jobs

_PATIENCE = 0.2  # seconds that an interrupted call waits for its threads


def side_by_side(
    tasks: Iterable[Callable[[], None]], *, n_jobs: int | None = None, done: Callable[[int], None] | None = None
) -> None:
    """Call all tasks, several at once.

    Parameters
    ----------
    tasks : iterable of callables without arguments
        Begun in order.
    n_jobs : int or None
        Threads altogether, as in scikit-learn; None: those of the process. Fewer tasks than threads share them out.
    done : callable or None
        ``done(n)`` after each task, n being how many have ended; always on the calling thread, which does nothing
        else, so that Ctrl-C is heard at once whatever the tasks call. None is for tasks of some milliseconds: the
        calling thread takes its share, and one thread less has to be started and to find a CPU.

    Raises
    ------
    Exception
        What a task or ``done`` raises; no further task is begun, and native calls in flight are ended, as by Ctrl-C.
    """
    tasks = list(tasks)
    n_threads = resolve_n_jobs(n_jobs) or get_num_threads()
    n_workers = min(n_threads, len(tasks))
    if n_workers <= 1:
        with limit(n_threads):
            for number, task in enumerate(tasks):
                unwatched().run(task)
                if done is not None:
                    done(number + 1)
        return
    _Crew(tasks, n_workers - (done is None), n_threads // n_workers).work(done)


class _Crew:
    """Python threads that take tasks from one list."""

    def __init__(self, tasks, n_threads, threads_each):
        self._waiting = iter(tasks)  # next() of a list's iterator is atomic
        self._n_tasks = len(tasks)
        self._threads_each = threads_each
        self._ended = SimpleQueue()  # None, or what a task raised
        self._stop = core.runtime.CancelFlag()
        self._callers_cpu = core.runtime.current_cpu()
        self._workers = [
            Thread(target=unwatched().run, args=(self._follow_and_take,), daemon=True) for _ in range(n_threads)
        ]

    def work(self, done):
        try:
            for worker in self._workers:
                worker.start()
            if done is None:
                unwatched().run(self._take_tasks)
            for number in range(self._n_tasks):
                error = self._ended.get()
                if error is not None:
                    raise error
                if done is not None:
                    done(number + 1)
        except BaseException:
            self._stop.set()
            raise
        finally:
            self._wait()

    def _wait(self):
        deadline = monotonic() + _PATIENCE
        for worker in self._workers:
            if worker.is_alive():
                worker.join(max(0.0, deadline - monotonic()))

    def _follow_and_take(self):
        core.runtime.leave_cpu(self._callers_cpu)  # where the kernel may have it begin, to share it for milliseconds
        core.runtime.follow(self._stop)
        self._take_tasks()

    def _take_tasks(self):
        with limit(self._threads_each):
            for task in self._waiting:
                if self._stop.is_set():
                    return
                try:
                    task()
                except BaseException as error:  # goes to the calling thread
                    self._stop.set()
                    self._ended.put(error)
                    return
                self._ended.put(None)
