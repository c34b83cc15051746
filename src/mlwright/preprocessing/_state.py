"""The check of a TableEncoder whose state came from a file."""

import numpy as np

from mlwright._runtime.errors import ModelFormatError
from mlwright.preprocessing._columns import KINDS
from mlwright.preprocessing._encodings import ALL_PARTS


def validate_encoder_state(encoder):
    """Raise ModelFormatError unless every attribute has the shape that the others ask for.

    Afterwards ``transform`` cannot index out of a table, and its output has the width that its names have.
    """
    n = encoder.n_features_in_
    _require(isinstance(n, int) and n >= 1, f"n_features_in_ must be a positive int, got {n!r}")
    names = getattr(encoder, "feature_names_in_", None)
    if names is not None:
        different = _is_text_array(names) and len(names) == n == len(set(names))
        _require(different, f"feature_names_in_ must be {n} different strings")
    for attribute in ("kinds_", "categories_", "rare_categories_", "lookups_", "datetime_parts_"):
        value = getattr(encoder, attribute)
        _require(isinstance(value, list) and len(value) == n, f"{attribute} must be a list of {n}")
    for attribute in ("pooled_", "indicated_"):
        value = getattr(encoder, attribute)
        _require(_is_array(value, (n,)) and value.dtype == bool, f"{attribute} must be {n} bools")
    _require(_is_array(encoder.classes_, (encoder.classes_.size,)), "classes_ must be one-dimensional")
    width = sum(_check_column(encoder, j) for j in range(n))
    for attribute in ("fill_", "center_", "scale_"):
        value = getattr(encoder, attribute)
        _require(_is_floats(value, (width,)), f"{attribute} must be {width} floats")
        keeps_nan = attribute == "fill_" and bool(np.isnan(value).all())
        _require(keeps_nan or bool(np.isfinite(value).all()), f"{attribute} must be finite")
    _require(bool((encoder.scale_ > 0).all()), "scale_ must be positive")
    fills = not width or not np.isnan(encoder.fill_).any()
    _require(fills or not encoder.indicated_.any(), "indicated_ needs filled cells")


def _check_column(encoder, j):
    """Check what column ``j`` has, and return the number of its outputs."""
    kind = encoder.kinds_[j]
    _require(kind in KINDS, f"kinds_[{j}] must be one of {KINDS}, got {kind!r}")
    for attribute in ("categories_", "rare_categories_"):
        value = getattr(encoder, attribute)[j]
        _require(_is_text_array(value) and len(set(value)) == len(value), f"{attribute}[{j}] must be different strings")
    parts = encoder.datetime_parts_[j]
    _require(isinstance(parts, list) and all(part in ALL_PARTS for part in parts), f"datetime_parts_[{j}] is unknown")
    lookup = encoder.lookups_[j]
    _require(isinstance(lookup, np.ndarray) and lookup.ndim == 2, f"lookups_[{j}] must be two-dimensional")
    if kind == "datetime":
        _require(len(parts) > 0, f"datetime_parts_[{j}] must not be empty")
        return len(parts)
    if kind != "categorical":
        return int(kind != "empty")
    n_kept = len(encoder.categories_[j])
    if not lookup.size:  # one-hot
        return n_kept + int(encoder.pooled_[j])
    n_outputs = len(encoder.classes_) if lookup.shape[1] > 1 else 1
    shape = (n_kept + 1, n_outputs)
    _require(_is_floats(lookup, shape) and bool(np.isfinite(lookup).all()), f"lookups_[{j}] must be finite {shape}")
    return n_outputs


def _is_array(value, shape):
    return isinstance(value, np.ndarray) and value.shape == shape


def _is_floats(value, shape):
    return _is_array(value, shape) and value.dtype == np.float64


def _is_text_array(value):
    return isinstance(value, np.ndarray) and value.ndim == 1 and all(isinstance(item, str) for item in value)


def _require(holds, what):
    if not holds:
        raise ModelFormatError(f"TableEncoder: {what}; the model file is damaged or was made by other means.")
