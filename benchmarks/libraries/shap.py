"""shap explaining LightGBM's trees with its C extension; one thread, for it has no other."""

from collections.abc import Mapping
from typing import Any

import shap
from lightgbm import LGBMRegressor

from benchmarks.explained import Explained
from benchmarks.libraries.lightgbm import trees


def explained(settings: Mapping[str, Any]):
    """Its own loop: by default it would hand LightGBM's models to LightGBM, which has a row of its own."""

    def explainer_of(model: LGBMRegressor):
        explainer = shap.TreeExplainer(model)
        explainer.model.model_type = "internal"
        return lambda X: explainer.shap_values(X, check_additivity=False)

    return Explained(LGBMRegressor(**trees(settings)), explainer_of)


MODELS = {"explained_regressor": explained}
