"""The bread: the inverse of an information matrix, with a certain word on whether there is one."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg as sla
from scipy import sparse

from mlwright._runtime.errors import LossOfPrecisionWarning
from mlwright.linear_model._inference.columns import Columns
from mlwright.linear_model._system import Factor

_EIGHT_DIGITS = 1e7  # condition number of the scaled information up to which its inverse has them
_FOUR_DIGITS = 1e11
_DEPENDENT = 1e-11  # norm of what is left of a column of unit length without the columns before it
_DEPENDENT_IN_GRAM = 1e-5  # ... as seen in a Gram matrix, where half of the digits are lost
_ROWS_AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class Bread:
    """Inverse of ``sum_r w_r c_r c_r'``, c the columns.

    Attributes
    ----------
    columns : Columns
    weight : float
        Sum of the weights: the information on the intercept, to which the centred columns are orthogonal.
    root : array of shape (p, p)
        ``root @ root.T`` is the inverse without the intercept.
    X : array or sparse matrix of shape (n, p), or None
        The rows that `columns` are of.
    outer, rotation : Columns and array of shape (p, p), or None
        Where X is not the user's but an orthonormal basis: the user's columns times `rotation`.
    """

    columns: Columns
    weight: float
    root: np.ndarray
    X: object = None
    outer: Columns | None = None
    rotation: np.ndarray | None = None

    def inverse(self):
        inner = self.root @ self.root.T
        return sla.block_diag(1.0 / self.weight, inner) if self.columns.intercept else inner

    def sandwich(self, meat):
        inverse = self.inverse()
        return inverse @ meat @ inverse

    def leverages(self):
        """``c_r' inverse c_r`` of every row."""
        inner = Columns(False, self.columns.centre, self.columns.scale)
        out = np.empty(self.X.shape[0])
        for begin in range(0, len(out), _ROWS_AT_ONCE):
            part = slice(begin, begin + _ROWS_AT_ONCE)
            block = inner.of_rows(_dense(self.X[part])) @ self.root
            out[part] = np.einsum("ij,ij->i", block, block)
        return out + 1.0 / self.weight if self.columns.intercept else out

    def with_rows(self, X):
        return replace(self, X=X)

    def to_original(self, covariance):
        """Covariance of (intercept, coefficients) of the user's columns, and the standard errors."""
        return (self.outer or self.columns).to_original(covariance, self.rotation)


def bread(statistics, intercept, names, X=None, w=None, *, subject):
    """The bread from the statistics of rows, and from the rows themselves where these are at hand and needed.

    Parameters
    ----------
    statistics : FoldStatistics
        Of the rows X under weights w.
    intercept : bool
    names : sequence of str
        Of the features.
    X : array or sparse matrix of shape (n, p), optional
    w : array of shape (n,), optional
    subject : str
        The model, for messages.

    Raises
    ------
    ValueError
        Where columns are linear combinations of others: by name.

    Warns
    -----
    LossOfPrecisionWarning
        Where the rows are needed for eight digits, and are not given.
    """
    columns = Columns.of(statistics, intercept)
    p = statistics.n_features
    active = statistics.spread()[:p] > 0.0 if intercept else statistics.moments(False)[0].diagonal()[:p] > 0.0
    if not active.all():
        raise _no_inverse(subject, names, ~active, "constant" if intercept else "zero")
    moment = columns.moment(statistics)
    a = int(intercept)
    factor = Factor.of(moment[a:, a:], active)
    if X is not None and not factor.condition <= _EIGHT_DIGITS:
        return _orthonormal(Bread(columns, statistics.weight, _root_of_rows(columns, X, w, names, subject), X))
    if not factor.condition <= _FOUR_DIGITS:
        left = np.abs(_gram_root(moment[a:, a:]).diagonal())
        raise _no_inverse(subject, names, left <= max(_DEPENDENT_IN_GRAM, left.min()), "dependent")
    if factor.condition > _EIGHT_DIGITS:
        warnings.warn(
            f"{subject}: columns are nearly linear combinations of others (condition number "
            f"{factor.condition:.1g}), standard errors from sums alone have fewer than eight digits; for all of them "
            "call inference(X, y).",
            LossOfPrecisionWarning,
            stacklevel=4,
        )
    return Bread(columns, statistics.weight, factor.inverse_root(), X)


def _orthonormal(bread):
    """The same bread in a basis in which it is the identity: no product with it can then lose digits.

    Sparse rows stay as they are: the basis would be dense.
    """
    if sparse.issparse(bread.X):
        return bread
    p = len(bread.root)
    inner = Columns(False, bread.columns.centre, bread.columns.scale)
    basis = np.empty(bread.X.shape)
    for begin in range(0, len(basis), _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        basis[part] = inner.of_rows(bread.X[part]) @ bread.root
    columns = Columns(bread.columns.intercept, np.zeros(p), np.ones(p))
    return Bread(columns, bread.weight, np.eye(p), basis, bread.columns, bread.root)


def _root_of_rows(columns, X, w, names, subject):
    """Root of the inverse by a QR decomposition of the rows, block after block: the condition number is not squared."""
    without_ones = Columns(False, columns.centre, columns.scale)
    upper = np.zeros((0, len(columns.scale)))
    for begin in range(0, X.shape[0], _ROWS_AT_ONCE):
        block = without_ones.of_rows(_dense(X[begin : begin + _ROWS_AT_ONCE]))
        if w is not None:
            block *= np.sqrt(w[begin : begin + _ROWS_AT_ONCE])[:, None]
        upper = np.linalg.qr(np.vstack([upper, block]), mode="r")
    norm = np.sqrt((upper * upper).sum(axis=0))
    dependent = _dependent(upper / norm, _DEPENDENT)
    if dependent.any():
        raise _no_inverse(subject, names, dependent, "dependent")
    return sla.solve_triangular(upper / norm, np.eye(len(norm))) / norm[:, None]


def _dense(rows):
    return rows.toarray() if sparse.issparse(rows) else rows


def _gram_root(gram):
    """Upper triangular R with R'R the Gram matrix of unit columns, zero rows where a pivot is lost in rounding."""
    d = 1.0 / np.sqrt(gram.diagonal())
    left = gram * np.multiply.outer(d, d)
    upper = np.zeros_like(left)
    for j in range(len(left)):
        if left[j, j] > 1e-14:
            upper[j, j:] = left[j, j:] / np.sqrt(left[j, j])
            left[j:, j:] -= np.multiply.outer(upper[j, j:], upper[j, j:])
    return upper


def _dependent(upper, least):
    """Which columns have nothing left of them without those before; fewer rows than columns leave the last so."""
    diagonal = np.zeros(upper.shape[1])
    diagonal[: len(upper.diagonal())] = np.abs(upper.diagonal())
    return diagonal <= least


def _no_inverse(subject, names, which, how):
    named = [name for name, at in zip(names, which, strict=True) if at]
    shown = ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")
    reason = {
        "constant": f"columns without spread, which the intercept stands for already: {shown}",
        "zero": f"columns of zeros: {shown}",
        "dependent": f"columns that are linear combinations of those before them: {shown}",
    }[how]
    return ValueError(
        f"{subject}: got {reason}. Their coefficients are not determined by the data and have no standard errors; "
        "expected columns of full rank; leave these out and fit again."
    )
