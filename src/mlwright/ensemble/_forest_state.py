"""How a fitted forest stands in a model file; see :mod:`mlwright._kernels.forest` for what the arrays mean."""

from mlwright.io.composite import Maybe, Record
from mlwright.io.schema import Tensor

# m nodes, t trees, s category sets of w words; k outputs where leaves have a value for each.
TREES = Record(
    feature=Tensor("i4", "m"),
    threshold=Tensor("f8", "m", finite=False),  # +infinity sets missing values apart
    left=Tensor("i4", "m"),
    right=Tensor("i4", "m"),
    missing_left=Tensor("u1", "m"),
    value=Tensor("f8", "m", "m k"),
    gain=Tensor("f8", "m"),
    count=Tensor("i8", "m"),
    offsets=Tensor("i8", "t+1"),
    rule=Maybe(Tensor("u1", "m")),
    category_set=Maybe(Tensor("i4", "m")),
    set_offsets=Maybe(Tensor("i8", "s+1")),
    set_words=Maybe(Tensor("u4", "w")),
    cover=Maybe(Tensor("f8", "m")),
)
