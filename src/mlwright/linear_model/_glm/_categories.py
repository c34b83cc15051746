"""Tables with categorical columns: a coefficient a level, in place of one-hot columns.

Numbers stay a column each; a column of categories, enumerations or text stands for as many columns as it has levels, of
which each row has a one in one. Solvers read the codes (``_coded_table``), so a level costs nothing but its place.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_array, validate_data

from mlwright._kernels.linalg import as_design
from mlwright._validation import rows_for_fit
from mlwright.base import as_fitted
from mlwright.io.composite import AnyOf, ListOf, Maybe, Optional
from mlwright.io.schema import Strings, Tensor
from mlwright.linear_model._glm._base import refuse, usable_weights
from mlwright.linear_model._glm._coded_table import CodedTable
from mlwright.linear_model._glm._solve import DENSE_PROXIMAL, LARGEST_HESSIAN
from mlwright.linear_model._inference.door import feature_names
from mlwright.linear_model._inference.glm import GlmRows
from mlwright.linear_model._sparse_coef import dense_coef
from mlwright.preprocessing._category_levels import read_series
from mlwright.preprocessing._columns import as_table, check_table_shape, table_names

#: To stand in the state of an estimator with :class:`CategoricalMixin`.
CATEGORY_FIELDS = {
    "is_categorical_": Maybe(Optional(Tensor("?", "p"))),
    "_levels": Maybe(ListOf(AnyOf(Tensor("f8 i8", "*", finite=False), Strings("*")))),
}


class _Plain(RegressorMixin, BaseEstimator):
    """Stands for the estimator where one-hot rows are checked: its features are those of the table."""


class CategoricalMixin:
    """Rows of tables with categories, at the fit and later.

    The class beside it gives ``_rows(X, y, sample_weight)``, ``_scores(X)`` and ``_uses_l1()``; ``coef_`` has the
    coefficients in its last axis.
    """

    def _rows(self, X, y, sample_weight):
        table = _categorical_table(X)
        self.is_categorical_, self._levels = None, []
        if table is None:
            return super()._rows(X, y, sample_weight)
        mask, names = _is_categorical(table), _names(table)
        self.is_categorical_ = mask
        numbers = self._numbers(table)
        rows, y, w = super()._rows(numbers if numbers.shape[1] else np.zeros((len(table), 1)), y, sample_weight)
        coded = [_read(table, j, names[j], w) for j in np.flatnonzero(mask)]
        self._levels = [one.values for one in coded]
        return self._with_codes(rows, self._table_of(numbers, [one.codes for one in coded])), y, w

    def _with_codes(self, rows, table):
        """Checked rows of the numbers with the codes; one-hot where there are more columns than a Hessian may have."""
        most = DENSE_PROXIMAL if self._uses_l1() else LARGEST_HESSIAN
        if table.shape[1] <= most:
            return replace(rows, X=table, design=table.design)
        X = table.tocsr()
        return replace(rows, X=X, design=as_design(X))

    def _remember_features(self, X):
        """After a fit on one-hot rows: the features are the table's columns."""
        if self.is_categorical_ is not None:
            vars(self).pop("feature_names_in_", None)
            validate_data(self, X, skip_check_array=True)

    def _scores(self, X):
        if getattr(self, "is_categorical_", None) is None:
            return super()._scores(X)
        return self._coded(X) @ dense_coef(self).T + self.intercept_

    def _columns(self, X):
        if getattr(self, "is_categorical_", None) is None:
            return super()._columns(X)
        return self._coded(X).tocsr()

    def _rows_for_inference(self, X, y, sample_weight, **of_rows):
        if getattr(self, "is_categorical_", None) is not None and sample_weight is not None:
            X = _rows_with_levels(X, usable_weights(sample_weight, X))
        return super()._rows_for_inference(X, y, sample_weight, **of_rows)

    def _rows_again(self, X, y):
        if getattr(self, "is_categorical_", None) is None:
            return super()._rows_again(X, y)
        return rows_for_fit(_Plain(), self._coded(X).tocsr(), y, None, multi_output=False)

    def _coded(self, X):
        """Rows by the levels of the fit."""
        table = as_table(X)
        if table is None:
            raise TypeError(
                f"X: got {type(X).__name__}, expected a data frame with the columns of the fit, which had categories."
            )
        validate_data(self, X, skip_check_array=True, reset=False)
        names, codes = _names(table), []
        for j, levels in zip(np.flatnonzero(self.is_categorical_), self._levels, strict=True):
            coded = read_series(table[:, int(j)], names[j])
            coded.check_kind(levels, names[j])
            of_column = coded.among(levels)
            if np.isnan(of_column).any():
                row = int(np.argmax(np.isnan(of_column)))
                raise ValueError(
                    f"X: column {names[j]!r} has {table[row, int(j)]!r} in row {row}, expected one of the "
                    f"{len(levels)} levels of the fit; merge rare levels before fitting, or leave such rows out."
                )
            codes.append(of_column)
        return self._table_of(self._numbers(table), codes)

    def _numbers(self, table):
        """The columns that are no categories, checked."""
        at = np.flatnonzero(~self.is_categorical_)
        if not len(at):
            return np.empty((len(table), 0))
        _require_numbers(table, at)
        return check_array(table[:, at.tolist()].to_native(), dtype=np.float64)

    def _table_of(self, numbers, codes):
        widths = _widths(self.is_categorical_, self._levels)
        first = np.concatenate([[0], np.cumsum(widths[self.is_categorical_])])
        columns = np.empty((len(numbers), len(codes)), dtype=np.int32)
        for k, of_column in enumerate(codes):
            np.add(of_column, first[k], out=columns[:, k], casting="unsafe")
        return CodedTable(numbers, columns, widths, self.is_categorical_)

    @property
    def coef_names_(self):
        """Names of the coefficients: of the features, and ``feature=level`` for the levels of a category."""
        features = feature_names(self)
        if getattr(self, "is_categorical_", None) is None:
            return np.array(features, dtype=object)
        levels, out = iter(self._levels), []
        for name, categorical in zip(features, self.is_categorical_, strict=True):
            out += [f"{name}={_level_name(level)}" for level in next(levels)] if categorical else [name]
        return np.array(out, dtype=object)

    def _parameter_names(self):
        return self.coef_names_.tolist()

    def _identified(self, names, params):
        """Levels less the first of their feature, which the intercept stands for; as statsmodels' formulas have it.

        Without an intercept the levels of the first feature stay as they are, and stand for the others' first ones.
        """
        if getattr(self, "is_categorical_", None) is None:
            return names, params
        a, params = int(as_fitted(self, "fit_intercept")), params.astype(np.float64)
        keep = np.ones(len(names), dtype=bool)
        parts = [slice(begin + a, end + a) for begin, end in self._places_of_levels()]
        stand_in = slice(0, 1) if a else parts[0]
        for part in parts[1 - a :]:
            first = params[..., [part.start]]
            params[..., part] -= first
            params[..., stand_in] += first
            keep[part.start] = False
        return tuple(name for name, kept in zip(names, keep, strict=True) if kept), params[..., keep]

    def _places_of_levels(self):
        """Where the coefficients of each categorical feature begin and end."""
        ends = np.cumsum(_widths(self.is_categorical_, self._levels))
        starts = np.concatenate([[0], ends[:-1]])
        return [(int(starts[j]), int(ends[j])) for j in np.flatnonzero(self.is_categorical_)]

    def _glm_rows(self, rows, y, w, eta):
        if getattr(self, "is_categorical_", None) is None:
            return super()._glm_rows(rows, y, w, eta)
        firsts = [begin for begin, _ in self._places_of_levels()][1 - int(as_fitted(self, "fit_intercept")) :]
        X = rows.X.tocsr()
        X = X[:, np.setdiff1d(np.arange(X.shape[1]), firsts)]
        return GlmRows(X, as_design(X), y, w, eta)

    def _validate_state(self):
        mask, levels = getattr(self, "is_categorical_", None), getattr(self, "_levels", [])
        good = len(levels) == (0 if mask is None else int(mask.sum()))
        for one in levels:
            good = good and all(a < b for a, b in pairwise(one))
        width = self.n_features_in_ if mask is None else sum(_widths(mask, levels)) if good else -1
        if not good or self.coef_.shape[-1] != width:
            refuse(self, f"coef_ is of {self.coef_.shape[-1]} columns, which do not fit its features and levels")
        super()._validate_state()


def _categorical_table(X):
    """The table of X, where it has categorical columns, else None."""
    if isinstance(X, np.ndarray) or sparse.issparse(X):
        return None
    table = as_table(X)
    if table is None or not _is_categorical(table).any():
        return None
    check_table_shape(table)
    return table


def _rows_with_levels(X, w):
    """X with a row that weighs something in place of each that does not: its level may be one that the fit left out."""
    weighs = w > 0.0
    return X if weighs.all() else _safe_indexing(X, np.where(weighs, np.arange(len(weighs)), np.argmax(weighs)))


def _is_categorical(table):
    import narwhals as nw

    return np.array([dtype in (nw.Categorical, nw.Enum, nw.String) for dtype in table.schema.dtypes()], dtype=bool)


def _require_numbers(table, at):
    """TypeError, by name, for dates, nested cells, and text where the fit had numbers; objects may be numbers."""
    import narwhals as nw

    dtypes, names = table.schema.dtypes(), _names(table)
    for j in at:
        dtype = dtypes[j]
        if not (dtype.is_numeric() or dtype in (nw.Boolean, nw.Object, nw.Unknown)):
            raise TypeError(
                f"X: column {names[j]!r} holds {dtype}, expected numbers beside the columns of categories; make "
                "numbers of it (of a date, days since another), or leave it out."
            )


def _names(table):
    return table_names(table) or [str(name) for name in table.columns]


def _read(table, j, name, w):
    """A column's codes and the levels of rows that weigh something, ascending; others with such a level keep theirs."""
    coded = read_series(table[:, int(j)], name)
    if (coded.codes < 0).any():
        row = int(np.argmax(coded.codes < 0))
        raise ValueError(
            f"X: column {name!r} is missing in row {row}, expected a category in every row; fill it, e.g. with a level "
            "of its own."
        )
    if w is not None and not w.all():
        weighing = coded.codes[w > 0.0]
        known = np.bincount(weighing, minlength=len(coded.values)) > 0
        coded = replace(coded, codes=np.where(known[coded.codes], coded.codes, weighing[0]))
    return coded.used()


def _level_name(level):
    """As a table shows it: whole numbers, which are kept as floats, have no point."""
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)


def _widths(mask, levels):
    """How many coefficients each feature has."""
    out = np.ones(len(mask), dtype=np.int64)
    out[mask] = [len(one) for one in levels]
    return out
