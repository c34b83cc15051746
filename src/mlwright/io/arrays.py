"""Arrays as tensors, to the bit and in the memory order they had.

A node says how to read the tensors under its path: ``"C"`` and ``"F"`` are numbers or booleans in that order,
``"U"`` is an array of NumPy strings as UTF-32 code points (the last axis), ``"str"`` is an array of Python strings as
UTF-8 bytes and the position where each ends.
"""

from typing import Any

import numpy as np

from mlwright.io.container import is_storable
from mlwright.io.context import Sink, Source

_LAST_CODE_POINT = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)


def encode(array: Any, out: Sink) -> str:
    if type(array) is not np.ndarray:
        remedy = "; call densify() first" if hasattr(array, "tocsr") else ""
        raise out.refusal(f"got {type(array).__name__}; expected a numpy.ndarray{remedy}")
    if array.dtype.kind == "O":
        return _encode_strings(array, out)
    if array.dtype.kind == "U":
        text = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(-1)
        out.put(text.view("<u4").reshape(*array.shape, array.dtype.itemsize // 4))
        return "U"
    if not is_storable(array.dtype):
        raise out.refusal(f"got an array of dtype {array.dtype}; expected numbers, booleans or strings")
    if array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous:
        out.put(array.T)
        return "F"
    out.put(array)
    return "C"


def decode(node: Any, source: Source) -> np.ndarray:
    if node == "C":
        return source.take()
    if node == "F":
        return source.take().T
    if node == "U":
        return _decode_text(source)
    if node == "str":
        return _decode_strings(source)
    raise source.error(f"got {node!r:.80} for an array; expected 'C', 'F', 'U' or 'str'")


def _decode_text(source: Source) -> np.ndarray:
    codes = source.take()
    if codes.dtype != np.dtype("<u4") or codes.ndim == 0 or codes.shape[-1] == 0 or codes.shape[-1] > 1 << 24:
        raise source.error(f"got a tensor {codes.dtype}{codes.shape} for text; expected code points in U32")
    surrogate = (codes >= _SURROGATES[0]) & (codes <= _SURROGATES[1])
    if codes.size and (codes.max() > _LAST_CODE_POINT or surrogate.any()):
        raise source.error("its text holds a number that is no Unicode code point")
    dtype = np.dtype(f"<U{codes.shape[-1]}")
    if codes.size == 0:
        return np.empty(codes.shape[:-1], dtype=dtype)
    return codes.view(dtype)[..., 0]


def _encode_strings(array: np.ndarray, out: Sink) -> str:
    if array.ndim != 1:
        raise out.refusal(f"got an object array of shape {array.shape}; expected one dimension")
    if not all(isinstance(text, str) for text in array):
        raise out.refusal("got an array of Python objects; expected an array of strings, numbers or booleans")
    parts = [text.encode() for text in array]
    out.at("utf8").put(np.frombuffer(b"".join(parts), dtype=np.uint8))
    out.at("ends").put(np.cumsum([len(part) for part in parts], dtype=np.int64))
    return "str"


def _decode_strings(source: Source) -> np.ndarray:
    raw, ends = source.at("utf8").take(), source.at("ends").take()
    if raw.dtype != np.uint8 or raw.ndim != 1 or ends.dtype != np.int64 or ends.ndim != 1:
        raise source.error("its strings need a vector of U8 and one of I64")
    starts = np.concatenate([np.zeros(1, np.int64), ends])
    if (starts[1:] < starts[:-1]).any() or starts[-1] != raw.size:
        raise source.error("its strings end where no string can end")
    text = raw.tobytes()
    result = np.empty(ends.size, dtype=object)
    try:
        for i, (start, end) in enumerate(zip(starts[:-1].tolist(), ends.tolist(), strict=True)):
            result[i] = text[start:end].decode()
    except UnicodeDecodeError:
        raise source.error("its strings are not UTF-8") from None
    return result
