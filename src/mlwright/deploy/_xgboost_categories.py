"""The categories of a table's columns that XGBoost keeps in its models since 3.1, in ``model.cats``.

``enc`` has an entry a feature: of words ``offsets`` and ``values``, their UTF-8 bytes one after another; of integers
``type`` and ``values``; nothing of other features. A cell's code is its place there.
"""

from itertools import pairwise

import numpy as np

from mlwright._runtime.errors import ModelFormatError
from mlwright.deploy._numbers import of_values

_EXACT = 1 << 53  # integers are kept as float64


def table_categories(cats, n_features, what):
    """Categories of the category columns, from the left; [] where the model knows codes only.

    That is the case for models of arrays, and where words are no UTF-8 or integers no float64: XGBoost 3.2 itself cuts
    words with other letters than ASCII's short.
    """
    if not isinstance(cats, dict):
        raise ModelFormatError(f"{what}: its cats are no object; the file is damaged")
    entries = cats.get("enc", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ModelFormatError(f"{what}: its categories are no list of objects; the file is damaged")
    if len(entries) not in (0, n_features):
        raise ModelFormatError(f"{what}: has categories of {len(entries)} features, not {n_features}; it is damaged")
    columns = [_column(entry, f"{what}: categories of feature {j}") for j, entry in enumerate(entries)]
    if any(column is None for column in columns):
        return []
    return [column for column in columns if len(column)]


def _column(entry, what):
    """An array of words or numbers, empty for a feature that is no category; None if they cannot be known again."""
    values = of_values(entry.get("values", []), np.int64, what)
    if "offsets" not in entry:
        column = values.astype(np.float64) if len(values) == 0 or np.abs(values).max() <= _EXACT else None
    else:
        column = _words(of_values(entry["offsets"], np.int64, what), values, what)
    if column is not None and len(set(column.tolist())) != len(column):
        raise ModelFormatError(f"{what}: holds one of them twice; the file is damaged")
    return column


def _words(offsets, values, what):
    fits = len(offsets) == 0 or (offsets[0] == 0 and (np.diff(offsets) >= 0).all() and offsets[-1] <= len(values))
    if not fits or (len(values) and not -128 <= values.min() <= values.max() < 256):
        raise ModelFormatError(f"{what}: its offsets do not fit its bytes; the file is damaged")
    text = (values & 0xFF).astype(np.uint8).tobytes()
    try:
        return np.array([text[begin:end].decode() for begin, end in pairwise(offsets.tolist())], dtype=object)
    except UnicodeDecodeError:
        return None
