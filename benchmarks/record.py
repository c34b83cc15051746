"""The JSON file of results: one record a problem, the newest measurement of each."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, Any]]:
    """Every record of the file; none when there is no file yet."""
    return json.loads(path.read_text())["problems"] if path.exists() else []


def merge(path: Path, result: dict[str, Any], order: Sequence[str]) -> list[dict[str, Any]]:
    """Put ``result`` in the place of the record of its name, write the file, and return all records in ``order``.

    A problem that ``order`` no longer names is dropped: a figure nobody can measure again must not stay.
    """
    by_name = {old["name"]: old for old in read(path)} | {result["name"]: result}
    records = [by_name[name] for name in order if name in by_name]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"problems": records}, indent=1) + "\n")
    return records
