"""What approximate leave-one-out misses: by how much rows move that change which coefficients are zero, to first order.

A Newton step away from row i on the support, ``D_i = H^-1 z_i a_i + w_i d``, knows nothing of a coefficient j that it
takes through zero, nor of a zero coefficient whose slope ``g_j`` it takes beyond the bound l of the L1 penalty. With
H_i the Hessian without the row, the minimiser along that one coefficient moves the row's scores by

    leaving: ``-(b_j + D_ij) z_i' H_i^-1 e_j / (H_i^-1)_jj``,    joining: ``-sign(g_j) (|g_j| - l) q_ij / s_ij``

where q is the column j at the row, less what the support explains of it, and s its Schur complement, both without the
row. All of these without the row come from those of all rows, by the rank-k update of Woodbury.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

_ROWS_AT_ONCE = 2048
_COLUMNS_AT_ONCE = 512
_LEAST = 1e-8  # of a column's square, that a Schur complement is taken to have


@dataclass(frozen=True)
class Slopes:
    """Of the coefficients that are zero.

    Attributes
    ----------
    zero : bool array of shape (k, p)
        Which those are.
    limit : array of shape (n,)
        What a slope may have without row i.
    l2 : float
        Second derivative of the penalty.
    positive : bool
        Coefficients may not be negative.
    """

    zero: np.ndarray
    limit: np.ndarray
    l2: float
    positive: bool = False


@dataclass(frozen=True)
class Steps:
    """Newton steps away from each row, of k sets of coefficients, on a support of S.

    Attributes
    ----------
    X : array or CSR matrix of shape (n, p)
    centred : bool
        There is an intercept.
    columns : callable
        From dense rows (m, p') of the columns `used` to their columns of the Hessian (m, s).
    used : int array of shape (p',)
    mask : bool array of shape (k, s)
        The columns that each set has on the support.
    root : array of shape (S, r)
        ``root root'`` is the inverse of the Hessian.
    coef : array of shape (S,)
        In those columns, set after set; infinite where none is L1-penalised.
    gradient : array of shape (n, k)
        Of the loss in the scores, times the weights of rows.
    bend : array of shape (n, k, k)
        Second derivatives, the same.
    pull : array of shape (n, k)
        a above.
    drift : array of shape (S,), or None
        d above.
    w : array of shape (n,), or None
    """

    X: object
    centred: bool
    columns: object
    used: np.ndarray
    mask: np.ndarray
    root: np.ndarray
    coef: np.ndarray
    gradient: np.ndarray
    bend: np.ndarray
    pull: np.ndarray
    drift: np.ndarray | None = None
    w: np.ndarray | None = None

    def missed(self, slopes):
        """How far (n,) the rows' scores are off for the changes of the support, all added up."""
        out = np.zeros(len(self.pull))
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            for part in self._parts():
                _Block(self, part).leaving(out[part])
            for a, zero in enumerate(slopes.zero):
                at = np.flatnonzero(zero)
                for begin in range(0, len(at), _COLUMNS_AT_ONCE):
                    self._joining(a, at[begin : begin + _COLUMNS_AT_ONCE], slopes, out)
        return np.nan_to_num(out, posinf=0.0)

    def _joining(self, a, at, slopes, out):
        centre = self._centre(at)
        cross, square, slope = np.zeros((len(self.root), len(at))), np.full(len(at), slopes.l2), np.zeros(len(at))
        for part in self._parts():
            x, z = self._rest(part, at, centre), self.support(part)
            slope += self.gradient[part, a] @ x
            square += self.bend[part, a, a] @ (x * x)
            cross += np.vstack([z[:, own].T @ (self.bend[part, b, a, None] * x) for b, own in enumerate(self.mask)])
        column = _Columns(a, cross, self.root.T @ cross, square, slope)
        for part in self._parts():
            _Block(self, part).joining(column, self._rest(part, at, centre), slopes, out[part])

    def _parts(self):
        return [slice(begin, begin + _ROWS_AT_ONCE) for begin in range(0, len(self.pull), _ROWS_AT_ONCE)]

    def support(self, part):
        return self.columns(_dense(self.X[part][:, self.used]))

    def _centre(self, at):
        w = np.ones(len(self.pull)) if self.w is None else self.w
        return np.asarray(w @ self.X[:, at]) / w.sum() if self.centred else np.zeros(len(at))

    def _rest(self, part, at, centre):
        return _dense(self.X[part][:, at]) - centre


@dataclass(frozen=True)
class _Columns:
    """Zero coefficients of set a: second derivatives with the support, those turned by the root, their own; slopes."""

    a: int
    cross: np.ndarray
    turned: np.ndarray
    square: np.ndarray
    slope: np.ndarray


class _Block:
    """Some rows: their columns turned by the root, their steps, and what takes a row out of an inverse."""

    def __init__(self, steps, part):
        self.steps, self.pull = steps, steps.pull[part]
        z, ends = steps.support(part), np.concatenate([[0], np.cumsum(steps.mask.sum(axis=1))])
        each = [z[:, own] @ steps.root[ends[a] : ends[a + 1]] for a, own in enumerate(steps.mask)]
        self.turned = np.stack(each, axis=1)
        bend, reach = steps.bend[part], self.turned @ self.turned.transpose(0, 2, 1)
        self.without = np.linalg.inv(np.eye(reach.shape[1]) - reach @ bend)
        self.taken = bend @ self.without
        self.delta = np.einsum("mk,mkr->mr", self.pull, self.turned) @ steps.root.T
        if steps.drift is not None:
            weight = np.ones(len(z)) if steps.w is None else steps.w[part]
            self.delta += np.multiply.outer(weight, steps.drift)
        self.part = part

    def leaving(self, out):
        root, after = self.steps.root, self.steps.coef + self.delta
        row, j = np.nonzero(after * np.sign(self.steps.coef) < 0.0)
        u = np.einsum("ckr,cr->ck", self.turned[row], root[j])
        own = (root * root).sum(axis=1)[j] + self._square(row, u)
        self._add(row, -after[row, j] / own, u, out)

    def joining(self, column, x, slopes, out):
        slope = column.slope + self.delta @ column.cross - x * self.pull[:, column.a, None]
        size = -slope if slopes.positive else np.abs(slope)
        excess = size - slopes.limit[self.part, None]
        row, j = np.nonzero(excess > 0.0)
        q = -np.einsum("ckr,rc->ck", self.turned[row], column.turned[:, j])
        q[:, column.a] += x[row, j]
        schur = (column.square - (column.turned**2).sum(axis=0))[j] - self._square(row, q)
        schur = np.maximum(schur, _LEAST * column.square[j])
        self._add(row, -np.sign(slope[row, j]) * excess[row, j] / schur, q, out)

    def _square(self, row, u):
        return np.einsum("ca,cab,cb->c", u, self.taken[row], u)

    def _add(self, row, change, u, out):
        effect = np.einsum("cab,cb->ca", self.without[row], u)
        np.add.at(out, row, np.abs(change) * np.abs(effect).max(axis=1, initial=0.0))


def most_doubtful(moved, missed, count):
    """Rows (at most `count`) whose approximation is to be doubted most.

    Half by how far they moved, the others by what a change of the support makes their approximation miss.
    """
    by_move = np.argsort(-moved, kind="stable")
    by_miss = np.argsort(-missed, kind="stable")[: np.count_nonzero(missed > 0.0)]
    chosen = dict.fromkeys([*by_move[: count // 2], *by_miss])
    return list(dict.fromkeys([*list(chosen)[:count], *by_move]))[:count]


def _dense(rows):
    return np.asarray(rows.toarray() if sparse.issparse(rows) else rows, dtype=np.float64)
