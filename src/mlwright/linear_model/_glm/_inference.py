"""Inference of the estimators here: what they refuse, and the rows that they need."""

import numpy as np

from mlwright._kernels.linalg import as_design
from mlwright._validation import explain_not_finite, rows_for_fit
from mlwright.linear_model._glm._base import scores_of, usable_weights
from mlwright.linear_model._inference.door import InferenceMixin
from mlwright.linear_model._inference.glm import GlmRows, infer


class GlmInferenceMixin(InferenceMixin):
    """A subclass gives ``_law()`` and ``_penalised()``, and may give ``_targets(y)`` and ``_scores_for(X, ...)``."""

    _more_parameters = 0

    def _refuse_inference(self):
        name, law = type(self).__name__, self._law()
        if self._penalised():
            raise ValueError(
                f"{name}: a penalty biases the coefficients on purpose, and they have no standard errors; expected a "
                f"fit without one ({self._without_penalty}); or choose features by the penalty on other rows first."
            )
        if not hasattr(law, "family"):
            raise ValueError(f"{name}: a loss of your own has no likelihood; expected a family by name.")

    def _rows_for_inference(self, X, y, sample_weight, **of_rows):
        rows = rows_for_fit(self, X, self._targets(y), None, reset=False, multi_output=False)
        w = usable_weights(sample_weight, rows.X)
        if not np.isfinite(rows.y).all():
            explain_not_finite(self, rows)
        return GlmRows(rows.X, as_design(rows.X), rows.y, w, self._scores_for(X, **of_rows))

    def _targets(self, y):
        return y

    def _scores_for(self, X):
        return scores_of(self, X)[:, 0]

    def _infer(self, rows, kind, use_t, weights):
        name = type(self).__name__
        if rows is None:
            raise ValueError(
                f"{name}: keeps no sums of its rows; expected inference(X, y) with those it was fitted on."
            )
        if weights != "frequency":
            raise ValueError(f"{name}: weights={weights!r} is for least squares; expected 'frequency'.")
        return infer(self, self._law(), rows, kind, use_t, more_parameters=self._more_parameters)
