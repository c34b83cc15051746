"""The lasso's whole path, knot by knot, from a Gram matrix: between knots coefficients are linear in the penalty.

With active columns A of signs s the optimality conditions of ``b'Gb / 2 - c'b + lam sum_j u_j |b_j|`` give

    b_A(lam) = G_AA^-1 (c_A - lam u_A s_A)

until the correlation of a column outside reaches ``lam u_j``, which joins, or a coefficient reaches zero, which leaves.
Coefficients at a knot are solved for anew from the factor of G_AA, so that nothing drifts along the path.

References
----------
Osborne, Presnell and Turlach (2000), A new approach to variable selection in least squares problems. IMA Journal of
Numerical Analysis 20. Efron, Hastie, Johnstone and Tibshirani (2004), Least angle regression. Annals of Statistics 32.
"""

import numpy as np
from scipy.linalg import cholesky, solve_triangular

_DEPENDENT = 1e-11  # squared sine between a column and the active ones, up to which it adds nothing
_NOISE = 1e-14  # of the largest penalty: correlations that small are rounding
_AT_THE_END = 1e-10  # of lam: events so near to zero are rounding


class Homotopy:
    """Walks down the path.

    Parameters
    ----------
    gram : array of shape (p, p)
    linear : array of shape (p,)
    weight : array of shape (p,)
        Of each coefficient in the penalty; positive.
    positive : bool
        Whether coefficients must not be negative.
    """

    def __init__(self, gram, linear, weight, positive=False):
        self.gram, self.linear, self.weight, self.positive = gram, linear, weight, positive
        self.active, self.signs = [], []
        self.lower = np.empty((0, 0))
        self.usable = gram.diagonal() > 0.0

    def knots(self, most):
        """Penalties (s,), falling, and coefficients (s, p); `most` bounds the number of steps."""
        pull = self._pull(self.linear)
        lam = max(0.0, float(pull.max(initial=0.0)))
        lams, coefs = [lam], [np.zeros(len(self.linear))]
        left = None  # the column that left at the last knot: its correlation is at the edge still
        if lam > 0.0:
            self._join(int(pull.argmax()), self.linear)
        least = _NOISE * lam
        while lam > least and self.active and len(lams) <= most:
            lam, (kind, j) = self._next_knot(lam, left)
            left = j if kind == "leave" else None
            if kind == "leave":
                self._leave(j)
            lams.append(lam)
            coefs.append(self._coef(lam))
            if kind == "join":
                coefs[-1][j] = 0.0
        return np.array(lams), np.array(coefs)

    def _next_knot(self, lam, left):
        """The penalty at which something happens next, and what; a column that joins has done so."""
        while True:
            after, event = self._next(lam, left)
            if event[0] != "join" or self._join(event[1], self.linear - self.gram @ self._coef(after)):
                return after, event

    def _pull(self, correlation):
        """Correlations over weights: of this size the penalty holds a coefficient at zero."""
        pull = correlation if self.positive else np.abs(correlation)
        return np.where(self.usable, pull / self.weight, -np.inf)

    def _solve(self, right):
        return solve_triangular(self.lower, solve_triangular(self.lower, right, lower=True), lower=True, trans=1)

    def _edge(self):
        return self.weight[self.active] * np.array(self.signs)

    def _coef(self, lam):
        b = np.zeros(len(self.linear))
        b[self.active] = self._solve(self.linear[self.active] - lam * self._edge())
        return b

    def _next(self, lam, left):
        """The penalty of the next knot, and what happens there: ("join" or "leave", column), or the end.

        From the minimiser over the active columns, not from the knot before: where they are all but dependent, what
        rounding has left of a column that joined or left is not small in the coefficients.
        """
        b, along = self._coef(lam), np.zeros(len(self.linear))
        along[self.active] = self._solve(self._edge())
        correlation, turn = self.linear - self.gram @ b, self.gram @ along
        best, event = lam * (1.0 - _AT_THE_END), ("end", -1)
        outside = self.usable.copy()
        outside[self.active] = False
        for sign in (1.0,) if self.positive else (1.0, -1.0):
            slack, closing = lam * self.weight - sign * correlation, self.weight - sign * turn
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                length = np.where(outside & (closing > 0.0), np.maximum(slack, 0.0) / closing, np.inf)
            if left is not None and slack[left] <= abs(slack[left] - 2.0 * lam * self.weight[left]):
                length[left] = np.inf  # it has just come from this edge, and moves away
            j = int(length.argmin())
            if length[j] < best:
                best, event = float(length[j]), ("join", j)
        signs = np.zeros(len(b))
        signs[self.active] = self.signs
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            length = np.where(signs * along < 0.0, np.maximum(signs * b, 0.0) / -(signs * along), np.inf)
        j = int(length.argmin())
        if length[j] < best:
            best, event = float(length[j]), ("leave", j)
        return (0.0, event) if event[0] == "end" else (lam - best, event)

    def _join(self, j, correlation):
        """Takes in a column; False where it depends on those that are active, and adds nothing."""
        k = len(self.active)
        row = solve_triangular(self.lower, self.gram[self.active, j], lower=True) if k else np.empty(0)
        rest = self.gram[j, j] - row @ row
        if rest <= _DEPENDENT * self.gram[j, j]:
            self.usable[j] = False
            return False
        grown = np.zeros((k + 1, k + 1))
        grown[:k, :k], grown[k, :k], grown[k, k] = self.lower, row, np.sqrt(rest)
        self.lower = grown
        self.active.append(j)
        self.signs.append(float(np.sign(correlation[j])))
        return True

    def _leave(self, j):
        at = self.active.index(j)
        del self.active[at], self.signs[at]
        self.usable = self.gram.diagonal() > 0.0  # what depended on it may not any more
        self.lower = (
            cholesky(self.gram[np.ix_(self.active, self.active)], lower=True) if self.active else np.empty((0, 0))
        )
