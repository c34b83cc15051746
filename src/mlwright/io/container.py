"""The container: named tensors and a map of strings in one file that the safetensors package can open.

Layout (format.md has the rules): header length, JSON header, tensors in the header's order, each on a 64-byte
boundary, and as the last tensor the SHA-256 of every byte before it. The header must be, to the byte, the one that
:func:`render_header` writes for its own tensors and metadata. That single comparison is what refuses overlaps, gaps,
negative or huge offsets, repeated keys, and every other way in which a header could be written differently.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlwright._runtime.errors import ModelFormatError
from mlwright.io import strict_json

ALIGNMENT = 64
MAX_HEADER_BYTES = 8 << 20  # bounds what parsing can allocate (about 25 bytes for each byte of JSON)
MAX_DIMENSIONS = 8
DIGEST_BYTES = hashlib.sha256().digest_size

DTYPES = {
    "BOOL": np.dtype("?"),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
_CODES = {dtype: code for code, dtype in DTYPES.items()}
_DIGEST = ".sha256"
_PADDING = ".pad{}"


@dataclass(frozen=True)
class Slot:
    """What the header says of one tensor; `start` and `stop` are byte offsets from the end of the header."""

    name: str
    code: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Header:
    """A checked header; `start` is the byte of the file where its tensors begin."""

    metadata: dict[str, str]
    slots: list[Slot]
    start: int


@dataclass(frozen=True)
class Container:
    """A checked file: its strings, its tensors (views of the buffer), and the digest of its content."""

    metadata: dict[str, str]
    tensors: dict[str, np.ndarray]
    digest: str


def is_storable(dtype: np.dtype) -> bool:
    """Whether arrays of this dtype can be tensors of a file."""
    return dtype.newbyteorder("<") in _CODES


def aligned_buffer(n_bytes: int) -> np.ndarray:
    """Uninitialised bytes that begin on an :data:`ALIGNMENT` boundary."""
    raw = np.empty(n_bytes + ALIGNMENT, dtype=np.uint8)
    skip = -raw.ctypes.data % ALIGNMENT
    return raw[skip : skip + n_bytes]


def serialize(metadata: Mapping[str, str], tensors: Mapping[str, np.ndarray]) -> Iterator[bytes | memoryview]:
    """The bytes of the file in pieces; tensors that are already little-endian and in C order are not copied."""
    slots = _layout((name, _CODES[array.dtype.newbyteorder("<")], array.shape) for name, array in tensors.items())
    header = render_header(metadata, slots)
    if len(header) > MAX_HEADER_BYTES:
        raise ValueError(f"model: its description takes {len(header)} bytes; a file holds at most {MAX_HEADER_BYTES}")
    digest = hashlib.sha256()
    for piece in _pieces(header, slots, tensors):
        digest.update(piece)
        yield piece
    yield digest.digest()


def _pieces(header: bytes, slots: list[Slot], tensors: Mapping[str, np.ndarray]) -> Iterator[bytes | memoryview]:
    yield len(header).to_bytes(8, "little")
    yield header
    for slot in slots[:-1]:
        if slot.name not in tensors:
            yield bytes(slot.stop - slot.start)
        elif slot.stop > slot.start:
            array = np.ascontiguousarray(tensors[slot.name], dtype=DTYPES[slot.code])
            yield memoryview(array.reshape(-1).view(np.uint8))


def read_header(prefix: bytes, n_bytes: int) -> Header:
    """Check the header and that it describes a file of `n_bytes`; nothing of the file's size is allocated for it.

    Parameters
    ----------
    prefix : bytes
        The file's first bytes: at least its header, or as much of the file as :func:`header_end` asks for.
    n_bytes : int
        The size of the file.
    """
    start = header_end(prefix)
    if start > n_bytes:
        raise ModelFormatError(f"model file: ends within its header ({n_bytes} of {start} bytes are there)")
    metadata, slots = _parse_header(prefix[8:start])
    if n_bytes != start + slots[-1].stop:
        raise ModelFormatError(
            f"model file: has {n_bytes} bytes, its header describes {start + slots[-1].stop}; the file is damaged"
        )
    return Header(metadata, slots, start)


def header_end(prefix: bytes) -> int:
    """Where the header ends, from the first 8 bytes of a file."""
    if len(prefix) < 8:
        raise ModelFormatError(f"model file: {len(prefix)} bytes; expected at least 8; this is no .mlw file")
    n_bytes = int.from_bytes(prefix[:8], "little")
    if n_bytes > MAX_HEADER_BYTES:
        raise ModelFormatError(
            f"model file: states a header of {n_bytes} bytes; at most {MAX_HEADER_BYTES} are allowed; "
            "this is no .mlw file or it is damaged"
        )
    return 8 + n_bytes


def parse(data: np.ndarray, header: Header) -> Container:
    """Check the bytes of a file completely and return views of it.

    Parameters
    ----------
    data : ndarray of uint8, shape (n_bytes,)
        On an :data:`ALIGNMENT` boundary; the tensors are views of it.
    header : Header
        What :func:`read_header` said of the same bytes.

    Raises
    ------
    ModelFormatError
        If `data` is anything but a file that :func:`serialize` could have written.
    """
    body = data[header.start :]
    digest = hashlib.sha256(data[: data.size - DIGEST_BYTES]).digest()
    if digest != body[header.slots[-1].start :].tobytes():
        raise ModelFormatError("model file: its content does not have the checksum it states; the file is damaged")
    tensors = {}
    for slot in header.slots[:-1]:
        raw = body[slot.start : slot.stop]
        if slot.name.startswith("."):
            if raw.any():
                raise ModelFormatError(f"model file: the padding {slot.name!r} is not zero")
            continue
        if slot.code == "BOOL" and raw.size and raw.max() > 1:
            raise ModelFormatError(f"model file: tensor {slot.name!r:.80} of booleans holds a byte that is not 0 or 1")
        tensors[slot.name] = raw.view(DTYPES[slot.code]).reshape(slot.shape)
    return Container(header.metadata, tensors, digest.hex())


def render_header(metadata: Mapping[str, str], slots: list[Slot]) -> bytes:
    """The one valid header for these strings and tensors; padded with spaces so that the tensors are aligned."""
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    for slot in slots:
        entries[slot.name] = {
            "dtype": slot.code,
            "shape": list(slot.shape),
            "data_offsets": [slot.start, slot.stop],
        }
    text = strict_json.dumps(entries).encode("ascii")
    return text + b" " * (-(8 + len(text)) % ALIGNMENT)


def _layout(tensors: Iterator[tuple[str, str, tuple[int, ...]]]) -> list[Slot]:
    """Where each tensor goes, with the padding between (safetensors allows no gaps) and the digest at the end."""
    slots: list[Slot] = []
    end = 0
    for name, code, shape in tensors:
        padding = -end % ALIGNMENT
        if padding:
            slots.append(Slot(_PADDING.format(len(slots)), "U8", (padding,), end, end + padding))
            end += padding
        n_bytes = math.prod(shape) * DTYPES[code].itemsize
        slots.append(Slot(name, code, shape, end, end + n_bytes))
        end += n_bytes
    slots.append(Slot(_DIGEST, "U8", (DIGEST_BYTES,), end, end + DIGEST_BYTES))
    return slots


def _parse_header(header: bytes) -> tuple[dict[str, str], list[Slot]]:
    try:
        text = header.decode("ascii")
    except UnicodeDecodeError:
        raise ModelFormatError("model file: its header is not ASCII; this is no .mlw file or it is damaged") from None
    entries = strict_json.loads(text, "model file header")
    if not isinstance(entries, dict):
        raise ModelFormatError("model file header: is not a JSON object")
    metadata = entries.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ModelFormatError("model file header: has no __metadata__ of strings; it was not written by mlwright")
    slots = _layout(_tensor(name, entry) for name, entry in entries.items() if not name.startswith("."))
    if render_header(metadata, slots) != header:
        raise ModelFormatError(
            "model file header: differs from the one form that its own tensors allow (format.md); "
            "the file is damaged or was not written by mlwright"
        )
    return metadata, slots


def _tensor(name: str, entry: Any) -> tuple[str, str, tuple[int, ...]]:
    where = f"model file header: tensor {name!r:.80}"
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ModelFormatError(f"{where} needs dtype, shape and data_offsets, nothing else")
    code, shape = entry["dtype"], entry["shape"]
    if not isinstance(code, str) or code not in DTYPES:
        raise ModelFormatError(f"{where} has dtype {code!r:.80}; expected one of {', '.join(DTYPES)}")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise ModelFormatError(f"{where} needs a shape that is a list of at most {MAX_DIMENSIONS} lengths")
    # The bound on the product of the non-zero lengths keeps NumPy's index arithmetic from overflowing.
    if not all(type(n) is int and n >= 0 for n in shape) or math.prod(n for n in shape if n) >= 1 << 56:
        raise ModelFormatError(f"{where} has the impossible shape {shape!r:.80}")
    return name, code, tuple(shape)
