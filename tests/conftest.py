"""Hypothesis profiles and the reference data."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("dev", max_examples=30, **_COMMON)
settings.register_profile("ci", max_examples=200, derandomize=True, database=None, **_COMMON)
settings.register_profile("suite", max_examples=50, derandomize=True, database=None, **_COMMON)
settings.register_profile("nightly", max_examples=5000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

DATA = Path(os.environ.get("MLWRIGHT_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture
def data_table():
    """Path of a real table by name; skips, saying so, where the reference data is not present."""

    def path(name):
        file = DATA / "tables" / f"{name}.csv.gz"
        if not file.exists():
            pytest.skip(f"reference table {file} is not present (set MLWRIGHT_DATA)")
        return file

    return path


@pytest.fixture
def data_posterior():
    """A reference posterior by name, as read from its JSON; skips, saying so, where it is not present."""

    def read(name):
        file = DATA / "posteriors" / f"{name}.json"
        if not file.exists():
            pytest.skip(f"reference posterior {file} is not present (set MLWRIGHT_DATA)")
        return json.loads(file.read_text())

    return read
