"""Folds of a stream of rows with classes: statistics of each fold, with a column for every class of all."""

from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b

import numpy as np

from mlwright.linear_model._content_folds import ContentFolds, content_keys, fold_numbers
from mlwright.linear_model._ridge.class_targets import ClassStatistics, union_of


@dataclass(frozen=True, slots=True)
class ClassFolds(ContentFolds):
    """`ContentFolds` whose parts are `ClassStatistics`."""

    @classmethod
    def of_labels(cls, model, rows, labels, n_folds):
        """From `Rows` and their `Labels`."""
        number = fold_numbers(content_keys(rows.X) + _label_keys(labels), n_folds, rows.w)
        parts = []
        for k, sums in enumerate(ContentFolds.of_rows(model, rows, number, n_folds).parts):
            part = None
            if sums is not None:
                part = ClassStatistics(labels.classes, labels.counts_of(number == k), labels.codes is None, sums)
            parts.append(part)
        return cls(tuple(parts))

    @property
    def whole(self):
        """Of the rows of all folds."""
        return reduce(ClassStatistics.merged, self.filled)

    def without(self, other):
        """Of what is left when the rows of `other` are taken out; a class goes with the last of its rows."""
        left = ContentFolds.without(self, other)
        if not left.filled:
            return left
        before, after = self.whole, left.whole
        if after.multilabel:
            return left
        had = dict(zip(before.classes.tolist(), before.counts.tolist(), strict=True))
        gone = [c for c, n in zip(after.classes.tolist(), after.counts.tolist(), strict=True) if n == 0 < had[c]]
        return ClassFolds(tuple(part and part.deprived_of(gone) for part in left.parts))

    def aligned(self):
        """The same, every part with the classes of all."""
        if not self.filled or self.filled[0].multilabel:
            return self
        classes = union_of(*(part.classes for part in self.filled))
        return ClassFolds(tuple(part and part.among(classes) for part in self.parts))


def _label_keys(labels):
    """A 64-bit number for each row's label, the same for equal numbers of any dtype; or for its several labels."""
    if labels.codes is None:
        return content_keys(np.maximum(labels.targets, 0.0))
    classes = labels.classes
    if classes.dtype.kind in "biuf":
        keys = content_keys(classes.astype(np.float64)[:, None])
    else:
        words = [blake2b(str(c).encode(), digest_size=8).digest() for c in classes.tolist()]
        keys = np.array([int.from_bytes(word, "little") for word in words], dtype=np.uint64)
    return keys[labels.codes]
