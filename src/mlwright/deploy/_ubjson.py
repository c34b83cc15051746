"""Universal Binary JSON (draft 12), as much of it as XGBoost writes, read under limits.

An object or array may state its length (``#``) and one type for all its values (``$``); an array of numbers of one
type is read as a NumPy array without a copy. Nothing is allocated for a length that the file states before the bytes
are seen to be there, except for types of no bytes, which no model needs and which are refused.
"""

import struct

import numpy as np

from mlwright._runtime.errors import ModelFormatError

MAX_DEPTH = 64

_INTEGERS = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q"}
_FLOATS = {b"d": ">f", b"D": ">d"}
_STRUCTS = {mark: struct.Struct(form) for mark, form in {**_INTEGERS, **_FLOATS}.items()}
_DTYPES = {
    b"i": ">i1",
    b"U": ">u1",
    b"I": ">i2",
    b"l": ">i4",
    b"L": ">i8",
    b"d": ">f4",
    b"D": ">f8",
}
_CONSTANTS = {b"T": True, b"F": False, b"Z": None}


def loads(data):
    """Dicts, lists, arrays, strings, numbers, booleans and None.

    Raises
    ------
    ModelFormatError
        If the bytes are no value of this format, or nest deeper than MAX_DEPTH.
    """
    reader = _Reader(data)
    value = reader.value(reader.mark(), 0)
    if reader.at != len(data):
        raise reader.error("bytes follow the end of the model")
    return value


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def error(self, message):
        return ModelFormatError(f"UBJSON: byte {self.at}: {message}; the file is damaged")

    def take(self, n):
        end = self.at + n
        if end > len(self.data):
            raise self.error(f"the file ends within a value of {n} bytes")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def mark(self):
        mark = self.take(1)
        while mark == b"N":  # a no-op
            mark = self.take(1)
        return mark

    def value(self, mark, depth):
        if mark == b"{":
            return self.object(depth + 1)
        if mark == b"[":
            return self.array(depth + 1)
        if mark == b"S":
            return self.text()
        if mark in _STRUCTS:
            return self.number(mark)
        if mark in _CONSTANTS:
            return _CONSTANTS[mark]
        if mark == b"C":
            return self.decode(self.take(1))
        raise self.error(f"got the type {mark!r}, which is none")

    def number(self, mark):
        form = _STRUCTS[mark]
        return form.unpack(self.take(form.size))[0]

    def length(self):
        mark = self.mark()
        if mark not in _INTEGERS:
            raise self.error(f"got the type {mark!r} for a length; expected an integer")
        n = self.number(mark)
        # A value takes a byte at least: a greater length is a lie, and must not be believed.
        if not 0 <= n <= len(self.data) - self.at:
            raise self.error(f"got the length {n} with {len(self.data) - self.at} bytes left")
        return n

    def text(self):
        return self.decode(self.take(self.length()))

    def decode(self, piece):
        try:
            return piece.decode()
        except UnicodeDecodeError:
            raise self.error("a string is not UTF-8") from None

    def header(self):
        """Type and length of a container, None where it does not state them."""
        kind = length = None
        if self.data[self.at : self.at + 1] == b"$":
            self.at += 1
            kind = self.take(1)
            if self.data[self.at : self.at + 1] != b"#":
                raise self.error("a type without a length")
        if self.data[self.at : self.at + 1] == b"#":
            self.at += 1
            length = self.length()
        if kind in _CONSTANTS or kind == b"N":
            raise self.error(f"got a container of {kind!r}")
        return kind, length

    def array(self, depth):
        self.check(depth)
        kind, length = self.header()
        if kind in _DTYPES:
            dtype = np.dtype(_DTYPES[kind])
            return np.frombuffer(self.take(length * dtype.itemsize), dtype=dtype)
        if length is not None:
            return [self.value(kind or self.mark(), depth) for _ in range(length)]
        values = []
        while (mark := self.mark()) != b"]":
            values.append(self.value(mark, depth))
        return values

    def object(self, depth):
        self.check(depth)
        kind, length = self.header()
        result = {}
        while length is None or length > 0:
            if length is None:
                if self.data[self.at : self.at + 1] == b"}":
                    self.at += 1
                    break
            else:
                length -= 1
            key = self.text()
            if key in result:
                raise self.error(f"an object names the key {key[:40]!r} twice")
            result[key] = self.value(kind or self.mark(), depth)
        return result

    def check(self, depth):
        if depth > MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} levels deep")
