"""Processes that fork: before use, after use, during use."""

import pytest

# One number that only the right order of additions gives, by three threads.
WORK = """
import os, signal, sys, threading, time
from mlwright._native import core
from mlwright._runtime import threads

def work(_=None):
    with threads.limit(3):
        return core.runtime.exercise(chunks=200, seconds=5e-6)[0].hex()

def child(work):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        os._exit(0 if work() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


def test_after_use(run_script):
    run_script(f"""{WORK}
want = work()
for _ in range(5):
    assert child(lambda: work() == want) == 0
assert work() == want
""")


def test_a_child_of_a_child(run_script):
    run_script(f"""{WORK}
want = work()
assert child(lambda: work() == want and child(lambda: work() == want) == 0) == 0
""")


def test_before_use(run_script):
    run_script(f"""{WORK}
assert child(work) == 0
assert work()
""")


def test_while_another_thread_computes(run_script):
    run_script(f"""{WORK}
want = work()
stop = False
def loop():
    while not stop:
        assert work() == want
busy = [threading.Thread(target=loop) for _ in range(3)]
for thread in busy: thread.start()
codes = [child(lambda: work() == want) for _ in range(20)]
stop = True
for thread in busy: thread.join()
assert codes == [0] * 20, codes
""")


def test_child_sees_its_own_affinity(run_script):
    run_script(f"""{WORK}
for variable in ("OMP_NUM_THREADS", "MLWRIGHT_NUM_THREADS"):
    os.environ.pop(variable, None)
core.runtime.set_num_threads(0)
core.runtime.max_threads()
def pinned():
    os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
    return child(lambda: core.runtime.max_threads() == 1) == 0
assert child(pinned) == 0
""")


def test_multiprocessing_fork(run_script):
    run_script(f"""{WORK}
import multiprocessing
want = work()
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert pool.map(work, range(12)) == [want] * 12
assert work() == want
""")


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib(run_script, backend):
    run_script(f"""{WORK}
from joblib import Parallel, delayed, parallel_config
def task(i):
    from mlwright._native import core
    return core.runtime.exercise(chunks=200)[0].hex()
want = work()
with parallel_config("{backend}", n_jobs=2):
    assert Parallel()(delayed(task)(i) for i in range(6)) == [want] * 6
""")
