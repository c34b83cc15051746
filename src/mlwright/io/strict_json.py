"""JSON as model files use it: the plain subset, read under limits.

The reader is the standard library's, which accepts more than JSON (NaN, repeated keys) and whose memory and stack use
grow with what the text says. So linear passes over the text bound nesting and the number of values first, and the
hooks refuse the rest.
"""

import json
import math
import re
from typing import Any

from mlwright._runtime.errors import ModelFormatError

MAX_DEPTH = 64
MAX_VALUES = 2_000_000

# Strings are matched whole (also an unterminated one, so that the scan never starts over inside it: linear time).
# What lies between is skipped by a class of characters, ten times as fast as by looking for the next match.
_TOKEN = re.compile(r'[^"\[\]{}]*+("[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}])', re.DOTALL)
_LONGEST_INTEGER = 20  # -9223372036854775808 and 18446744073709551615


def dumps(value: Any) -> str:
    """The canonical text: ASCII, no spaces, keys in the order given. Floats are written to be read back exactly."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def loads(text: str, what: str) -> Any:
    """Parse `text` or raise ModelFormatError, naming `what`."""
    check_size(text, what)
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError) as error:
        if isinstance(error, ModelFormatError):
            raise ModelFormatError(f"{what}: {error}") from None
        raise ModelFormatError(f"{what}: is not valid JSON: {error}") from error


def check_size(text: str, what: str) -> None:
    """Refuse text that nests too deep or says too much for :func:`loads`."""
    if sum(map(text.count, "[{,")) > MAX_VALUES:  # commas in strings count too
        raise ModelFormatError(f"{what}: JSON with more than {MAX_VALUES} values")
    depth = 0
    for match in _TOKEN.finditer(text):
        token = text[match.start(1)]
        if token in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ModelFormatError(f"{what}: JSON nested more than {MAX_DEPTH} levels deep")
        elif token in "]}":
            depth -= 1


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ModelFormatError("a JSON object names the same key twice")
    return result


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER:
        raise ModelFormatError(f"an integer of {len(digits)} digits; at most {_LONGEST_INTEGER} are allowed")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ModelFormatError("a number beyond the range of float64")
    return value


def _no_constant(name: str) -> float:
    raise ModelFormatError(f"{name} is not JSON")
