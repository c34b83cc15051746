"""Plain values: what constructor parameters may be. JSON where JSON can say it, else an object with one key, the tag.

Kept apart on purpose: ``True``, ``1``, ``1.0`` and ``numpy.float32(1)`` are four values, since arithmetic treats them
differently.
"""

import math
from typing import Any

import numpy as np

from mlwright.io import arrays, kernels, strict_json
from mlwright.io.container import is_storable
from mlwright.io.context import Sink, Source

_JSON_SCALARS = frozenset({type(None), bool, int, float, str})
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

_NUMPY_SCALARS = frozenset(
    {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"}
)


def encode(value: Any, out: Sink) -> Any:
    if isinstance(value, np.generic):
        return _encode_numpy_scalar(value, out)
    if type(value) in _JSON_SCALARS:
        return _encode_scalar(value, out)
    if isinstance(value, np.ndarray):
        return {"array": arrays.encode(value, out)}
    if type(value) is list:
        return [encode(item, out.at(i)) for i, item in enumerate(value)]
    if type(value) is tuple:
        return {"tuple": [encode(item, out.at(i)) for i, item in enumerate(value)]}
    if type(value) in (set, frozenset):
        items = [encode_key(item, out) for item in value]
        return {type(value).__name__: sorted(items, key=strict_json.dumps)}
    if type(value) is dict:
        items = enumerate(value.items())
        return {"dict": [[encode_key(key, out), encode(item, out.at(i))] for i, (key, item) in items]}
    if kernels.name_of(value) is not None:
        return {"kernel": kernels.encode(value, out, encode)}
    if hasattr(value, "get_params") and not isinstance(value, type):
        return {"model": out.encode_model(value, out)}
    raise out.refusal(_refusal(value))


def decode(node: Any, source: Source) -> Any:
    if type(node) in _JSON_SCALARS:
        return _decode_scalar(node, source)
    if isinstance(node, list):
        return [decode(item, source.at(i)) for i, item in enumerate(node)]
    if len(node) != 1:
        raise source.error(f"got an object of {len(node)} keys; expected one, the kind of the value")
    ((tag, content),) = node.items()
    if tag in ("float", *_NUMPY_SCALARS):
        return _decode_tagged_scalar(tag, content, source)
    if tag == "array":
        return arrays.decode(content, source)
    if tag == "model":
        return source.decode_model(content, source)
    if tag == "kernel":
        return kernels.decode(content, source, decode)
    if tag not in ("tuple", "set", "frozenset", "dict") or not isinstance(content, list):
        raise source.error(f"got a value of kind {tag!r:.80}, which this version does not know")
    if tag == "tuple":
        return tuple(decode(item, source.at(i)) for i, item in enumerate(content))
    return _decode_dict(content, source) if tag == "dict" else _decode_set(tag, content, source)


def encode_key(value: Any, out: Sink) -> Any:
    """Keys of dicts and members of sets: scalars."""
    if isinstance(value, np.generic):
        return _encode_numpy_scalar(value, out)
    if type(value) in _JSON_SCALARS:
        return _encode_scalar(value, out)
    raise out.refusal(f"got the key {value!r:.80}; expected a number, a string, a boolean or None")


def decode_key(node: Any, source: Source) -> Any:
    if isinstance(node, list) or (isinstance(node, dict) and not node.keys() <= {"float", *_NUMPY_SCALARS}):
        raise source.error("got a key that is no number, string, boolean or null")
    return decode(node, source)


def _encode_scalar(value: Any, out: Sink) -> Any:
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        raise out.error(f"got the integer {value!r:.80}, which does not fit 64 bits")
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, str):
        return check_text(value, out)
    return value


def _decode_scalar(node: Any, source: Source) -> Any:
    if type(node) is int and not _SMALLEST <= node <= _LARGEST:
        raise source.error("got an integer that does not fit 64 bits")
    return check_text(node, source) if isinstance(node, str) else node


def check_text(text: str, place: Sink | Source) -> str:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise place.error("got text with half of a surrogate pair")
    return text


def _encode_numpy_scalar(value: np.generic, out: Sink) -> Any:
    if isinstance(value, np.str_):
        return check_text(str(value), out)
    if not is_storable(value.dtype):
        raise out.refusal(f"got a NumPy scalar of dtype {value.dtype}; expected a number, a boolean or a string")
    content = value.item()
    if isinstance(content, float) and not math.isfinite(content):
        content = repr(content)
    return {value.dtype.name: content}


def _decode_tagged_scalar(tag: str, content: Any, source: Source) -> Any:
    if tag.startswith("float"):
        number = _NON_FINITE.get(content) if isinstance(content, str) else content
        if type(number) is not float or (tag == "float" and math.isfinite(number)):
            raise source.error(f"got {content!r:.80} for a {tag}")
        with np.errstate(over="ignore"):
            scalar = number if tag == "float" else np.dtype(tag).type(number)
        if float(scalar) != number and not math.isnan(number):
            raise source.error(f"got {content!r:.80}, which is no {tag}")
    elif tag == "bool":
        if type(content) is not bool:
            raise source.error(f"got {content!r:.80} for a boolean")
        scalar = np.bool_(content)
    else:
        bounds = np.iinfo(tag)
        if type(content) is not int or not bounds.min <= content <= bounds.max:
            raise source.error(f"got {content!r:.80} for an {tag}")
        scalar = np.dtype(tag).type(content)
    return scalar


def _decode_set(tag: str, content: list, source: Source) -> Any:
    result = {decode_key(item, source) for item in content}
    if len(result) != len(content):
        raise source.error("a set holds the same member twice")
    return frozenset(result) if tag == "frozenset" else result


def _decode_dict(content: list, source: Source) -> dict:
    result = {}
    for i, pair in enumerate(content):
        if not isinstance(pair, list) or len(pair) != 2:
            raise source.error("a dict needs pairs of key and value")
        key = decode_key(pair[0], source)
        if key in result:
            raise source.error(f"a dict names the key {key!r:.80} twice")
        result[key] = decode(pair[1], source.at(i))
    return result


def _refusal(value: Any) -> str:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, (np.random.RandomState, np.random.Generator)):
        return f"got {kind}; a model file holds an integer seed or None: set_params(random_state=...) before saving"
    if callable(value):
        return f"got the function or class {getattr(value, '__qualname__', kind)!r}; a model file never holds code"
    return f"got {kind}; a model file holds numbers, strings, arrays, their containers and mlwright models only"
