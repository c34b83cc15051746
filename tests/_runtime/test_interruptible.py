"""Calls that the main thread waits for."""

import threading
from contextvars import ContextVar

import numpy as np
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


def test_the_call_sees_the_context_of_the_caller():
    variable = ContextVar("variable", default=0)
    token = variable.set(3)
    assert interruptible(variable.get) == 3
    variable.reset(token)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        interruptible(np.multiply, np.array([1e308]), 10.0)
