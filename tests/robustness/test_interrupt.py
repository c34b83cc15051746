"""Ctrl-C ends any native call within 0.3 seconds."""

import pytest

SETUP = "from mlwright._native import core; from mlwright._runtime import threads; import threading"
LONG = "core.runtime.exercise(chunks=1_000_000, seconds=2e-3)"


@pytest.mark.parametrize("n_threads", ["1", "2", "8"])
def test_parallel_region(seconds_to_interrupt, n_threads):
    after = "assert core.runtime.exercise(chunks=2) == (1.5, core.runtime.exercise(chunks=2)[1])"
    assert seconds_to_interrupt(SETUP, LONG, after, MLWRIGHT_NUM_THREADS=n_threads) < 0.3


def test_many_short_regions(seconds_to_interrupt):
    assert seconds_to_interrupt(SETUP, "core.runtime.exercise(rounds=10_000_000, chunks=4)") < 0.3


def test_while_other_threads_compute(seconds_to_interrupt):
    setup = f"""
    {SETUP}
    for _ in range(3):
        threading.Thread(target=lambda: core.runtime.exercise(chunks=1500, seconds=2e-3), daemon=True).start()
    """
    assert seconds_to_interrupt(setup, LONG) < 0.3


def test_a_handler_of_the_users_own(seconds_to_interrupt):
    setup = f"""
    {SETUP}
    class Stopped(KeyboardInterrupt): pass
    def handler(*_): raise Stopped
    signal.signal(signal.SIGINT, handler)
    """
    assert seconds_to_interrupt(setup, LONG) < 0.3


def test_a_handler_that_goes_on_does_not_end_the_call(run_script):
    out = run_script("""
        import os, signal, threading, time
        from mlwright._native import core
        heard = []
        signal.signal(signal.SIGINT, lambda *_: heard.append(time.monotonic()))
        threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        core.runtime.exercise(chunks=300, seconds=2e-3)
        print(len(heard))
    """)
    assert out == "1\n"


def test_other_signals_reach_the_main_thread(run_script):
    """Workers block signals: a blocking call of the main thread is woken even when workers exist."""
    out = run_script("""
        import os, signal, subprocess, sys, time
        from mlwright._native import core
        core.runtime.exercise(chunks=8, seconds=1e-3)
        class Heard(Exception): pass
        def handler(*_): raise Heard
        signal.signal(signal.SIGTERM, handler)
        code = f"import os, time; time.sleep(0.3); os.kill({os.getpid()}, 15)"
        sender = subprocess.Popen([sys.executable, "-c", code])
        start = time.monotonic()
        try:
            time.sleep(20)
        except Heard:
            print(time.monotonic() - start < 10)
        sender.wait()
    """)
    assert out == "True\n"
