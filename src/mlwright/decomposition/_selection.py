"""How many components to keep, and what those left out amount to."""

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition._pca import _infer_dimension


@dataclass(frozen=True)
class Spectrum:
    """Singular values of centred rows.

    Attributes
    ----------
    values : array of shape (r,)
        Falling.
    vectors : array of shape (r, p)
    mean : array of shape (p,)
    weight : float
        Of the rows.
    n_rows : int
    total : float or None
        Sum of squares of all singular values where `values` are the leading ones only; None where they are all.
    """

    values: np.ndarray
    vectors: np.ndarray
    mean: np.ndarray
    weight: float
    n_rows: int
    total: float | None

    @property
    def most(self):
        return min(self.n_rows, self.vectors.shape[1])

    def variances(self):
        """Of the components, and of all of them together."""
        freedom = self.weight - 1.0
        with np.errstate(over="ignore"):
            variance = self.values**2 / freedom
        return variance, variance.sum() if self.total is None else self.total / freedom

    def count(self, wanted, solver):
        """The number of components that `wanted` means."""
        if self.total is not None:
            return len(self.values)
        variance, total = self.variances()
        if wanted is None:
            return self.most
        if isinstance(wanted, str):
            if self.n_rows < self.vectors.shape[1]:
                raise ValueError("n_components='mle' is only supported if n_samples >= n_features")
            return int(_infer_dimension(variance, self.n_rows))
        if not 0 <= wanted <= self.most:
            raise ValueError(
                f"n_components={wanted} must be between 0 and min(n_samples, n_features)={self.most} with "
                f"svd_solver='{solver}'"
            )
        if 0 < wanted < 1.0:
            return min(int(np.searchsorted(np.cumsum(variance / total), wanted, side="right")) + 1, self.most)
        return int(wanted)

    def noise(self, k):
        """Mean variance of the components beyond the first k."""
        if k >= self.most:
            return 0.0
        variance, total = self.variances()
        if self.total is None:
            return variance[k:].mean()
        return max(total - variance.sum(), 0.0) / (self.most - k)
