"""Run one problem: a process a library, rounds interleaved, so that a slow minute of the machine hits all alike."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import thread_environment
from benchmarks.problem import Problem

ROOT = Path(__file__).resolve().parents[1]
#: Between rounds: thread pools of the library before spin for a few milliseconds after their work.
PAUSE = 0.05


class LibraryFailed(RuntimeError):
    """A worker answered with an error or died; its row says so, the others go on."""


class Library:
    """The parent's end of one worker process."""

    def __init__(self, problem: Problem, name: str, quick: bool):
        command = [sys.executable, "-m", "benchmarks.worker", problem.name, name, *(["--quick"] if quick else [])]
        self.name = name
        # A file, not a pipe: a talkative library would fill the pipe and wait for a reader.
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 closed by close()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=thread_environment(problem.threads),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )

    def ask(self, command: str) -> dict[str, Any]:
        """Send one command and wait for its reply."""
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = self.process.wait()
            self.errors.seek(0)
            last_words = self.errors.read().strip().splitlines()
            raise LibraryFailed(f"worker ended with code {code}: {last_words[-1] if last_words else 'nothing said'}")
        reply = json.loads(line)
        if "error" in reply:
            raise LibraryFailed(reply["error"])
        return reply

    def close(self) -> None:
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def run(problem: Problem, quick: bool, say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Results by library name, as :func:`benchmarks.summary.compare` takes them."""
    libraries = [Library(problem, name, quick) for name in problem.libraries]
    try:
        return _measure(problem, libraries, say)
    finally:
        for library in libraries:
            library.close()


def _measure(problem: Problem, libraries: Sequence[Library], say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = {library.name: {"seconds": [], "peak_mb": 0.0} for library in libraries}

    def failed(library: Library, error: LibraryFailed) -> None:
        results[library.name] = {"error": str(error)}
        say(f"  {library.name}: {error}")

    checksums = {}
    for library in libraries:
        try:
            checksums[library.name] = library.ask("warm_up")["checksum"]
        except LibraryFailed as error:
            failed(library, error)
    if len(set(checksums.values())) > 1:
        raise RuntimeError(f"problem {problem.name}: the libraries were given different data: {checksums}")

    for turn in range(problem.rounds):
        alive = [library for library in libraries if "error" not in results[library.name]]
        for library in alive[turn % max(1, len(alive)) :] + alive[: turn % max(1, len(alive))]:
            time.sleep(PAUSE)
            try:
                reply = library.ask("round")
            except LibraryFailed as error:
                failed(library, error)
                continue
            results[library.name]["seconds"].append(reply["seconds"])
            results[library.name]["peak_mb"] = max(results[library.name]["peak_mb"], reply["peak_mb"])

    for library in libraries:
        if "error" not in results[library.name]:
            try:
                results[library.name] |= library.ask("answers")
            except LibraryFailed as error:
                failed(library, error)
    return results
