"""Tasks on Python threads of their own."""

import threading
import time
from functools import partial

import pytest

from mlwright._runtime import threads
from mlwright._runtime.side_by_side import side_by_side


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 8])
@pytest.mark.parametrize("watched", [True, False])
def test_every_task_is_called_once(n_jobs, watched):
    called, told = [], []
    side_by_side([partial(called.append, i) for i in range(20)], n_jobs=n_jobs, done=told.append if watched else None)
    assert sorted(called) == list(range(20))
    assert told == (list(range(1, 21)) if watched else [])


def callers(**options):
    """The threads that take part in tasks of which each waits for one on another thread."""
    seen, barrier = set(), threading.Barrier(2)

    def task():
        seen.add(threading.current_thread())
        barrier.wait(timeout=10)

    side_by_side([task] * 4, n_jobs=2, **options)
    return seen


def test_the_calling_thread_takes_its_share_of_what_nobody_watches():
    assert threading.current_thread() in callers()
    assert len(callers()) == 2
    assert threading.current_thread() not in callers(done=lambda n: None)


@pytest.mark.parametrize("done", [None, lambda n: None])
@pytest.mark.parametrize("by_caller", [True, False])
def test_an_error_ends_the_others(done, by_caller):
    begun, main = [], threading.current_thread()

    def task():
        begun.append(None)
        time.sleep(0.001)
        if len(begun) > 3 and (done or (threading.current_thread() is main) == by_caller):
            raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError, match="on purpose"):
        side_by_side([task] * 10_000, n_jobs=2, done=done)
    assert len(begun) < 1000


def test_tasks_share_out_the_threads():
    seen = []
    side_by_side([lambda: seen.append(threads.get_num_threads())] * 2, n_jobs=4)
    assert seen == [2, 2]
