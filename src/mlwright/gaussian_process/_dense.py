"""The covariance matrix itself: any kernel, O(n^3) time and one matrix of memory.

Native code fills the matrix and reduces the gradient, so that nothing of size n x n x n_parameters exists. Kernels that
it does not know are called as they are.
"""

import numpy as np

from mlwright._kernels.gp import covariance, covariance_gradient
from mlwright.gaussian_process._covariances import between, own_variances
from mlwright.gaussian_process._factors import factorise, half_log_det, inverse, products, solve, whiten
from mlwright.gaussian_process._failures import least_likelihood, not_positive_definite
from mlwright.gaussian_process._rows import log_density

_NUMBERS_AT_ONCE = 1 << 24  # of covariances between new rows and old ones: 128 MiB


class DenseSolver:
    """See :mod:`mlwright.gaussian_process._solvers` for what a solver offers."""

    def __init__(self, observed, settings=None):
        self.observed = observed

    @staticmethod
    def fits(observed, kernel):
        return True

    def likelihood(self, kernel, gradient=False):
        known = self.observed.program(kernel)
        K, slopes = self._matrix(kernel, known, gradient)
        upper = factorise(K)
        if upper is None:
            return least_likelihood(kernel, gradient)
        y = self.observed.y
        weights = solve(upper, y)
        value = log_density(y, weights, half_log_det(upper))
        if not gradient:
            return value
        precision = inverse(upper)
        if known is not None:
            return value, covariance_gradient(known.program, self.observed.X, precision, weights)[known.free]
        inner = weights @ weights.T - weights.shape[1] * (np.triu(precision) + np.triu(precision, 1).T)
        return value, 0.5 * np.einsum("ij,ijk->k", inner, slopes)

    def _matrix(self, kernel, known, gradient=False):
        """K, of which the upper triangle counts, and the derivatives that a kernel of the user's gives."""
        X, noise = self.observed.X, self.observed.noise
        if known is not None:
            return covariance(known.program, X, noise), None
        K, slopes = kernel(X, eval_gradient=True) if gradient else (kernel(X), None)
        K = np.array(K, dtype=np.float64, order="C")
        K[np.diag_indices_from(K)] += noise
        return K, slopes

    def state(self, kernel):
        """Raises LinAlgError where K is not positive definite."""
        upper = factorise(self._matrix(kernel, self.observed.program(kernel))[0])
        if upper is None:
            raise not_positive_definite(kernel)
        return {"_upper": upper, "_weights": solve(upper, self.observed.y)}

    def extended(self, state, n_old, kernel):
        """The state of all observed rows from that of the first n_old: only what is new is factored."""
        X, noise = self.observed.X, self.observed.noise
        old, new = X[:n_old], X[n_old:]
        upper = np.zeros((len(X), len(X)))
        upper[:n_old, :n_old] = state["_upper"]
        upper[:n_old, n_old:] = whiten(state["_upper"], between(kernel, old, new))
        rest = between(kernel, new, new, same=True) + np.diag(noise[n_old:])
        corner = factorise(rest - products(upper[:n_old, n_old:]))
        if corner is None:
            raise np.linalg.LinAlgError(
                "partial_fit: with the new rows the covariance matrix is not positive definite: they repeat rows that "
                "were seen; expected a larger alpha, or a WhiteKernel in the kernel."
            )
        upper[n_old:, n_old:] = corner
        return {"_upper": upper, "_weights": solve(upper, self.observed.y)}

    def likelihood_of(self, state, kernel):
        return log_density(self.observed.y, state["_weights"], half_log_det(state["_upper"]))

    def left_out(self, state, kernel):
        upper = state["_upper"]
        return state["_weights"], inverse(np.array(upper)).diagonal().copy()

    def predict(self, state, kernel, X, want):
        if want == "covariance":
            mean, V = self._conditional(state, kernel, X, deviation=True)
            return mean, between(kernel, X, X) - products(V)
        step = max(1, _NUMBERS_AT_ONCE // len(self.observed.noise))
        parts = [self._marginals(state, kernel, X[i : i + step], want) for i in range(0, len(X), step)]
        mean = np.concatenate([mean for mean, _ in parts])
        return mean, np.concatenate([variance for _, variance in parts]) if want == "variance" else None

    def _marginals(self, state, kernel, X, want):
        mean, V = self._conditional(state, kernel, X, deviation=want == "variance")
        return mean, None if V is None else own_variances(kernel, X)[0] - np.einsum("ij,ij->j", V, V)

    def _conditional(self, state, kernel, X, deviation):
        K = between(kernel, X, self.observed.X)
        mean = K @ state["_weights"]
        return mean, whiten(state["_upper"], K.T) if deviation else None
