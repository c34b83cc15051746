"""scikit-learn's kernels of Gaussian processes in model files: by name, from a closed table, their parameters plain.

A kernel is ``{"kernel": {"name": ..., "params": {...}}}``. What it is built of is checked before it is built: parts
must be kernels, hyperparameters positive numbers, or from 0 for variances, bounds "fixed" or pairs of such numbers.
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


def name_of(value):
    """The name in the table of a value's exact class, or None."""
    module = sys.modules.get(_MODULE)  # a kernel that exists has it loaded
    name = type(value).__name__
    return name if module is not None and name in TABLE and type(value) is getattr(module, name) else None


def encode(value, out, encode_plain):
    """A kernel that :func:`name_of` knows."""
    name = name_of(value)
    values = value.get_params(deep=False)
    for key, kind in TABLE[name].items():
        _check(values[key], kind, out.at(key))
    return {"name": name, "params": {key: encode_plain(values[key], out.at(key)) for key in TABLE[name]}}


def decode(node, source, decode_plain):
    if type(node) is not dict or node.keys() != {"name", "params"} or type(node["params"]) is not dict:
        raise source.error("got no kernel; expected an object with name and params")
    name, parameters = node["name"], node["params"]
    if not isinstance(name, str) or name not in TABLE:
        raise source.error(f"names the kernel {name!r:.80}; expected one of {', '.join(TABLE)}")
    if parameters.keys() != TABLE[name].keys():
        raise source.error(f"got other parameters of {name} than {', '.join(TABLE[name])}")
    values = {key: decode_plain(value, source.at(key)) for key, value in parameters.items()}
    for key, kind in TABLE[name].items():
        _check(values[key], kind, source.at(key))
    return getattr(import_module(_MODULE), name)(**values)


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
