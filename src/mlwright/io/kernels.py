"""scikit-learn's kernels of Gaussian processes in model files: by name, from a closed table, their parameters plain.

A kernel is ``{"kernel": {"name": ..., "params": {...}}}``. A sum or product of many terms, ``a + b + c + ...``, is its
innermost pair with the rest in a list, ``"then": [["Sum", c], ...]``, so that it does not nest as deep as it is long.
What a kernel is built of is checked before it is built: parts must be kernels, hyperparameters positive numbers, or
from 0 for variances, bounds "fixed" or pairs of such numbers.
"""

import sys
from importlib import import_module

import numpy as np

_MODULE = "sklearn.gaussian_process.kernels"
#: Names to parameters and of what kind they are.
_SCALE = {"length_scale": "scales", "length_scale_bounds": "bounds"}
TABLE = {
    "ConstantKernel": {"constant_value": "level", "constant_value_bounds": "bounds"},
    "WhiteKernel": {"noise_level": "level", "noise_level_bounds": "bounds"},
    "RBF": _SCALE,
    "Matern": {**_SCALE, "nu": "scale"},
    "RationalQuadratic": {
        "length_scale": "scale", "alpha": "scale", "length_scale_bounds": "bounds", "alpha_bounds": "bounds",
    },
    "ExpSineSquared": {
        "length_scale": "scale", "periodicity": "scale", "length_scale_bounds": "bounds",
        "periodicity_bounds": "bounds",
    },
    "DotProduct": {"sigma_0": "level", "sigma_0_bounds": "bounds"},
    "Exponentiation": {"kernel": "kernel", "exponent": "scale"},
    "Sum": {"k1": "kernel", "k2": "kernel"},
    "Product": {"k1": "kernel", "k2": "kernel"},
}  # fmt: skip


_PAIRS = ("Sum", "Product")
MAX_DEPTH = 128  # of pairs within pairs: whoever reads them calls himself for each


def name_of(value):
    """The name in the table of a value's exact class, or None."""
    module = sys.modules.get(_MODULE)  # a kernel that exists has it loaded
    name = type(value).__name__
    return name if module is not None and name in TABLE and type(value) is getattr(module, name) else None


def encode(value, out, encode_plain):
    """A kernel that :func:`name_of` knows."""
    if _depth(value) > MAX_DEPTH:
        raise out.error(
            f"got a kernel of more than {MAX_DEPTH} sums and products within each other; add up fewer terms"
        )
    rest = []
    while name_of(value) in _PAIRS and name_of(value.k1) in _PAIRS:
        _check(value.k2, "kernel", out.at("k2"))
        rest.append((name_of(value), value.k2))
        value = value.k1
    name = name_of(value)
    values = value.get_params(deep=False)
    for key, kind in TABLE[name].items():
        _check(values[key], kind, out.at(key))
    node = {"name": name, "params": {key: encode_plain(values[key], out.at(key)) for key in TABLE[name]}}
    if rest:
        place = out.at("then")
        node["then"] = [[pair, encode_plain(term, place.at(i))] for i, (pair, term) in enumerate(reversed(rest))]
    return node


def decode(node, source, decode_plain):
    if type(node) is not dict or node.keys() - {"then"} != {"name", "params"} or type(node["params"]) is not dict:
        raise source.error("got no kernel; expected an object with name and params")
    name, parameters = node["name"], node["params"]
    if not isinstance(name, str) or name not in TABLE:
        raise source.error(f"names the kernel {name!r:.80}; expected one of {', '.join(TABLE)}")
    if parameters.keys() != TABLE[name].keys():
        raise source.error(f"got other parameters of {name} than {', '.join(TABLE[name])}")
    values = {key: decode_plain(value, source.at(key)) for key, value in parameters.items()}
    for key, kind in TABLE[name].items():
        _check(values[key], kind, source.at(key))
    kernel = getattr(import_module(_MODULE), name)(**values)
    return _with_rest(kernel, node["then"], source.at("then"), decode_plain) if "then" in node else kernel


def _with_rest(kernel, rest, source, decode_plain):
    if type(rest) is not list or not 0 < len(rest) <= MAX_DEPTH:
        raise source.error(f"got no list of 1 to {MAX_DEPTH} pairs of a name and a kernel")
    for i, pair in enumerate(rest):
        if type(pair) is not list or len(pair) != 2 or pair[0] not in _PAIRS:
            raise source.error(f"got {pair!r:.80}; expected a pair of {' or '.join(_PAIRS)} and a kernel")
        term = decode_plain(pair[1], source.at(i))
        _check(term, "kernel", source.at(i))
        kernel = getattr(import_module(_MODULE), pair[0])(kernel, term)
    if _depth(kernel) > MAX_DEPTH:
        raise source.error(f"got more than {MAX_DEPTH} sums and products within each other")
    return kernel


def _depth(kernel):
    """How many kernels are within each other, at the most."""
    deepest, left = 0, [(kernel, 1)]
    while left and deepest <= MAX_DEPTH:
        kernel, depth = left.pop()
        deepest = max(deepest, depth)
        parts = [vars(kernel).get(key) for key in ("k1", "k2", "kernel")]
        left += [(part, depth + 1) for part in parts if name_of(part) is not None]
    return deepest


def _check(value, kind, place):
    if kind == "kernel":
        if name_of(value) is None:
            raise place.error(f"got {value!r:.80}; expected a kernel, one of {', '.join(TABLE)}")
    elif not (kind == "bounds" and isinstance(value, str) and value == "fixed"):
        _check_numbers(value, kind, place)


def _check_numbers(value, kind, place):
    try:
        numbers = np.asarray(value)
    except ValueError:
        numbers = np.empty(0)
    axes = {"level": (0,), "scale": (0,), "scales": (0, 1), "bounds": (1, 2)}[kind]
    form = {"level": "a number from 0", "bounds": "numbers from 0 in pairs, or 'fixed'"}.get(kind, "positive numbers")
    if numbers.dtype.kind not in "iuf" or numbers.ndim not in axes or not _in_range(numbers, kind):
        raise place.error(f"got {value!r:.80}; expected {form}")


def _in_range(numbers, kind):
    if kind == "bounds" and numbers.shape[-1] != 2:
        return False
    highest = numbers[..., 1] if kind == "bounds" else numbers
    positive = kind == "level" or bool((highest > 0.0).all())
    return numbers.size > 0 and positive and bool((numbers >= 0.0).all())
