"""Many callers, errors inside regions, and a process that ends while threads of ours live."""

from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

import mlwright
from mlwright._native import core
from mlwright._runtime import threads


@pytest.fixture(autouse=True)
def default_threads():
    yield
    mlwright.set_num_threads(None)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_error_in_a_region(n_threads):
    with threads.limit(n_threads):
        for chunk in (0, 7, 99):
            with pytest.raises(ValueError, match=rf"^exercise: chunk {chunk} fails, as asked$"):
                core.runtime.exercise(chunks=100, seconds=1e-5, fail_at=chunk)
        assert core.runtime.exercise(chunks=2)[0] == 1.5


def test_regions_use_the_threads_asked_for():
    for n in (1, 2, 3, 8):
        with threads.limit(n):
            assert core.runtime.exercise(chunks=16 * n, seconds=2e-3)[1] == n


@pytest.mark.parametrize("n_threads", [1, 2, 8])
def test_eight_callers_at_once(n_threads):
    mlwright.set_num_threads(n_threads)

    def call(_):
        return [core.runtime.exercise(chunks=100, seconds=1e-6)[0] for _ in range(50)]

    want = core.runtime.exercise(chunks=100)[0]
    with ThreadPoolExecutor(8) as callers:
        for sums in callers.map(call, range(8)):
            assert sums == [want] * 50


def test_callers_share_the_workers(run_script):
    """Eight callers with two threads each make one worker, not eight."""
    out = run_script("""
        import threading
        from pathlib import Path
        from mlwright._native import core
        core.runtime.set_num_threads(2)
        def call():
            for _ in range(20): core.runtime.exercise(chunks=50, seconds=1e-5)
        callers = [threading.Thread(target=call) for _ in range(8)]
        for caller in callers: caller.start()
        for caller in callers: caller.join()
        names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
        print(names.count("mlwright"))
    """)
    assert out == "1\n"


def test_exit_while_workers_sleep(run_script):
    run_script("""
        from mlwright._native import core
        core.runtime.set_num_threads(4)
        core.runtime.exercise(chunks=50, seconds=1e-4)
    """)


@pytest.mark.parametrize("ending", ["pass", "import os; os._exit(0)", "import sys; sys.exit(0)"])
def test_exit_while_a_daemon_thread_computes(run_script, ending):
    run_script(f"""
        import threading, time
        from mlwright._native import core
        core.runtime.set_num_threads(3)
        def compute():
            for _ in range(1000): core.runtime.exercise(chunks=20, seconds=1e-3)
        for _ in range(2): threading.Thread(target=compute, daemon=True).start()
        time.sleep(0.1)
        {ending}
    """)


@pytest.mark.parametrize("watcher", ["None", "lambda *event: None"])
def test_a_daemon_thread_may_come_back_while_the_interpreter_shuts_down(run_script, watcher):
    """It wants the GIL for its result, or for a watcher, when there is no interpreter left to give it."""
    out = run_script(f"""
        import os, sys, threading, time
        from mlwright._native import core
        core.runtime.set_num_threads(3)
        def slow(self, sleep=time.sleep, write=os.write):
            sleep(1.0)
            write(1, b"ended")
        sys.ended_late = type("EndedLate", (), {{"__del__": slow}})()
        def compute(): core.runtime.exercise(chunks=200, seconds=1e-3, watcher={watcher})
        for _ in range(3): threading.Thread(target=compute, daemon=True).start()
        time.sleep(0.05)
    """)
    assert out == "ended"


def test_use_at_exit(run_script):
    out = run_script("""
        import atexit
        from mlwright._native import core
        core.runtime.set_num_threads(3)
        core.runtime.exercise(chunks=10)
        atexit.register(lambda: print(core.runtime.exercise(chunks=2)[0]))
    """)
    assert out == "1.5\n"


def test_the_interpreter_waits_for_a_thread_that_is_no_daemon(run_script):
    out = run_script("""
        import threading
        from mlwright._native import core
        threading.Thread(target=lambda: print(core.runtime.exercise(chunks=2, seconds=0.1)[0])).start()
    """)
    assert out == "1.5\n"


def test_repeated_regions_and_errors_keep_memory_flat():
    def rounds(n):
        with threads.limit(3):
            for _ in range(n):
                core.runtime.exercise(chunks=8)
                with pytest.raises(ValueError, match="fails"):
                    core.runtime.exercise(chunks=8, fail_at=5)

    process = psutil.Process()
    rounds(1000)
    before = process.memory_info().rss
    rounds(12_000)
    assert process.memory_info().rss - before < 4 << 20  # an error that leaked would cost more than 400 bytes
