"""Labels of classes as classifiers number them, whatever their kind."""

import numpy as np
import pytest

from mlwright._validation import class_codes


@pytest.mark.parametrize("repeats", [1, 3])  # few labels are counted where they repeat
@pytest.mark.parametrize(
    "labels",
    [
        np.array([7, 5, 7, 9]),
        np.array([-128, 127, 0], dtype=np.int8),
        np.array([True, False, True]),
        np.array([2**64 - 1, 2**64 - 3], dtype=np.uint64),
        np.array([-(2**63), 2**63 - 1]),
        np.array([2.0, -1.0, 2.0]),
        np.array(["b", "a", "b"]),
    ],
)
def test_labels_are_coded_by_their_place_among_the_distinct(labels, repeats):
    labels = np.tile(labels, repeats)
    classes, codes = class_codes(labels)
    expected, places = np.unique(labels, return_inverse=True)
    assert classes.dtype == labels.dtype
    np.testing.assert_array_equal(classes, expected)
    np.testing.assert_array_equal(codes, places)
