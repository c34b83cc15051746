"""daal4py (oneDAL) explaining LightGBM's trees after its conversion."""

from collections.abc import Mapping
from typing import Any

import daal4py
from lightgbm import LGBMRegressor

from benchmarks.explained import Explained
from benchmarks.libraries.lightgbm import trees
from benchmarks.machine import THREADS

daal4py.daalinit(THREADS)


def explained(settings: Mapping[str, Any]):
    def explainer_of(model: LGBMRegressor):
        converted = daal4py.mb.convert_model(model.booster_)
        return lambda X: converted.predict(X, pred_contribs=True)

    return Explained(LGBMRegressor(**trees(settings)), explainer_of)


MODELS = {"explained_regressor": explained}
