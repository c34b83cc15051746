"""Model files on disk and in memory: `save`, `load`, `dumps`, `loads`, `describe`."""

import mmap as _mmap
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np

from mlwright._runtime.errors import ModelFormatError
from mlwright.io import container, strict_json
from mlwright.io import model as _model

FORMAT_VERSION = 1


def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a model to a ``.mlw`` file: arrays and JSON, no code.

    The file appears whole or not at all: it is written beside `path`, synced to disk and renamed over it. The same
    model gives the same bytes.

    Parameters
    ----------
    model : estimator, transformer or Pipeline of them
        An instance of one of mlwright's own classes (not of a subclass), or a `sklearn.pipeline.Pipeline` whose steps
        are. It may be unfitted.
    path : str or path-like
        Where to write; an existing file is replaced.

    Raises
    ------
    TypeError
        If the model, or something inside it, is of a class that a model file cannot hold: another library's estimator,
        a subclass, a function, a random generator.
    ValueError
        If the model's parameters or state are not valid.

    See Also
    --------
    load

    Examples
    --------
    >>> import mlwright, os, tempfile
    >>> from mlwright.linear_model import Ridge
    >>> model = Ridge(alpha=0.1).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "ridge.mlw")
    ...     mlwright.save(model, path)
    ...     again = mlwright.load(path)
    >>> bool(again.predict([[3.0]]) == model.predict([[3.0]]))
    True
    """
    _replace(os.path.realpath(os.fspath(path)), _pieces(model))


def load(path: str | os.PathLike[str], *, mmap: bool = False) -> Any:
    """Read a model from a ``.mlw`` file. Safe on files from strangers.

    Any file is either a valid model or a `ModelFormatError`: nothing in it is executed, only registered classes are
    built, and everything is checked (checksum, shapes, finite numbers, tree structure) before the model is returned.
    Memory and time are bounded by a constant plus a multiple of the file's size.

    Parameters
    ----------
    path : str or path-like
    mmap : bool, default=False
        If True, the model's arrays stay in the file, read-only, and are shared between processes that load it. Use
        it only where nobody can change the file while the model is in use.

    Returns
    -------
    model
        Predicts to the bit what the saved model did.

    Raises
    ------
    ModelFormatError
        If the file is damaged, was written by a newer version, or is no model file.
    OSError
        If the file cannot be read.

    See Also
    --------
    save
    """
    content, _ = _open(path, mmap)
    return _model.decode(content.metadata["model"], content.tensors)


def dumps(model: Any) -> bytes:
    """The bytes that :func:`save` would write."""
    return b"".join(_pieces(model))


def loads(data: bytes) -> Any:
    """The model in the bytes of a ``.mlw`` file; see :func:`load`."""
    header = container.read_header(data, len(data))
    _check_metadata(header.metadata)
    copy = container.aligned_buffer(len(data))
    copy[:] = np.frombuffer(data, dtype=np.uint8)
    content = container.parse(copy, header)
    return _model.decode(content.metadata["model"], content.tensors)


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a ``.mlw`` file says of itself, without building the model.

    Returns
    -------
    dict
        ``format_version`` (int), ``written_by`` (str), ``sha256`` (str, hexadecimal), ``n_bytes`` (int), ``model``
        (the nested description: ``class``, ``params``, ``state``), ``tensors`` (name -> (dtype, shape)).

    Raises
    ------
    ModelFormatError
        If the file is damaged, was written by a newer version, or is no model file.
    """
    content, n_bytes = _open(path, mmap=False)
    return {
        "format_version": FORMAT_VERSION,
        "written_by": content.metadata["written_by"],
        "sha256": content.digest,
        "n_bytes": n_bytes,
        "model": strict_json.loads(content.metadata["model"], "model file"),
        "tensors": {name: (array.dtype.name, array.shape) for name, array in content.tensors.items()},
    }


def _pieces(model: Any) -> Iterable[bytes | memoryview]:
    from mlwright import __version__

    text, tensors = _model.encode(model)
    metadata = {
        "format": "mlwright",
        "format_version": str(FORMAT_VERSION),
        "written_by": f"mlwright {__version__}",
        "model": text,
    }
    return container.serialize(metadata, tensors)


def _check_metadata(metadata: dict[str, str]) -> None:
    if metadata.keys() != {"format", "format_version", "written_by", "model"} or metadata["format"] != "mlwright":
        raise ModelFormatError("model file: is a safetensors file, but holds no mlwright model")
    if metadata["format_version"] != str(FORMAT_VERSION):
        raise ModelFormatError(
            f"model file: has format version {metadata['format_version']!r:.20}, written by "
            f"{metadata['written_by']!r:.40}; this mlwright reads version {FORMAT_VERSION}; upgrade mlwright"
        )


def _open(path: str | os.PathLike[str], mmap: bool) -> tuple[container.Container, int]:
    name = os.fspath(path)
    if not stat.S_ISREG(os.stat(name).st_mode):  # a pipe would wait for ever, /dev/zero never end
        raise ModelFormatError(f"{name!r}: is no regular file; expected a .mlw file")
    with open(name, "rb") as file:
        n_bytes = os.fstat(file.fileno()).st_size
        prefix = file.read(8)
        # The header is checked against the size of the file before memory of that size is asked for.
        header = container.read_header(prefix + file.read(container.header_end(prefix) - 8), n_bytes)
        _check_metadata(header.metadata)
        data = _mapped(file, n_bytes) if mmap else _read(file, n_bytes)
    return container.parse(data, header), n_bytes


def _read(file: BinaryIO, n_bytes: int) -> np.ndarray:
    data = container.aligned_buffer(n_bytes)
    file.seek(0)
    done = file.readinto(data)
    if done != n_bytes:
        raise ModelFormatError(f"{file.name!r}: ended after {done} of {n_bytes} bytes while it was read")
    return data


def _mapped(file: BinaryIO, n_bytes: int) -> np.ndarray:
    try:
        pages = _mmap.mmap(file.fileno(), n_bytes, access=_mmap.ACCESS_READ)
    except ValueError as error:
        raise ModelFormatError(f"{file.name!r}: shrank while it was read: {error}") from error
    return np.frombuffer(pages, dtype=np.uint8)


def _replace(path: str, pieces: Iterable[bytes | memoryview]) -> None:
    """Write `path` so that a reader, or a crash, sees the old file or the new one and nothing between."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"save: {path!r} is no regular file; choose another path")
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"save: the folder {folder!r} does not exist; create it first")
    partial = os.path.join(folder, f".{os.urandom(8).hex()}.partial")
    try:
        with open(partial, "xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(partial)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
