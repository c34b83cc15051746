"""Fits in a process that is started for them: what a user waits for who has not imported or compiled anything yet."""

import json
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


class _Cold:
    def __init__(self, library, task, settings):
        self._command = [sys.executable, "-m", "benchmarks.cold", library, task, json.dumps(dict(settings))]

    def fit(self, X, y):
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/X.npy", X)
            np.save(f"{folder}/y.npy", y)
            subprocess.run([*self._command, folder], cwd=ROOT, check=True, stdout=sys.stderr)
            self._draws = np.load(f"{folder}/draws.npy")
        return self

    def draws(self):
        return self._draws


def started_anew(library, task):
    """A builder of models of that library and task, each fitted in a process of its own."""
    return lambda settings: _Cold(library, task, settings)


if __name__ == "__main__":
    name, task, settings, folder = sys.argv[1:]
    model = import_module(f"benchmarks.libraries.{name}").MODELS[task](json.loads(settings))
    model.fit(np.load(f"{folder}/X.npy"), np.load(f"{folder}/y.npy"))
    np.save(f"{folder}/draws.npy", model.draws())
