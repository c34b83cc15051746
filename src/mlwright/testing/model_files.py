"""Damaged model files: what a loader has to survive.

:func:`damaged` draws files that are wrong in a way a stranger might choose, and :func:`extremes` goes through those in
which one thing is at the end of its range. Each has a header and a checksum that are
right for its content, so that a loader cannot stop at these and the checks behind them are met. :func:`attempt` is the
promise: a valid model, which predicts and saves, or ModelFormatError.
"""

import hashlib
import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mlwright import ModelFormatError, io
from mlwright.io import container
from mlwright.testing.models import outputs

_EXTREMES = [0, 1, -1, 2, 63, 255, 2**15, 2**31 - 1, -(2**31), 2**31, 2**48, 2**63 - 1, -(2**63), 2**64, 10**25]
_ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(_EXTREMES),
    st.sampled_from([0.0, -0.0, 0.5, -1.5, 1e308, 5e-324]),
    st.sampled_from(["", "C", "F", "U", "str", "nan", "a.b", "\ud800", "ß" * 40, "linear_model.Ridge", "os.system"]),
    st.sampled_from([[], {}, [[]], [0], {"float": "nan"}, {"float64": 1}, {"uint8": -1}, {"array": "C"}]),
    st.sampled_from([{"model": None}, {"model": {"class": "linear_model.Ridge"}}, {"dict": [[0]]}]),
    st.sampled_from([{"dict": [[1, 2], [1, 3]]}, {"set": [1, True]}, {"tuple": 3}, {"tuple": [1], "set": []}]),
)


def reseal(data: bytes) -> bytes:
    """The file with the checksum that its content has."""
    body = data[: -container.DIGEST_BYTES]
    return body + hashlib.sha256(body).digest()


def take_apart(data: bytes) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Metadata and tensors (copies) of a valid file."""
    content = container.parse(np.frombuffer(data, np.uint8), container.read_header(data, len(data)))
    return dict(content.metadata), {name: array.copy() for name, array in content.tensors.items()}


def put_together(metadata: dict[str, str], tensors: dict[str, np.ndarray]) -> bytes:
    """A file whose container is right, whatever the model in it is."""
    return b"".join(container.serialize(metadata, tensors))


def attempt(data: bytes, X: Any) -> bool:
    """Load `data`; True if it is a valid model. Whatever is neither valid nor refused comes out as an error.

    A valid model saves again, and to the same model; it predicts `X`, or says why it does not, by a ValueError
    or an error of mlwright.
    """
    try:
        model = io.loads(data)
    except ModelFormatError:
        return False
    again = io.dumps(model)
    assert io.dumps(io.loads(again)) == again
    with np.errstate(all="ignore"):
        outputs(model, X)
    return True


@st.composite
def damaged(draw, data: bytes, n_changes: int = 3) -> bytes:
    """A file made from the valid file `data` by one to `n_changes` changes to its description or its tensors."""
    metadata, tensors = take_apart(data)
    model = json.loads(metadata["model"])
    for _ in range(draw(st.integers(1, n_changes))):
        if tensors and draw(st.booleans()):
            _damage_tensors(draw, tensors)
        else:
            model = _damage_json(draw, model)
    metadata["model"] = json.dumps(model)
    if draw(st.integers(0, 15)) == 0:
        metadata[draw(st.sampled_from(sorted(metadata)))] = draw(st.sampled_from(["", "0", "2", "null", "[" * 99]))
    return put_together(metadata, tensors)


def extremes(data: bytes) -> Iterator[bytes]:
    """Files made from the valid file `data`: one tensor empty or full of one number, or one number of the description
    replaced, by the ends of its range.
    """
    metadata, tensors = take_apart(data)
    for name, array in tensors.items():
        filled = [np.full_like(array, value) for value in _ends_of(array.dtype)]
        for other in [*filled, array[:0]] if array.ndim else filled:
            yield put_together(metadata, {**tensors, name: other})
    model = json.loads(metadata["model"])
    for parent, key in list(_places(model["state"])):
        if parent is not None and type(value := parent[key]) in (int, float):
            for parent[key] in (0, -1, 1e308, 1e-308):
                yield put_together({**metadata, "model": json.dumps(model)}, tensors)
            parent[key] = value


def _ends_of(dtype: np.dtype) -> list[Any]:
    if dtype.kind == "f":
        return [0.0, 1e-30, float(np.finfo(dtype).max), -float(np.finfo(dtype).max)]
    return [False, True] if dtype.kind == "b" else [0, 1, np.iinfo(dtype).min, np.iinfo(dtype).max]


def _damage_json(draw, model: Any) -> Any:
    places = list(_places(model))
    parent, key = draw(st.sampled_from(places))
    if parent is None:
        return deepcopy(draw(_ATOMS))
    change = draw(st.sampled_from(["replace", "replace", "nudge", "swap", "remove", "repeat"]))
    value = parent[key]
    if change == "nudge" and type(value) in (int, float):
        parent[key] = value + draw(st.sampled_from([-1, 1, 0.5, 1e9]))
    elif change == "swap":
        other, place = draw(st.sampled_from(places))
        if other is not None:
            parent[key] = deepcopy(other[place])
    elif change == "remove":
        del parent[key]
    elif change == "repeat" and isinstance(parent, list):
        parent.insert(key, deepcopy(value))
    elif change == "repeat":
        parent[f"{key}_"] = value
    else:
        parent[key] = deepcopy(draw(_ATOMS))  # later changes may go inside
    return model


def _places(node: Any, parent: Any = None, key: Any = None) -> Iterator[tuple[Any, Any]]:
    """Every value of a JSON tree, as the container it is in and its key there."""
    yield parent, key
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in list(items):
        yield from _places(value, node, name)


def _damage_tensors(draw, tensors: dict[str, np.ndarray]) -> None:
    name = draw(st.sampled_from(sorted(tensors)))
    array = tensors[name]
    change = draw(st.sampled_from(["element", "element", "element", "fill", "shape", "dtype", "drop", "add", "swap"]))
    if change in ("element", "fill") and array.size:
        where = slice(None) if change == "fill" else draw(st.integers(0, array.size - 1))
        array.reshape(-1)[where] = draw(_elements(array))
    elif change == "shape":
        tensors[name] = draw(_reshaped(array))
    elif change == "dtype":
        dtype = container.DTYPES[draw(st.sampled_from(sorted(container.DTYPES)))]
        with np.errstate(all="ignore"):
            tensors[name] = array.astype(dtype)
    elif change == "drop":
        del tensors[name]
    elif change == "add":
        tensors[draw(st.sampled_from(["more", f"{name}.utf8", f"{name}.ends", "params.alpha", ""]))] = array.copy()
    elif change == "swap":
        other = draw(st.sampled_from(sorted(tensors)))
        tensors[name], tensors[other] = tensors[other], array


def _elements(array: np.ndarray) -> st.SearchStrategy:
    if array.dtype.kind == "b":
        return st.booleans()
    if array.dtype.kind == "f":
        largest = float(np.finfo(array.dtype).max)
        return st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, largest, -largest, np.inf, -np.inf, np.nan, 3.0, 1e-30])
    bounds = np.iinfo(array.dtype)
    nearby = [int(value) + step for value in array.reshape(-1)[:8] for step in (-1, 1)]
    allowed = [value for value in [*_EXTREMES, *nearby, array.size, array.shape[0] if array.ndim else 0]]
    return st.sampled_from([value for value in allowed if bounds.min <= value <= bounds.max])


@st.composite
def _reshaped(draw, array: np.ndarray) -> np.ndarray:
    n = draw(st.sampled_from([0, 1, 2, max(array.size - 1, 0), array.size, array.size + 1]))
    flat = np.resize(array.reshape(-1), n) if array.size else np.zeros(n, array.dtype)
    shapes = [(n,), (1, n), (n, 1)]
    if n <= 1:
        shapes.append(() if n else (0, 0, 7))
    return flat.reshape(draw(st.sampled_from(shapes)))


def mutant_model(data: bytes, seed: int, n_changes: int = 3) -> bytes:
    """As :func:`damaged`, quicker and from a number: one to `n_changes` changes to the tensors of a valid file."""
    chance = random.Random(seed)
    metadata, tensors = take_apart(data)
    for _ in range(chance.randint(1, n_changes)):
        name = chance.choice(sorted(tensors))
        array, way = tensors[name], chance.randrange(12)
        if way < 8 and array.size:
            _poke(array.reshape(-1), chance)
        elif way == 8:
            tensors[name] = np.resize(array, max(0, array.size + chance.choice([-1, 1])))
        elif way == 9:
            other = chance.choice(sorted(tensors))
            tensors[name], tensors[other] = tensors[other], array
        elif way == 10 and array.size:
            tensors[name] = array.reshape(-1)[:: chance.choice([1, -1])].reshape(array.shape).copy()
        elif way == 11:
            del tensors[name]
            break
    return put_together(metadata, tensors)


def _poke(values: np.ndarray, chance: random.Random) -> None:
    """One number of a vector, by another: an extreme, a neighbour, or one from elsewhere in it."""
    i, way = chance.randrange(values.size), chance.randrange(4)
    if way == 0 or values.dtype.kind == "b":
        values[i] = values[chance.randrange(values.size)]
    elif values.dtype.kind == "f":
        values[i] = chance.choice([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e30, 5e-324])
    elif way == 1:
        bounds = np.iinfo(values.dtype)
        values[i] = chance.choice([bounds.min, bounds.max, 0, 1, min(values.size, bounds.max)])
    else:
        values[i] ^= values.dtype.type(1 << chance.randrange(3 if way == 2 else 7))
