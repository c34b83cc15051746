"""Scripts in processes of their own: what a test process must not do to itself (fork, signals, exit)."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

_CTRL_C = """
import json, os, signal, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with Ctrl-C ignored
{setup}

def press():
    global pressed
    time.sleep({delay})
    pressed = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=press, daemon=True).start()
try:
    {call}
except KeyboardInterrupt:
    seconds = time.monotonic() - pressed
else:
    seconds = None
{after}
print(json.dumps(seconds))
"""


def run_script(script, *, timeout=60, **environment):
    """Run Python code in a new process, which must end well and silently; what it printed."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert result.returncode == 0, f"exit code {result.returncode}\n{result.stdout}\n{result.stderr}"
    assert result.stderr == ""
    return result.stdout


@pytest.fixture(name="run_script")
def run_script_fixture():
    """``run_script(code, **environment) -> stdout``; fails unless the process ends with code 0 and an empty stderr."""
    return run_script


@pytest.fixture
def seconds_to_interrupt():
    """``seconds_to_interrupt(setup, call, after="")``: how long a call goes on after Ctrl-C.

    ``setup`` prepares, ``call`` is one statement that would take some seconds, ``after`` may assert what must hold
    afterwards, e.g. that the estimator is as it was. The best of three, since the machine may be busy.
    """

    def measure(setup, call, after="", *, delay=0.3, **environment):
        script = _CTRL_C.format(setup=textwrap.dedent(setup), call=call, after=textwrap.dedent(after), delay=delay)
        tries = []
        while len(tries) < 3 and not (tries and tries[-1] < 0.3):
            seconds = json.loads(run_script(script, **environment))
            assert seconds is not None, f"{call} ended before Ctrl-C, or swallowed it; make it longer"
            tries.append(seconds)
        return min(tries)

    return measure
