"""Which covariance is asked for, and what it needs; the choice between the kinds of meat."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from mlwright.linear_model._inference import meat

ROBUST = ("HC0", "HC1", "HC2", "HC3", "cluster", "HAC")
_WHAT = {
    "nonrobust": "of the model: errors as it assumes them",
    "HC0": "robust to heteroscedasticity (HC0)",
    "HC1": "robust to heteroscedasticity (HC1)",
    "HC2": "robust to heteroscedasticity (HC2)",
    "HC3": "robust to heteroscedasticity (HC3)",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A checked choice of covariance.

    Attributes
    ----------
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "HAC"}
    groups : tuple of (codes, n_groups)
        One or two ways of grouping, for "cluster".
    lags : int
        For "HAC".
    """

    cov_type: str
    groups: tuple = ()
    lags: int = 0

    @classmethod
    def of(cls, cov_type, n, groups=None, maxlags=None, w=None):
        """Check what a user asks for, of n rows (None where no rows are given) of weights w.

        Raises
        ------
        ValueError, TypeError
        """
        if cov_type not in ("nonrobust", *ROBUST):
            raise ValueError(f"cov_type: got {cov_type!r}, expected 'nonrobust', {', '.join(map(repr, ROBUST))}.")
        if (groups is None) == (cov_type == "cluster"):
            raise ValueError(
                f"groups: got {'none' if groups is None else 'groups'} with cov_type={cov_type!r}; groups go with "
                "cov_type='cluster', which needs them."
            )
        if maxlags is not None and cov_type != "HAC":
            raise ValueError(f"maxlags: got {maxlags!r} with cov_type={cov_type!r}; it goes with cov_type='HAC'.")
        if cov_type != "nonrobust" and n is None:
            raise ValueError(
                f"cov_type={cov_type!r}: needs the rows; expected inference(X, y, cov_type={cov_type!r}) with the "
                "rows that the model was fitted on."
            )
        if cov_type == "cluster":
            return cls(cov_type, groups=_codes(groups, n, w))
        return cls(cov_type, lags=_lags(maxlags, n)) if cov_type == "HAC" else cls(cov_type)

    @property
    def description(self):
        if self.cov_type == "cluster":
            return f"robust to clusters ({' x '.join(f'{n:,}' for _, n in self.groups)} groups)"
        if self.cov_type == "HAC":
            return f"robust to heteroscedasticity and autocorrelation (Newey-West, {self.lags} lags)"
        return _WHAT[self.cov_type]

    def freedom(self, df_resid):
        """Degrees of freedom of tests: those of the residuals, or one less than the fewest groups."""
        return min(n for _, n in self.groups) - 1 if self.groups else df_resid

    def robust(self, bread, scores, n, k, leverage=None):
        """The sandwich, in the columns of `bread`.

        Parameters
        ----------
        bread : Bread
        scores : Scores
        n : float
            Number of observations.
        k : int
            Number of parameters.
        leverage : callable, optional
            ``leverage() -> array of shape (n_rows,)``, of one observation each: for HC2 and HC3.
        """
        if self.cov_type == "cluster":
            return self._clustered(bread, scores, n, k)
        if self.cov_type == "HAC":
            return bread.sandwich(meat.autocorrelated(scores, bread.columns, self.lags))
        shrink = None
        if self.cov_type in ("HC2", "HC3"):
            shrink = np.maximum(1.0 - leverage(), 0.0)
            _require_no_full_leverage(shrink, self.cov_type)
            shrink = shrink if self.cov_type == "HC2" else shrink * shrink
        covariance = bread.sandwich(meat.independent(scores, bread.columns, shrink))
        return covariance * (n / (n - k)) if self.cov_type == "HC1" else covariance

    def _clustered(self, bread, scores, n, k):
        """One way, or two: the sum of both less that of their intersection, each with its own correction."""
        total = 0.0
        ways = [(codes, size, 1.0) for codes, size in self.groups]
        if len(ways) == 2:
            both, codes = np.unique(self.groups[0][0] * self.groups[1][1] + self.groups[1][0], return_inverse=True)
            ways.append((codes, len(both), -1.0))
        for codes, size, sign in ways:
            correction = size / (size - 1.0) * ((n - 1.0) / (n - k))
            total = total + sign * correction * bread.sandwich(meat.clustered(scores, bread.columns, codes, size))
        return total

    def require_variances(self, std_errors):
        """Raise where two-way clustering, a difference of matrices, gave a negative variance."""
        if np.isnan(std_errors).any():
            raise ValueError(
                "groups: two-way clustering has no answer here: its covariance has negative variances, which happens "
                "with few groups; expected more groups, or cluster one way."
            )


def _require_no_full_leverage(left, cov_type):
    full = np.flatnonzero(left < 1e-10)
    if len(full):
        raise ValueError(
            f"cov_type={cov_type!r}: row {full[0]} has leverage 1 (it alone determines a coefficient), so its residual "
            "says nothing; expected rows with leverage below 1; use 'HC1', or leave the column out."
        )


def _codes(groups, n, w):
    """Codes 0 .. n_groups - 1 of one or two ways of grouping; rows without weight go where the first of the others is.

    They add nothing to any sum, and a group of such rows alone is none.
    """
    there = np.arange(n) if w is None else np.flatnonzero(w > 0.0)
    groups = np.asarray(groups)
    if groups.ndim not in (1, 2) or len(groups) != n or (groups.ndim == 2 and groups.shape[1] not in (1, 2)):
        raise ValueError(f"groups: got shape {groups.shape}, expected one group a row ({n},), or two ({n}, 2).")
    ways = []
    for labels in [groups] if groups.ndim == 1 else list(groups.T):
        if _is_missing(labels).any():
            raise ValueError("groups: got NaN, infinity or None, expected a group for every row.")
        try:
            names, of_there = np.unique(labels[there], return_inverse=True)
        except TypeError as error:
            raise TypeError(f"groups: got labels of several kinds ({error}), expected one kind, e.g. text.") from error
        if len(names) < 2:
            raise ValueError("groups: got a single group, expected two or more; clusters are what varies.")
        codes = np.full(n, of_there[0], dtype=np.int64)
        codes[there] = of_there
        ways.append((codes, len(names)))
    return tuple(ways)


def _is_missing(labels):
    if labels.dtype.kind == "f":
        return ~np.isfinite(labels)
    if labels.dtype.kind in "mM":
        return np.isnat(labels)
    if labels.dtype.kind != "O":
        return np.zeros(len(labels), dtype=bool)
    return np.array([label is None or (isinstance(label, float) and not np.isfinite(label)) for label in labels])


def _lags(maxlags, n):
    if maxlags is None:
        return min(n - 1, int(np.floor(4 * (n / 100.0) ** (2.0 / 9.0))))
    if isinstance(maxlags, bool) or not isinstance(maxlags, Integral) or not 0 <= maxlags < n:
        raise ValueError(f"maxlags: got {maxlags!r}, expected an integer from 0 to {n - 1}, less than the rows.")
    return int(maxlags)
