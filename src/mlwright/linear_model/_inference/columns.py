"""The columns of a design, shifted and scaled so that nothing cancels or overflows, and the way back."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg as sla


@dataclass(frozen=True, slots=True)
class Columns:
    """The parameters' columns ``(1, (x - centre) * scale)``, or without the 1 where there is no intercept.

    Attributes
    ----------
    intercept : bool
    centre, scale : arrays of shape (p,)
        Zeros for `centre` where there is no intercept; powers of two for `scale`.
    """

    intercept: bool
    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, statistics, intercept):
        """Centred where there is an intercept, so that the other columns are orthogonal to it."""
        p = statistics.n_features
        _, scale = statistics.moments(intercept)
        return cls(intercept, statistics.mean[:p] if intercept else np.zeros(p), scale[:p])

    def moment(self, statistics):
        """``sum_r w_r c_r c_r'`` over the rows of `statistics`, c these columns; of shape (k, k)."""
        p, weight = statistics.n_features, statistics.weight
        with np.errstate(over="ignore", under="ignore"):
            factor = self.scale / statistics.scale[:p]
            distance = (statistics.mean[:p] - self.centre) * self.scale
            second = statistics.scatter[:p, :p] * np.multiply.outer(factor, factor)
            second += weight * np.multiply.outer(distance, distance)
        if not self.intercept:
            return second
        first = weight * distance
        return np.block([[np.array([[weight]]), first[None, :]], [first[:, None], second]])

    def of_rows(self, X):
        """These columns of dense rows, of shape (m, k)."""
        Z = (np.asarray(X, dtype=np.float64) - self.centre) * self.scale
        return np.hstack([np.ones((len(Z), 1)), Z]) if self.intercept else Z

    def to_original(self, covariance, rotation=None):
        """Covariance of (intercept, coefficients) of the original columns, and the standard errors.

        With a rotation, `covariance` is that of these columns (without the 1) times it.
        """
        a = int(self.intercept)
        if rotation is not None:
            turn = self._turn(rotation)
            covariance = turn @ covariance @ turn.T
        back = self._back()
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            original = back @ covariance @ back.T
            errors = np.sqrt(covariance.diagonal()) * back.diagonal()  # squares of the scale may overflow, these not
            if a:
                errors[0] = np.sqrt(original[0, 0])
        return (original + original.T) / 2, errors

    def several_to_original(self, covariance, rotation=None):
        """As :meth:`to_original` of several sets of coefficients, set after set."""
        k = len(self.scale) + self.intercept
        sets = range(len(covariance) // k)
        back = self._back() if rotation is None else self._back() @ self._turn(rotation)
        out = np.empty_like(covariance)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            for a in sets:
                for b in sets:
                    at = np.s_[a * k : (a + 1) * k, b * k : (b + 1) * k]
                    out[at] = back @ covariance[at] @ back.T
        errors = [self.to_original(covariance[a * k : (a + 1) * k, a * k : (a + 1) * k], rotation)[1] for a in sets]
        return (out + out.T) / 2, np.concatenate(errors)

    def _turn(self, rotation):
        return sla.block_diag(np.eye(1), rotation) if self.intercept else rotation

    def _back(self):
        """The original columns' coefficients in terms of these columns'."""
        a = int(self.intercept)
        back = np.diag(np.concatenate([np.ones(a), self.scale]))
        if a:
            back[0, 1:] = -self.centre * self.scale
        return back
