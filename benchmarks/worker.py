"""One library in a process of its own: holds the data, fits when told to, reports seconds, memory and answers.

The parent (``session.py``) writes one word a line to standard input and reads one JSON object a line from what was
standard output; whatever a library prints goes to standard error instead.
"""

import argparse
import gc
import json
import os
import sys
import time
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse

from benchmarks.problem import Problem
from benchmarks.problems import PROBLEMS

#: A round lasts at least this long: short workloads repeat within it, and the mean of the repeats counts.
SHORTEST_ROUND = 0.05
#: Of the first call when the problem is too long to be run once untimed: so many rows, or this part of them if fewer.
WARM_UP_ROWS, WARM_UP_PART = 5_000, 5


class Worker:
    """The state of one library's process between commands."""

    def __init__(self, problem: Problem, library: str, quick: bool):
        self.problem = problem
        self.module = import_module(f"benchmarks.libraries.{library}")
        self.data: dict[str, Any] = problem.data(quick)
        self.checksum = checksum(self.data)
        prepare = getattr(self.module, "PREPARE", {}).get(problem.task)
        if prepare is not None:
            self.data = prepare(self.data)
        self.repeats = 1
        self.model: Any = None

    def warm_up(self) -> dict[str, Any]:
        """Load code, start threads, and find how many calls make up a round."""
        if not self.problem.warm_up:
            X, y = self.data["X"], self.data["y"]
            n = min(WARM_UP_ROWS, max(1, len(y) // WARM_UP_PART))
            self._build().fit(X[:n], y[:n])
            return {"checksum": self.checksum}
        if self.problem.timed == "predict":
            self.model = self._build().fit(self.data["X"], self.data["y"])
        seconds = self._call()
        if seconds < SHORTEST_ROUND:
            seconds = self._call()  # the first call paid for imports
            self.repeats = max(1, round(SHORTEST_ROUND / seconds))
        return {"checksum": self.checksum}

    def round(self) -> dict[str, Any]:
        """One timed round: seconds a call, and the highest memory during it beyond what the process held before."""
        gc.collect()
        reset_peak()
        before = memory_mb("VmRSS")
        seconds = sum(self._call() for _ in range(self.repeats)) / self.repeats
        peak = max(0.0, memory_mb("VmHWM") - before)
        if self.problem.per is not None:
            seconds /= self.problem.per(self.model, self.data)
        return {"seconds": seconds, "peak_mb": peak}

    def answers(self) -> dict[str, Any]:
        """The metrics of the last fitted model, and the library's own remarks about how it ran."""
        notes = getattr(self.module, "notes", list)()
        values = {metric.name: float(metric.of(self.model, self.data)) for metric in self.problem.metrics}
        return {"answers": values, "notes": notes, "calls_per_round": self.repeats}

    def _build(self) -> Any:
        return self.module.MODELS[self.problem.task](self.problem.settings)

    def _call(self) -> float:
        data = self.data
        if self.problem.timed == "predict":
            predict = getattr(self.model, "predict_proba", self.model.predict)
            start = time.perf_counter()
            predict(data["X_test"])
            return time.perf_counter() - start
        model = self._build()
        self.model = None  # a round must not hold two models
        start = time.perf_counter()
        model.fit(data["X"], data["y"])
        if self.problem.timed == "fit_predict":
            model.predict(data["X_test"])
        seconds = time.perf_counter() - start
        self.model = model
        return seconds


def checksum(data: dict[str, Any]) -> int:
    """Of every array and frame, so that the parent sees that all libraries were given the same numbers."""
    total = 0
    for name in sorted(data):
        value = data[name]
        for part in (value.data, value.indices, value.indptr) if issparse(value) else (value,):
            total = zlib.crc32(memoryview(_plain(part)).cast("B"), total)
    return total


def _plain(value: Any) -> np.ndarray:
    """An array as it is, a frame as one hash a row."""
    if hasattr(value, "columns"):
        from pandas.util import hash_pandas_object

        value = hash_pandas_object(value)
    return np.ascontiguousarray(value)


def memory_mb(field: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (peak since :func:`reset_peak`) of this process, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise OSError(f"/proc/self/status: no field {field}; peak memory needs Linux")


def reset_peak() -> None:
    """Let the kernel forget this process' highest memory."""
    Path("/proc/self/clear_refs").write_text("5")


def serve(worker_arguments: tuple[Problem, str, bool]) -> None:
    """Answer commands until the parent closes the pipe."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not end up among the replies
    worker: Worker | None = None
    for command in sys.stdin:
        try:
            match command.strip():
                case "warm_up":
                    worker = Worker(*worker_arguments)
                    reply = worker.warm_up()
                case "round" if worker:
                    reply = worker.round()
                case "answers" if worker:
                    reply = worker.answers()
                case other:
                    raise ValueError(f"command {other!r}: expected warm_up first, then round or answers")
        except Exception as error:  # whatever it is, the parent prints it in the library's row
            reply = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problem")
    parser.add_argument("library")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    serve((PROBLEMS[arguments.problem], arguments.library, arguments.quick))
