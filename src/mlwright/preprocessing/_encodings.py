"""What a column becomes: pure functions from typed columns to float64 blocks, NaN where a cell is missing."""

from collections import Counter
from numbers import Integral

import numpy as np

from mlwright._kernels.units import unit_for
from mlwright._splits import RowSplits

# name -> (days since 1970-01-01 (int64), microseconds of the day) -> float64; the calendar parts a tree can split on.
_MICROSECONDS_PER_DAY = 86_400_000_000


def _year_start(days):
    dates = days.astype("datetime64[D]")
    return dates, dates.astype("datetime64[Y]")


def _year(days, _):
    return _year_start(days)[1].astype(np.int64) + 1970


def _month(days, _):
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1


def _day(days, _):
    dates = days.astype("datetime64[D]")
    return (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1


def _weekday(days, _):
    return (days + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0


def _hour(_, microseconds):
    return microseconds / 3.6e9


def _epoch(days, microseconds):
    return days + microseconds / _MICROSECONDS_PER_DAY


def _share_of_year(days, microseconds):
    dates, start = _year_start(days)
    return ((dates - start).astype(np.int64) + microseconds / _MICROSECONDS_PER_DAY) / 365.25


def _share_of_week(days, microseconds):
    return (_weekday(days, None) + microseconds / _MICROSECONDS_PER_DAY) / 7


def _share_of_day(_, microseconds):
    return microseconds / _MICROSECONDS_PER_DAY


def _circle(function, share):
    return lambda days, microseconds: function(2 * np.pi * share(days, microseconds))


_CYCLES = {"year": _share_of_year, "week": _share_of_week, "day": _share_of_day}
DATETIME_PARTS = {
    "epoch": {"epoch": _epoch},
    "parts": {"epoch": _epoch, "year": _year, "month": _month, "day": _day, "weekday": _weekday, "hour": _hour},
    "cyclic": {
        "epoch": _epoch,
        **{f"{name}_sin": _circle(np.sin, share) for name, share in _CYCLES.items()},
        **{f"{name}_cos": _circle(np.cos, share) for name, share in _CYCLES.items()},
    },
}
ALL_PARTS = {name: part for parts in DATETIME_PARTS.values() for name, part in parts.items()}


def datetime_block(column, parts):
    """The named parts of a datetime column, (n, len(parts)); ``epoch`` is days since 1970, ``hour`` has a fraction."""
    days, microseconds = np.divmod(column.values, _MICROSECONDS_PER_DAY)
    block = np.empty((len(days), len(parts)))
    for j, part in enumerate(parts):
        block[:, j] = ALL_PARTS[part](days, microseconds)
    block[column.missing] = np.nan
    return block


def varying_parts(column, style):
    """The parts of a style that are not constant in this column: dates without times get no hour."""
    parts = list(DATETIME_PARTS[style])
    block = datetime_block(column, parts)[~column.missing]
    varying = [part for part, cells in zip(parts, block.T, strict=True) if np.ptp(cells) > 1e-9]
    return varying or ["epoch"]


def count_categories(column, max_categories, min_frequency, weight=None):
    """Split the categories of a column into kept and rare ones.

    Both are ordered by falling count, equal counts by name, so neither depends on the order of the rows.

    Returns
    -------
    kept, rare : list of str
    """
    counts = Counter(column.values) if weight is None else _sums_of_weights(column.values, weight)
    for absent in [key for key in counts if not isinstance(key, str)]:
        del counts[absent]
    ranked = sorted(counts, key=lambda category: (-counts[category], category))
    if min_frequency is None:
        threshold = 0
    elif isinstance(min_frequency, float):
        threshold = min_frequency * sum(counts.values())
    else:
        threshold = min_frequency
    n_kept = sum(counts[category] >= threshold for category in ranked)
    if max_categories is not None and n_kept + (n_kept < len(ranked)) > max_categories:
        n_kept = max_categories - 1  # the pool is one of the categories
    return ranked[:n_kept], ranked[n_kept:]


def _sums_of_weights(values, weight):
    sums = Counter()
    for value, w in zip(values, weight.tolist(), strict=True):
        sums[value] += w
    return sums


def category_codes(column, categories):
    """Codes of a categorical column, int64 (n,): place in ``categories``, else their number; -1 where missing."""
    places = {category: place for place, category in enumerate(categories)}
    other = len(places)
    codes = np.fromiter((places.get(value, other) for value in column.values), np.int64, count=len(column.values))
    codes[column.missing] = -1
    return codes


def onehot_block(codes, width):
    """One column a category, (n, width); a code of ``width`` (a value without a column) gives a row of zeros."""
    block = np.zeros((len(codes), width))
    rows = np.flatnonzero((codes >= 0) & (codes < width))
    block[rows, codes[rows]] = 1.0
    block[codes < 0] = np.nan
    return block


def lookup_block(codes, table):
    """Rows of ``table`` (n_codes, width) by code; NaN where the code is negative."""
    block = table[np.maximum(codes, 0)]
    block[codes < 0] = np.nan
    return block


def target_table(codes, n_codes, targets, smooth, weight=None):
    """Mean target of each category, shrunk towards the overall mean.

    Category ``k`` with ``n_k`` rows gets ``(n_k mean_k + m mean) / (n_k + m)``. With ``smooth="auto"``, ``m`` is the
    ratio of the variance within categories to the variance between them, by moments of the one-way random-effects
    model: where categories differ no more than chance lets them, all get the overall mean.

    Parameters
    ----------
    codes : int64 ndarray (n,)
        Codes below ``n_codes``; negative ones are left out.
    targets : float64 ndarray (n, n_targets)
    smooth : "auto" or float
    weight : float64 ndarray (n,) or None
        A row of whole weight w is w rows.

    Returns
    -------
    float64 ndarray (n_codes, n_targets)

    References
    ----------
    Searle, Casella, McCulloch: Variance Components (1992), section 3.6.
    """
    present = codes >= 0
    if weight is not None:
        present &= weight > 0
        weight = weight[present]
    codes, targets = codes[present], targets[present]
    counts = np.bincount(codes, weights=weight, minlength=n_codes)
    table = np.empty((n_codes, targets.shape[1]))
    for j, target in enumerate(targets.T):
        overall = np.average(target, weights=weight) if len(target) else 0.0
        centred = target - overall
        sums = np.bincount(codes, weights=centred if weight is None else centred * weight, minlength=n_codes)
        strength = _shrinkage(codes, counts, sums, centred, weight) if smooth == "auto" else float(smooth)
        table[:, j] = overall
        if np.isfinite(strength):
            seen = counts > 0
            table[seen, j] += sums[seen] / (counts[seen] + strength)
    return table


def _shrinkage(codes, counts, sums, centred, weight):
    """``m`` of :func:`target_table`: variance within over variance between categories; infinite if none is between."""
    seen = counts > 0
    n_rows, n_seen = counts.sum(), seen.sum()
    if n_seen < 2 or n_rows <= n_seen:
        return np.inf
    unit = unit_for(np.abs(centred).max())  # which the ratio has none of
    sums, centred = sums * unit, centred * unit
    means = np.zeros(len(counts))
    means[seen] = sums[seen] / counts[seen]
    squares = np.square(centred - means[codes])
    within = (squares if weight is None else squares * weight).sum() / (n_rows - n_seen)
    between_sum = (counts[seen] * np.square(means[seen])).sum()
    effective = n_rows - np.square(counts[seen], dtype=np.float64).sum() / n_rows
    between = (between_sum - (n_seen - 1) * within) / effective
    return within / between if between > 0 else np.inf


def fold_of_rows(cv, y):
    """A fold for each row, int64 (n,): by a splitter or splits, or of a number balanced, shuffled and always alike."""
    if not isinstance(cv, Integral):
        return RowSplits.of(cv, np.zeros((len(y), 1)), y, classifier=True).partition()
    n_rows = len(y)
    n_folds = min(cv, n_rows)
    shuffled = np.random.Generator(np.random.Philox(0)).permutation(n_rows)
    return shuffled % n_folds


def crossfitted_block(codes, n_codes, targets, smooth, folds, weight=None):
    """As :func:`lookup_block` of :func:`target_table`, but each row by a table that has not seen its fold's targets."""
    block = np.empty((len(codes), targets.shape[1]))
    for fold in np.unique(folds):
        held_out = folds == fold
        of_others = None if weight is None else weight[~held_out]
        table = target_table(codes[~held_out], n_codes, targets[~held_out], smooth, of_others)
        block[held_out] = lookup_block(codes[held_out], table)
    return block
