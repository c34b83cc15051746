"""What scale-invariant models divide columns and y by: their standard deviations, or roots of mean squares without an
intercept; one for what is constant."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Scales:
    """Of columns, shape (p,), and of y."""

    x: np.ndarray
    y: float

    @property
    def of_coef(self):
        """A coefficient of the columns as they are is one of the divided columns times this."""
        return self.y / self.x

    @classmethod
    def ones(cls, p):
        return cls(np.ones(p), 1.0)

    @classmethod
    def of_problem(cls, problem, weight):
        squares = np.where(problem.active, problem.gram.diagonal(), 0.0)
        return cls(
            _root(squares, weight, problem.x_scale), float(_root(problem.square[:1], weight, problem.y_scale[0])[0])
        )

    @classmethod
    def of_rows(cls, rows, x_mean, y_mean):
        """Of dense rows, in pieces of columns."""
        w = np.ones(len(rows.y)) if rows.w is None else rows.w
        y = rows.y[:, 0] - y_mean[0]
        squares = np.empty(len(x_mean))
        for begin in range(0, len(x_mean), 256):
            piece = slice(begin, begin + 256)
            squares[piece] = w @ np.square(rows.X[:, piece] - x_mean[piece])
        return cls(_root(squares, w.sum(), 1.0), float(_root(np.array([w @ (y * y)]), w.sum(), 1.0)[0]))


def _root(squares, weight, scale):
    return np.where(squares > 0.0, np.sqrt(squares / weight) / scale, 1.0)
