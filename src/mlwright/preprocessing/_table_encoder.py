"""TableEncoder: a table with mixed columns becomes the float matrix that estimators need."""

from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, column_or_1d

from mlwright.base import as_fitted, fit_context
from mlwright.io.composite import ListOf, Maybe, State
from mlwright.io.schema import Choice, Labels, Size, Strings, Tensor, Text
from mlwright.preprocessing._columns import KINDS
from mlwright.preprocessing._encoder_input import (
    input_names,
    known_columns,
    new_columns,
    new_targets,
    rows_that_weigh,
    weights_of,
)
from mlwright.preprocessing._encoder_output import fill_center_scale, finished, unique_names
from mlwright.preprocessing._encodings import (
    DATETIME_PARTS,
    category_codes,
    count_categories,
    crossfitted_block,
    datetime_block,
    fold_of_rows,
    lookup_block,
    onehot_block,
    target_table,
    varying_parts,
)
from mlwright.preprocessing._state import validate_encoder_state


class TableEncoder(TransformerMixin, BaseEstimator):
    """Encode numeric, boolean, categorical and datetime columns as one float matrix.

    Takes tables of pandas, polars or pyarrow, NumPy arrays and nested lists; equal tables give equal matrices whichever
    library holds them. The kind of each column is learnt in ``fit`` and held to afterwards: a numeric column that
    arrives as text later is refused by name. Columns of a named table are found by name, in any order; further columns
    are ignored, absent ones refused.

    The defaults suit linear models: one-hot categories, imputed and standardised. For trees use
    ``TableEncoder(categories="ordinal", missing="keep", scale=False, datetimes="parts")``.

    Parameters
    ----------
    categories : {"onehot", "ordinal", "target"}, default="onehot"
        What a category becomes: a column of its own; its rank by frequency (0 is the most frequent); or the mean target
        of its rows, shrunk towards the overall mean. Target means are cross-fitted in ``fit_transform``: no row sees
        its own target, so ``fit(X, y).transform(X)`` differs from ``fit_transform(X, y)``.
    missing : {"impute", "keep"}, default="impute"
        Fill missing cells by the median of their output column (0 for one-hot columns) and append an indicator for
        each column that had missing cells in ``fit``; or leave NaN.
    scale : bool, default=True
        Bring numeric, datetime, ordinal and target columns to mean 0 and variance 1. One-hot columns, booleans and
        indicators stay 0 and 1.
    datetimes : {"cyclic", "parts", "epoch"}, default="cyclic"
        Days since 1970 with the year, the week and the day as points on circles; days since 1970 with year, month, day,
        weekday (Monday is 0) and hour; or days since 1970 alone. Parts that do not vary in ``fit`` are left out.
    max_categories : int or None, default=64
        Upper limit to the categories of a column, the pool of the rare ones included.
    min_frequency : int, float or None, default=None
        Categories with fewer rows (int), or with a smaller share of the present cells (float), are pooled.
    handle_unknown : {"ignore", "error"}, default="ignore"
        A category that ``fit`` has not seen goes to the pool of the rare ones if the column has one; otherwise it is a
        row of zeros (one-hot), the rank after the last (ordinal) or the overall mean (target). Or it is an error.
    smooth : "auto" or float, default="auto"
        Rows that the overall mean counts for when target means are shrunk; "auto" estimates it for each column as the
        ratio of the variance within categories to that between them.
    cv : int, splitter or list of (train, test), default=5
        Folds of the cross-fitting, or scikit-learn's splits; these must test every row once and train on all others.
    target_type : {"auto", "continuous", "binary", "multiclass"}, default="auto"
        The kind of y for target means; "auto" looks at y. A multiclass y gives a column for each class.
    dtype : {"float64", "float32"}, default="float64"
        Of the output.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str (n_features_in_,)
        Only when the table has names.
    kinds_ : list of str
        For each column "numeric", "boolean", "categorical", "datetime" or "empty" (nothing but missing cells; gives no
        output).
    categories_ : list of ndarray of str
        The categories kept in each column, by falling frequency; empty for other kinds.
    pooled_ : ndarray of bool (n_features_in_,)
        Whether the column has a pool of rare categories.
    rare_categories_ : list of ndarray of str
        What was pooled; only filled when ``handle_unknown="error"`` needs it.
    lookups_ : list of ndarray (n_categories + 1, n_outputs)
        Ordinal or target value of each category and, last, of any other value; ``(0, 0)`` where there is none.
    datetime_parts_ : list of list of str
        The parts kept of each datetime column.
    indicated_ : ndarray of bool (n_features_in_,)
        Which columns have a missing indicator.
    fill_, center_, scale_ : ndarray (n_outputs,)
        Applied in this order to each output column but the indicators; ``fill_`` is NaN where cells stay missing.
    classes_ : ndarray
        The classes of y for target means; empty for a continuous y and other encodings.

    Raises
    ------
    ValueError
        For columns that are absent, unknown categories under ``handle_unknown="error"``, infinite values, or a column
        whose kind changed since ``fit``. The message names the column.
    TypeError
        For cells that are no string, number, boolean or date.

    See Also
    --------
    sklearn.preprocessing.TargetEncoder : target means alone.

    References
    ----------
    Micci-Barreca: A preprocessing scheme for high-cardinality categorical attributes, SIGKDD Explorations 3 (2001).

    Examples
    --------
    >>> import polars as pl
    >>> from mlwright.preprocessing import TableEncoder
    >>> table = pl.DataFrame({"size": [1.0, None, 3.0], "colour": ["red", "blue", "red"]})
    >>> encoder = TableEncoder(scale=False).fit(table)
    >>> encoder.get_feature_names_out().tolist()
    ['size', 'colour_red', 'colour_blue', 'size_missing']
    >>> encoder.transform(table)
    array([[1., 1., 0., 0.],
           [2., 0., 1., 1.],
           [3., 1., 0., 0.]])
    """

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        kinds_=ListOf(Choice(*KINDS), "p"),
        categories_=ListOf(Strings("*"), "p"),
        pooled_=Tensor("?", "p"),
        rare_categories_=ListOf(Strings("*"), "p"),
        lookups_=ListOf(Tensor("f8", "* *"), "p"),
        datetime_parts_=ListOf(ListOf(Text()), "p"),
        indicated_=Tensor("?", "p"),
        fill_=Tensor("f8", "q", finite=False),
        center_=Tensor("f8", "q"),
        scale_=Tensor("f8", "q"),
        classes_=Labels("k"),
    )

    _read_later = ("handle_unknown", "dtype")
    _parameter_constraints: ClassVar = {
        "categories": [StrOptions({"onehot", "ordinal", "target"})],
        "missing": [StrOptions({"impute", "keep"})],
        "scale": ["boolean"],
        "datetimes": [StrOptions(set(DATETIME_PARTS))],
        "max_categories": [Interval(Integral, 2, None, closed="left"), None],
        "min_frequency": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither"), None],
        "handle_unknown": [StrOptions({"ignore", "error"})],
        "smooth": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split"]), "array-like"],
        "target_type": [StrOptions({"auto", "continuous", "binary", "multiclass"})],
        "dtype": [StrOptions({"float64", "float32"})],
    }

    def __init__(
        self,
        *,
        categories="onehot",
        missing="impute",
        scale=True,
        datetimes="cyclic",
        max_categories=64,
        min_frequency=None,
        handle_unknown="ignore",
        smooth="auto",
        cv=5,
        target_type="auto",
        dtype="float64",
    ):
        self.categories = categories
        self.missing = missing
        self.scale = scale
        self.datetimes = datetimes
        self.max_categories = max_categories
        self.min_frequency = min_frequency
        self.handle_unknown = handle_unknown
        self.smooth = smooth
        self.cv = cv
        self.target_type = target_type
        self.dtype = dtype

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Learn kinds, categories, fills and scales.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)
        y : array-like (n,), optional
            Only ``categories="target"`` reads it.
        sample_weight : array-like (n,), default=None
            For counts, medians, means and variances: a row of whole weight w is w rows, one of weight 0 is none.

        Returns
        -------
        self
        """
        self._learn(X, y, sample_weight)
        return self

    @fit_context
    def fit_transform(self, X, y=None, sample_weight=None):
        """Fit and encode the same rows; target means are cross-fitted.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)
        y : array-like (n,), optional
        sample_weight : array-like (n,), default=None
            As of :meth:`fit`; rows of weight 0 are encoded, too.

        Returns
        -------
        ndarray (n, n_outputs)
        """
        columns, targets, weight = self._learn(X, y, sample_weight)
        if targets is None:
            return self._finish(columns, self._blocks(columns))
        folds = fold_of_rows(self.cv, column_or_1d(y))
        crossfitted = partial(crossfitted_block, targets=targets, smooth=self.smooth, folds=folds, weight=weight)
        return self._finish(columns, self._blocks(columns, crossfitted))

    def transform(self, X):
        """Encode rows.

        Parameters
        ----------
        X : table or array-like (n, n_features_in_)

        Returns
        -------
        ndarray (n, n_outputs)
        """
        check_is_fitted(self)
        columns = known_columns(self, X)
        return self._finish(columns, self._blocks(columns))

    def get_feature_names_out(self, input_features=None):
        """Names of the output columns.

        Parameters
        ----------
        input_features : array-like of str (n_features_in_,), optional
            Must be the names seen in ``fit``; for unnamed input any names.

        Returns
        -------
        ndarray of str (n_outputs,)
        """
        check_is_fitted(self)
        inputs = input_names(self, input_features)
        names = [f"{name}{suffix}" for j, name in enumerate(inputs) for suffix in self._suffixes(j)]
        names += [f"{name}_missing" for name, indicated in zip(inputs, self.indicated_, strict=True) if indicated]
        return np.array(unique_names(names), dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.target_tags.required = self.categories == "target"
        tags.transformer_tags.preserves_dtype = []
        return tags

    # Learning

    def _learn(self, X, y, sample_weight):
        """Set every fitted attribute; returns the columns, targets (n, n_targets) for target means, and weights."""
        columns = new_columns(self, X)
        weight = weights_of(sample_weight, len(columns[0].missing))
        self.classes_, targets = new_targets(self, y, len(columns[0].missing))
        self._learn_columns(*rows_that_weigh(columns, targets, weight))
        return columns, targets, weight

    def _learn_columns(self, columns, targets, weight):
        """Of the rows that weigh something."""
        self.kinds_ = [column.kind for column in columns]
        self._learn_categories(columns, targets, weight)
        self.datetime_parts_ = [
            varying_parts(column, self.datetimes) if column.kind == "datetime" else [] for column in columns
        ]
        impute = self.missing == "impute"
        self.indicated_ = np.array([impute and c.kind != "empty" and bool(c.missing.any()) for c in columns])
        self._learn_scales(self._blocks(columns), weight)

    def _learn_categories(self, columns, targets, weight):
        self.categories_, self.rare_categories_, self.lookups_ = [], [], []
        self.pooled_ = np.zeros(len(columns), dtype=bool)
        for j, column in enumerate(columns):
            kept, rare = [], []
            if column.kind == "categorical":
                kept, rare = count_categories(column, self.max_categories, self.min_frequency, weight)
            self.pooled_[j] = bool(rare)
            self.categories_.append(np.array(kept, dtype=object))
            self.rare_categories_.append(np.array(rare if self.handle_unknown == "error" else [], dtype=object))
            self.lookups_.append(self._learn_lookup(column, kept, targets, weight))

    def _learn_lookup(self, column, kept, targets, weight):
        if column.kind != "categorical" or self.categories == "onehot":
            return np.empty((0, 0))
        if self.categories == "ordinal":
            return np.arange(len(kept) + 1.0)[:, None]
        return target_table(category_codes(column, kept), len(kept) + 1, targets, self.smooth, weight)

    def _learn_scales(self, blocks, weight):
        """Medians, means and standard deviations of the output columns, over what is present or filled."""
        learned = []
        for j, block in enumerate(blocks):
            is_onehot = self._is_onehot(j)
            fill = np.nan if self.missing == "keep" else 0.0 if is_onehot else None
            standardise = self.scale and not is_onehot and self.kinds_[j] != "boolean"
            learned += [fill_center_scale(cells, fill, standardise, weight) for cells in block.T]
        self.fill_, self.center_, self.scale_ = np.array(learned).reshape(-1, 3).T.copy()

    # Encoding

    def _is_onehot(self, j):
        """Whether column ``j`` was fitted to one-hot columns, whatever parameters were set since."""
        return self.kinds_[j] == "categorical" and not self.lookups_[j].size

    def _blocks(self, columns, crossfitted=None):
        """Float64 blocks of all columns, NaN where a cell is missing; target means as ``crossfitted`` has them."""
        blocks = []
        for j, column in enumerate(columns):
            kind = self.kinds_[j]
            if kind == "empty":
                blocks.append(np.empty((len(column.missing), 0)))
            elif kind == "datetime":
                blocks.append(datetime_block(column, self.datetime_parts_[j]))
            elif kind == "categorical":
                codes = category_codes(column, self.categories_[j])
                n_codes = len(self.categories_[j]) + 1
                if self._is_onehot(j):
                    blocks.append(onehot_block(codes, n_codes - 1 + bool(self.pooled_[j])))
                elif crossfitted is not None:
                    blocks.append(crossfitted(codes, n_codes))
                else:
                    blocks.append(lookup_block(codes, self.lookups_[j]))
            else:
                blocks.append(column.values[:, None])
        return blocks

    def _finish(self, columns, blocks):
        """Fill, standardise, append the indicators."""
        indicators = [columns[j].missing for j in np.flatnonzero(self.indicated_)]
        return finished(blocks, self.fill_, self.center_, self.scale_, indicators, as_fitted(self, "dtype"))

    def _suffixes(self, j):
        """What is appended to the name of column ``j`` for each of its outputs."""
        kind = self.kinds_[j]
        if kind == "empty":
            return []
        if kind == "datetime":
            return [f"_{part}" for part in self.datetime_parts_[j]]
        if self._is_onehot(j):
            return [f"_{category}" for category in self.categories_[j]] + ["_infrequent"] * bool(self.pooled_[j])
        if kind == "categorical" and self.lookups_[j].shape[1] > 1:
            return [f"_{label}" for label in self.classes_]
        return [""]

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted attributes, read from a file, belong together."""
        validate_encoder_state(self)
