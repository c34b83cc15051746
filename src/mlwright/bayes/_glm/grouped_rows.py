"""Rows whose columns may name groups, with offsets: from a table to numbers and levels, and from draws to means."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted, validate_data

from mlwright._kernels.rng import normal
from mlwright._runtime.rng import stream_id
from mlwright.bayes._glm.base import PosteriorOfGlm
from mlwright.bayes._glm.groups import GroupTerm, column_names, cut, levels_among, read_terms
from mlwright.bayes._glm.problem import scores

_NEW_LEVELS = 7431  # stream


class GroupedRows(NamedTuple):
    """Rows to predict: numeric columns, offset, and of each term the places of its levels and how many are new."""

    X: np.ndarray
    offset: np.ndarray | None
    levels: tuple
    new: tuple


class PosteriorByGroups(PosteriorOfGlm):
    """A subclass has ``group_effects``, and draws of what :meth:`_means` asks for by name."""

    def _read(self, X, y):
        """Numeric columns, y, and the grouping columns; sets what is known of them."""
        self._group_columns, self._terms, self.group_levels_ = [], [], {}
        if not len(self.group_effects):
            X, y = validate_data(self, X, y, dtype=np.float64, order="C", y_numeric=True)
            return X, np.asarray(y, dtype=np.float64), []
        names = column_names(X)
        validate_data(self, X, skip_check_array=True)
        groups, terms = read_terms("BayesianGLM", self.group_effects, names, self.n_features_in_)
        numbers, coded = cut("BayesianGLM", X, groups)
        y = np.asarray(_check_y(y, y_numeric=True, estimator=self), dtype=np.float64)
        check_consistent_length(numbers, y)
        self._group_columns, self._terms = groups, [term.record for term in terms]
        label = names if names else [str(j) for j in range(self.n_features_in_)]
        self.group_levels_ = {label[j]: column.values for j, column in zip(groups, coded, strict=True)}
        return numbers, y, coded

    @property
    def _group_terms(self):
        return [GroupTerm(**record) for record in self._terms]

    @property
    def _n_coefficients(self):
        return self.n_features_in_ - len(self._group_columns)

    @property
    def coef_names_(self):
        """Names of the columns that have coefficients; their places where X had no names."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_).astype(str))
        return np.delete(np.asarray(names, dtype=object), self._group_columns)

    def _checked(self, rows):
        """Rows as the scores need them, from what stands for X."""
        X, offset = rows
        if not len(self.__dict__.get("_group_columns", ())):
            return GroupedRows(super()._checked(X), offset, (), ())
        validate_data(self, X, reset=False, skip_check_array=True)
        numbers, coded = cut("BayesianGLM", X, self._group_columns)
        known = list(self.group_levels_.items())
        places = [levels_among(column, values, name) for column, (name, values) in zip(coded, known, strict=True)]
        terms = self._group_terms
        return GroupedRows(
            numbers, offset, tuple(places[t.group][0] for t in terms), tuple(places[t.group][1] for t in terms)
        )

    def _one_by_one(self, rows):
        """All levels that the fit has not seen have one effect: rows then say nothing of each other."""
        sizes = [len(known) for known in self.group_levels_.values()]
        known = [sizes[term.group] for term in self._group_terms]
        levels = [np.minimum(level, n) for level, n in zip(rows.levels, known, strict=True)]
        return rows._replace(levels=tuple(levels), new=tuple(min(new, 1) for new in rows.new))

    def _rows_of(self, rows, begin, end):
        offset = None if rows.offset is None else rows.offset[begin:end]
        return GroupedRows(rows.X[begin:end], offset, tuple(level[begin:end] for level in rows.levels), rows.new)

    def _n_rows(self, rows):
        return len(rows.X)

    def _means(self, rows, draws, seed=0):
        terms = self._group_terms
        effects = []
        for t, (term, new) in enumerate(zip(terms, rows.new, strict=True)):
            scale = draws[f"group_scale {term.name}"]
            fresh = normal(seed, stream_id(_NEW_LEVELS, t), len(scale) * new).reshape(len(scale), new)
            effects.append(np.column_stack([draws[f"group_coef {term.name}"], scale[:, None] * fresh]))
        answers = {"coef": draws["coef"], "intercept": draws["intercept"], "effects": effects}
        eta = scores(rows.X, rows.offset, answers, [term.slope for term in terms], rows.levels)
        return self._law.mean(eta)
