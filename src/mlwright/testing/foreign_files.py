"""Damaged models of other libraries: what the importers have to survive.

:func:`mutant` makes a damaged file from a valid one and a number; the same number gives the same file.
:func:`attempt_import` is the promise: a valid model, which predicts and saves, or ModelFormatError.
"""

import random
import re
from typing import Any

import numpy as np

from mlwright import ModelFormatError, deploy, io
from mlwright.testing.models import outputs

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_PIECE = re.compile(rb'"[^"]*"|[\[\]{},]|[^\s,\[\]{}"]+')
_NUMBERS = [
    b"0", b"-0", b"1", b"-1", b"2", b"3", b"-2", b"7", b"31", b"32", b"64", b"127", b"128", b"255", b"65535", b"0.5",
    b"2147483647", b"2147483648", b"-2147483648", b"4294967295", b"9223372036854775807", b"9223372036854775808",
    b"18446744073709551616", b"1e308", b"-1e308", b"1e999", b"1e-320", b"nan", b"NaN", b"inf", b"-Infinity", b"1e5",
    b"9" * 400, b"1_0", b"0x10", b"", b"null", b"true", b'"3"', b"[1]", b"{}", b"3.5", b"16777216", b"1e10",
]  # fmt: skip
_FLOAT_NAN = 0x7FC00000
_BYTES = [0x00, 0x01, 0x7F, 0x80, 0xFF, *b'{}[]$#iUIlLdDSCTFZN":,=\n 0-9']


def mutant(data: bytes, seed: int, n_changes: int = 3) -> bytes:
    """The valid file `data` with one to `n_changes` changes that `seed` chooses."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, n_changes)):
        data = chance.choice(_CHANGES)(data, chance)
    return data


def attempt_import(data: bytes, X: Any) -> bool:
    """Import `data`; True if it is a valid model. Whatever is neither valid nor refused comes out as an error."""
    try:
        model = deploy.from_bytes(data)
    except ModelFormatError:
        return False
    again = io.dumps(model)
    assert io.dumps(io.loads(again)) == again
    vars(model).pop("feature_names_in_", None)  # X has none, which would be a warning
    with np.errstate(all="ignore"):
        outputs(model, X)
    return True


def _place(data, chance):
    return chance.randrange(len(data)) if data else 0


def _flip(data, chance):
    """One bit."""
    if not data:
        return data
    changed = bytearray(data)
    changed[_place(data, chance)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _byte(data, chance):
    """One byte, by one that means something in some format."""
    i = _place(data, chance)
    return data[:i] + bytes([chance.choice(_BYTES)]) + data[i + 1 :]


def _number(data, chance):
    """One number in a text, by another."""
    begin = _place(data, chance)
    match = _NUMBER.search(data, begin, begin + 4096)
    if match is None:
        return _byte(data, chance)
    old = match.group()
    near = [str(int(old) + step).encode() for step in (-1, 1)] if old.lstrip(b"-").isdigit() and len(old) < 20 else []
    return data[: match.start()] + chance.choice([*_NUMBERS, *near]) + data[match.end() :]


def _packed_number(data, chance):
    """Some bytes that may be a length or a number in a binary format."""
    i, width = _place(data, chance), chance.choice([1, 2, 4, 8])
    value = chance.choice([0, 1, 2, 3, 0x7F, 0xFF, 0x7FFF, 1 << 31, (1 << 31) - 1, (1 << 63) - 1, -1, _FLOAT_NAN])
    return data[:i] + (value & ((1 << 8 * width) - 1)).to_bytes(width, "big") + data[i + width :]


def _swap(data, chance):
    """Two pieces of a text near each other."""
    begin = _place(data, chance)
    pieces = list(_PIECE.finditer(data, begin, begin + 2048))
    if len(pieces) < 2:
        return _flip(data, chance)
    a, b = sorted(chance.sample(range(len(pieces)), 2))
    a, b = pieces[a], pieces[b]
    return data[: a.start()] + b.group() + data[a.end() : b.start()] + a.group() + data[b.end() :]


def _line(data, chance):
    """A line dropped, doubled, or moved."""
    lines = data.split(b"\n")
    i = chance.randrange(len(lines))
    line = lines[i]
    way = chance.randrange(3)
    if way != 1:
        del lines[i]
    if way != 0:
        lines.insert(chance.randint(0, len(lines)), line)
    return b"\n".join(lines)


def _cut(data, chance):
    """The end, or a stretch, missing."""
    i = _place(data, chance)
    return data[:i] if chance.random() < 0.3 else data[:i] + data[i + chance.choice([1, 2, 5, 20, 200]) :]


def _repeat(data, chance):
    """A stretch that is there twice, somewhere else."""
    i, n = _place(data, chance), chance.choice([1, 2, 4, 9, 50, 500])
    j = _place(data, chance)
    return data[:j] + data[i : i + n] + data[j:]


def _copy_over(data, chance):
    """A stretch written over another one."""
    i, j, n = _place(data, chance), _place(data, chance), chance.choice([1, 4, 8, 32])
    return data[:j] + data[i : i + n] + data[j + n :]


def _nest(data, chance):
    """Deep nesting."""
    i = _place(data, chance)
    return data[:i] + chance.choice([b"[", b"{", b'{"a":', b"[[", b"{i\x01a"]) * chance.choice([1, 70, 3000]) + data[i:]


_CHANGES = [
    _flip, _flip, _byte, _byte, _number, _number, _number, _number, _packed_number, _packed_number,
    _swap, _line, _cut, _repeat, _copy_over, _copy_over, _nest,
]  # fmt: skip
