"""Inference of logistic regression: of two classes as a binomial model, of more as differences from the first."""

import numpy as np
from sklearn.utils.validation import column_or_1d

from mlwright.base import as_fitted
from mlwright.linear_model._glm._families import law_of
from mlwright.linear_model._glm._inference import GlmInferenceMixin
from mlwright.linear_model._inference import multinomial


class LogisticInferenceMixin(GlmInferenceMixin):
    """``inference`` and what goes with it for ``LogisticRegression``."""

    _rows_come_with = ("offset",)
    _without_penalty = "C=np.inf"

    def _law(self):
        return law_of("binomial", "logit")

    def _penalised(self):
        return as_fitted(self, "penalty") is not None and not np.isinf(as_fitted(self, "C"))

    def _refuse_inference(self):
        super()._refuse_inference()
        if as_fitted(self, "class_weight") is not None:
            raise ValueError(
                "LogisticRegression: class_weight changes what is estimated, and its weights are no frequencies; "
                "expected class_weight=None."
            )

    def _targets(self, y):
        """Numbers of classes."""
        y = column_or_1d(y)
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            known = " or ".join(map(repr, self.classes_[:10]))
            raise ValueError(
                f"y: row {int(np.argmax(unknown))} is {y[unknown][0]!r}, expected {known}, the classes that the model "
                "was fitted on."
            )
        return np.searchsorted(self.classes_, y).astype(np.float64)

    def _scores_for(self, X, offset=None):
        return self._as_scores(self._scores_at(X, offset))

    def _infer_rows(self, rows, kind, use_t, check=True):
        if len(self.classes_) == 2:
            return super()._infer_rows(rows, kind, use_t, check)
        return multinomial.infer(self, rows, kind, use_t, check=check)

    def _names_and_params(self):
        if len(self.classes_) == 2:
            return super()._names_and_params()
        return multinomial.names_and_params(self)
