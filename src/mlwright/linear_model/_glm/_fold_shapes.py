"""What the folds of LogisticRegressionCV gave, in scikit-learn's shapes: those until 1.9, or those since."""

import numpy as np

from mlwright.io.composite import Record
from mlwright.io.schema import Choice

#: Which shapes a fit was asked for.
SHAPES = Record(legacy=Choice(True, False), ratios=Choice(True, False))


class FoldShapes:
    """Attributes made of ``_fold_scores``, ``_fold_steps``, ``_fold_paths``, ``_best_C`` and ``_best_l1_ratio``."""

    @property
    def _legacy(self):
        return self._shapes["legacy"] if "_shapes" in vars(self) else self.use_legacy_attributes

    @property
    def _squeezes(self):
        ratios = self._shapes["ratios"] if "_shapes" in vars(self) else self.l1_ratios is not None
        return self._legacy and not ratios

    @property
    def _keys(self):
        return self.classes_[1:] if len(self.classes_) == 2 else self.classes_

    @property
    def C_(self):
        return np.full(len(self._keys), self._best_C) if self._legacy else self._best_C

    @property
    def l1_ratio_(self):
        return np.full(len(self._keys), self._best_l1_ratio) if self._legacy else self._best_l1_ratio

    @property
    def scores_(self):
        if not self._legacy:
            return self._fold_scores.swapaxes(1, 2)
        scores = self._fold_scores[:, :, 0] if self._squeezes else self._fold_scores
        return {key: scores.copy() for key in self._keys}

    @property
    def coefs_paths_(self):
        if not self._legacy:
            return self._fold_paths.swapaxes(1, 2)
        paths = self._fold_paths[:, :, 0] if self._squeezes else self._fold_paths
        return {key: paths[..., k, :] for k, key in enumerate(self._keys)}

    @property
    def n_iter_(self):
        if not self._legacy:
            return self._fold_steps.swapaxes(1, 2)
        return (self._fold_steps[:, :, 0] if self._squeezes else self._fold_steps)[None]
