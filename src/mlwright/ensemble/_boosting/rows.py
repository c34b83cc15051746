"""From what users pass to the arrays that boosting reads: rows, weights, constraints."""

import warnings
from dataclasses import dataclass
from itertools import combinations
from numbers import Integral

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from mlwright._runtime.errors import LossOfPrecisionWarning


@dataclass(frozen=True)
class Rows:
    """Rows of training or validation: X float32 or float64, y float64 or numbers of classes, weight float64 or None."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None

    def without_zero_weights(self):
        """A row of weight zero is no row."""
        if self.weight is None or self.weight.all():
            return self
        kept = self.weight != 0
        if not kept.any():
            raise ValueError("sample_weight: all weights are zero; expected at least one positive weight")
        return self.take(kept)

    def split(self, fraction, stratify, seed):
        """Training and validation rows."""
        from sklearn.model_selection import train_test_split

        stratify = self.y if stratify else None
        numbers = np.arange(len(self.y))
        train, held_out = train_test_split(numbers, test_size=fraction, stratify=stratify, random_state=seed)
        return self.take(train), self.take(held_out)

    def take(self, numbers):
        """Some of the rows."""
        return Rows(self.X[numbers], self.y[numbers], None if self.weight is None else self.weight[numbers])

    def sample(self, n, stratify, seed):
        """At most n of the rows, in random order if there are more."""
        if len(self.y) <= n:
            return self
        rest = len(self.y) - n
        if stratify and min(np.unique(self.y, return_counts=True)[1]) < 2:
            stratify = False
        return self.split(rest, stratify, seed)[0]


@dataclass(frozen=True)
class Prepared:
    """What trees are grown on: rows, the rows held out (None: none), the columns made of X, and their bins."""

    train: Rows
    validation: Rows | None
    columns: object
    bins: object


def warn_of_swamped_targets(rows):
    """Warn if histograms of squared error cannot resolve most targets beside the farthest one.

    The unit of a gradient is at most ``max(2**-49, W * 2**-59)`` of the largest, W being the number of rows (see
    ``tree/histogram.hpp``): up to the limit here, it is a 64th of the median deviation or less. Targets equal to the
    median, but for rounding, need no resolving.
    """
    # Halves and powers of two: deviations of targets near the largest double are finite too.
    scaled = np.ldexp(rows.y, -np.frexp(np.abs(rows.y).max())[1] - 1)
    median = np.median(scaled)
    deviations = np.abs(scaled - median)
    deviations = deviations[deviations > 2.0**-50 * abs(median)]
    if not len(deviations):
        return
    limit = 2.0**53 / max(1024, len(rows.y), _repetitions(rows.weight))
    largest, usual = deviations.max(), np.median(deviations)
    if largest > limit * usual:
        warnings.warn(
            f"y: got a target {largest / usual:.1g} times farther from the median than the median of all; expected at "
            f"most {limit:.1g} times for this many rows, beyond which cuts are found without regard to what sets the "
            "others apart; remove such targets, clip or transform them",
            LossOfPrecisionWarning,
            stacklevel=6,
        )


def _repetitions(weight):
    """How many rows integer weights stand for; 0 for weights that are not taken for repetitions (``booster.cpp``)."""
    if weight is None or (weight != np.floor(weight)).any():
        return 0.0
    total = float(weight.sum())
    return total if total < 2.0**30 else 0.0


def as_codes(codes, n_classes):
    """Numbers of classes as the booster reads them: uint8, or float64 where there are more classes."""
    return codes.astype(np.uint8 if n_classes <= 256 else np.float64)


def weights_for_fit(sample_weight, X):
    """float64 weights, not negative; None stays None."""
    if sample_weight is None:
        return None
    return _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)


def interaction_groups(interaction_cst, n_features):
    """Groups of features that may meet in one branch; those in no group form one more. Empty: no constraint."""
    if interaction_cst is None:
        return []
    if isinstance(interaction_cst, str):
        size = 1 if interaction_cst == "no_interactions" else 2
        interaction_cst = combinations(range(n_features), min(size, n_features))
    try:
        groups = [set(group) for group in interaction_cst]
    except TypeError:
        message = f"Interaction constraints must be a sequence of tuples or lists, got: {interaction_cst!r}."
        raise ValueError(message) from None
    for group in groups:
        if not all(isinstance(j, Integral) and 0 <= j < n_features for j in group):
            raise ValueError(
                "Interaction constraints must consist of integer indices in [0, n_features - 1] = "
                f"[0, {n_features - 1}], specifying the position of features, got invalid indices: {group!r}"
            )
    rest = set(range(n_features)).difference(*groups)
    return [*groups, rest] if rest else groups
