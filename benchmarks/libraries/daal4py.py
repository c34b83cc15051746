"""daal4py (oneDAL) predicting and explaining by LightGBM's trees after its conversion."""

from collections.abc import Mapping
from typing import Any

import daal4py
from lightgbm import LGBMRegressor

from benchmarks.explained import Explained
from benchmarks.libraries.lightgbm import trees
from benchmarks.libraries.lightgbm_source import importer
from benchmarks.machine import THREADS

daal4py.daalinit(THREADS)


def explained(settings: Mapping[str, Any]):
    def explainer_of(model: LGBMRegressor):
        converted = daal4py.mb.convert_model(model.booster_)
        return lambda X: converted.predict(X, pred_contribs=True)

    return Explained(LGBMRegressor(**trees(settings)), explainer_of)


def built_predict(model: LGBMRegressor, n_features: int):
    """The converted model's own predict; float32, which it takes without a copy."""
    converted = daal4py.mb.convert_model(model.booster_)
    return lambda X: converted.predict(X).ravel()


MODELS = {"explained_regressor": explained, "imported_regressor": importer(built_predict)}
