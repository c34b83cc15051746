"""Halving a step until it keeps a part of what was expected of it (Armijo's rule)."""

_ARMIJO, _HALVINGS = 1e-4, 40


class LineSearch:
    """What a minimisation inherits that keeps its point as `b`, `b0` and `objective`, and counts in `n_iter`.

    It has `_evaluate`, `_move_to`, `penalty` and `_noise`, which is what rounding makes of the objective.
    """

    def _step(self, d, d0, expected):
        """Move by the first of the halved steps that lowers the objective enough; False if none does."""
        t = 1.0
        for _ in range(_HALVINGS):
            b, b0 = self.b + t * d, self.b0 + t * d0
            evaluated = self._evaluate(b, b0)
            if evaluated[0] + self.penalty(b) <= self.objective + _ARMIJO * t * expected + self._noise:
                self._move_to(b, b0, evaluated)
                self.n_iter += 1
                return True
            t *= 0.5
        return False
