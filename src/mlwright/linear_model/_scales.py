"""What scale-invariant models divide columns and y by: their standard deviations, or roots of mean squares without an
intercept; one for what is constant."""

from dataclasses import dataclass

import numpy as np

_ROUNDING = 64 * float(np.finfo(np.float64).eps)  # of a mean, that constant values may seem to differ from it by
_LARGEST = 1e153
_LEAST = 1e-153


@dataclass(frozen=True, slots=True)
class Scales:
    """Of columns, shape (p,), and of y."""

    x: np.ndarray
    y: float

    @property
    def of_coef(self):
        """A coefficient of the columns as they are is one of the divided columns times this."""
        with np.errstate(over="ignore"):
            ratio = self.y / self.x
        if not np.isfinite(ratio).all():
            raise FloatingPointError("coefficients overflow float64; expected y / X within 1e300; rescale X or y.")
        return ratio

    @classmethod
    def ones(cls, p):
        return cls(np.ones(p), 1.0)

    @classmethod
    def of_problem(cls, problem, weight, divides=True):
        """Ones where the model does not divide; FloatingPointError where squares of y overflow, or vanish there."""
        squares = np.where(problem.active, problem.gram.diagonal(), 0.0)
        y = float(_root(problem.square[:1], weight, problem.y_scale[0])[0])
        own = cls(_root(squares, weight, problem.x_scale), _usable(y, divides))
        return own if divides else cls.ones(len(own.x))

    @classmethod
    def of_rows(cls, rows, x_mean, y_mean, divides=True):
        """The same of rows, in pieces of columns."""
        w = np.ones(len(rows.y)) if rows.w is None else rows.w
        y = _usable(float(_deviations((rows.y - y_mean)[:, :1], w, y_mean[:1])[0]), divides)
        if not divides:
            return cls.ones(len(x_mean))
        x, X = np.empty(len(x_mean)), rows.X.tocsc() if rows.is_sparse else rows.X
        for begin in range(0, len(x_mean), 256):
            piece = slice(begin, begin + 256)
            columns = X[:, piece].toarray() if rows.is_sparse else X[:, piece]
            centred = np.subtract(columns, x_mean[piece], order="C")  # sums do not depend on the layout of X
            x[piece] = _deviations(centred, w, x_mean[piece])
        return cls(x, y)


def _deviations(centred, w, mean):
    """Of columns about their means, whatever their magnitude; one for what is constant but for rounding."""
    unit = np.ldexp(1.0, np.frexp(np.abs(centred).max(axis=0))[1])  # a power of two: no bit changes
    deviations = unit * np.sqrt((w @ np.square(centred / unit)) / w.sum())
    return np.where(deviations > _ROUNDING * np.abs(mean), deviations, 1.0)


def _usable(y, divides):
    if not y < _LARGEST:
        raise FloatingPointError(
            f"y: its standard deviation is {y:g}, whose square overflows float64; expected less than {_LARGEST:g}; "
            "divide y by a constant"
        )
    if divides and not y > _LEAST:
        raise FloatingPointError(
            f"y: its standard deviation is {y:g}, whose square vanishes in float64; expected more than {_LEAST:g}; "
            "multiply y by a constant"
        )
    return y


def _root(squares, weight, scale):
    return np.where(squares > 0.0, np.sqrt(squares / weight) / scale, 1.0)
