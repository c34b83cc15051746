"""Calls that the main thread waits for."""

import threading

import pytest

from mlwright._runtime.interruptible import interruptible


def test_answers_and_errors_come_back():
    assert interruptible(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        interruptible(divmod, 7, 0)


def test_other_threads_call_themselves():
    callers = []
    worker = threading.Thread(target=lambda: callers.append(interruptible(threading.current_thread)))
    worker.start()
    worker.join()
    assert callers == [worker]


def test_the_main_thread_waits():
    assert interruptible(threading.current_thread) is not threading.main_thread()
