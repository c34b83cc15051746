"""Approximate leave-one-out of logistic regression: a Newton step away from each row, all from one Hessian.

With g and D the gradient and the Hessian of a row's loss in its scores, z its columns, H the Hessian of the whole
objective over the coefficients that are not zero, and ``h = z' H^-1 z``, the scores without the row are about

    ``eta + h (I - w D h)^-1 w g``

which is exact for a quadratic loss and a support that stays. How good it is for the rows at hand is told by fitting
without those that it moves most, and those that are predicted to change which coefficients are zero.

References
----------
Rahnama Rad and Maleki (2020), A scalable estimate of the out-of-sample prediction error via approximate leave-one-out
cross-validation. Journal of the Royal Statistical Society B 82.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, special

from mlwright._kernels.fold_statistics import FoldStatistics
from mlwright._kernels.linalg import as_design
from mlwright._runtime.lapack import eigh
from mlwright.linear_model._inference.columns import Columns
from mlwright.linear_model._inference.meat import second_moment
from mlwright.linear_model._support_changes import Slopes, Steps, most_doubtful

MOST_PARAMETERS = 4096  # of a Hessian
REFITS = 10
_NULL = 1e-12  # of the largest eigenvalue: directions that move no score, as equal shifts of all classes
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class LeftOut:
    """Scores (n, k) of rows under fits without them, how far rows moved, and the steps that moved them."""

    scores: np.ndarray
    moved: np.ndarray
    steps: Steps


def left_out(fitter, solution, l1, l2):
    """The scores of every row without it, from a fit to all rows.

    Raises
    ------
    ValueError
        Where more than ``MOST_PARAMETERS`` coefficients are not zero.
    """
    rows, w = fitter.rows, fitter.w
    active = solution.coef != 0.0 if l1 > 0 else np.ones(solution.coef.shape, dtype=bool)
    used = np.flatnonzero(active.any(axis=0))
    k = len(solution.coef)
    size = int(active.sum()) + k * fitter.fit_intercept
    if size > MOST_PARAMETERS:
        raise ValueError(
            f"cv='alo': {size} coefficients are not zero and need a Hessian of as many rows, expected at most "
            f"{MOST_PARAMETERS}; raise the penalty, or choose by folds (cv=5)."
        )
    X = rows.X.tocsr() if rows.is_sparse else rows.X
    eta = fitter.with_offset(np.asarray(X @ solution.coef.T) + solution.intercept, slice(None))
    whole, X = X, X if len(used) == X.shape[1] else X[:, used]
    gradient, curvature = _slopes(eta, fitter.codes)
    statistics = FoldStatistics.of_rows(as_design(X), np.empty((len(eta), 0)), w)
    columns = Columns.of(statistics, fitter.fit_intercept)
    mask = np.column_stack([np.ones((k, int(fitter.fit_intercept)), dtype=bool), active[:, used]])
    root = _root(_hessian(X, columns, curvature, w, l2), mask)
    if w is not None:
        gradient, curvature = gradient * w[:, None], curvature * w[:, None, None]
    moved, pull = np.empty_like(eta), np.empty_like(eta)
    for begin in range(0, len(eta), _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        block = X[part].toarray() if sparse.issparse(X) else X[part]
        reach = _reach(columns.of_rows(block), root, mask)
        pull[part] = np.linalg.solve(np.eye(k) - curvature[part] @ reach, gradient[part, :, None])[:, :, 0]
        moved[part] = (reach @ pull[part, :, None])[:, :, 0]
    b = np.hstack([np.full((k, int(fitter.fit_intercept)), np.inf), solution.coef[:, used] / columns.scale])
    steps = Steps(
        whole, fitter.fit_intercept, columns.of_rows, used, mask, root, b[mask], gradient, curvature, pull, w=w
    )
    return LeftOut(eta + moved, moved, steps)


def error_of(fitter, solution, l1, l2, guess, tol, max_iter):
    """The largest difference of approximate scores from those of a fit without the row, over the most doubtful rows."""
    size, missed = np.abs(guess.moved).max(axis=1), np.zeros(len(guess.moved))
    if l1 > 0:
        missed = guess.steps.missed(Slopes(solution.coef == 0.0, np.full(len(size), l1), l2))
    if fitter.w is not None:
        size, missed = np.where(fitter.w > 0.0, size, 0.0), np.where(fitter.w > 0.0, missed, 0.0)
    X = fitter.rows.X.tocsr() if fitter.rows.is_sparse else fitter.rows.X
    problem, worst = fitter.problem(), 0.0
    for row in most_doubtful(size, missed, REFITS):
        w = np.ones(len(size)) if fitter.w is None else fitter.w.copy()
        w[row] = 0.0
        without = replace(fitter, w=w)
        start = (solution.coef, solution.intercept)
        found = without.solve(problem.with_weights(w), l1, l2, start, tol, max_iter)
        exact = fitter.with_offset(np.atleast_2d(X[[row]] @ found.coef.T) + found.intercept, [row])[0]
        difference = guess.scores[row] - exact
        worst = max(worst, float(np.abs(difference - difference.mean() * (len(exact) > 1)).max()))
    return worst


def _slopes(eta, codes):
    """Gradient (n, k) and Hessian (n, k, k) of each row's loss in its scores."""
    if eta.shape[1] == 1:
        p = special.expit(eta)
        return p - codes[:, None], (p * special.expit(-eta))[:, :, None]
    p = special.softmax(eta, axis=1)
    gradient = p.copy()
    gradient[np.arange(len(p)), codes.astype(np.intp)] -= 1.0
    curvature = -p[:, :, None] * p[:, None, :]
    classes = np.arange(p.shape[1])
    curvature[:, classes, classes] += p
    return gradient, curvature


def _hessian(X, columns, curvature, w, l2):
    """Of the whole objective, set of coefficients after set, in the columns."""
    k, size = curvature.shape[1], len(columns.scale) + columns.intercept
    out = np.empty((k, size, k, size))
    for a in range(k):
        for b in range(a, k):
            weight = np.abs(curvature[:, a, b])
            block = second_moment(X, weight if w is None else w * weight, columns)
            out[a, :, b] = out[b, :, a] = block if a == b else -block
    penalty = np.concatenate([np.zeros(int(columns.intercept)), l2 * columns.scale**2])
    return out.reshape(k * size, k * size) + np.diag(np.tile(penalty, k))


def _root(hessian, mask):
    """R with ``R R'`` the inverse over the coefficients of `mask`, without the directions that move no score."""
    at = np.flatnonzero(mask.ravel())
    part = hessian[np.ix_(at, at)]
    diagonal = part.diagonal()
    unit = np.where(diagonal > 0.0, 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0)), 0.0)
    values, vectors = eigh(part * np.multiply.outer(unit, unit))
    keep = values > _NULL * values[-1]
    return vectors[:, keep] / np.sqrt(values[keep]) * unit[:, None]


def _reach(c, root, mask):
    """``z' H^-1 z`` of every row, of shape (m, k, k), from its columns (m, size)."""
    ends = np.concatenate([[0], np.cumsum(mask.sum(axis=1))])
    each = [c[:, mask[a]] @ root[ends[a] : ends[a + 1]] for a in range(len(mask))]
    turned = np.stack(each, axis=1)
    return turned @ turned.transpose(0, 2, 1)
