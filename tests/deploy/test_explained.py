"""Imported models are explained like own ones."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from mlwright import deploy
from mlwright.explain import TreeExplainer

MODELS = Path(__file__).parent / "models"


@pytest.mark.parametrize(
    "name", ["lgb-binary-categories.txt", "lgb-binary-zero-missing.txt", "lgb-multiclass.txt", "xgb-categories.ubj"]
)
def test_shap_values_add_up_to_the_sums(name):
    with np.load(MODELS / f"{name}.npz") as arrays:
        X = arrays["X"]
    model = deploy.from_file(MODELS / name)
    explained = TreeExplainer(model)(X)
    raw = model.predict_raw(X)
    total = explained.values.sum(axis=1) + explained.base_values
    tolerance = 1e-9 if raw.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(total.reshape(raw.shape), raw, rtol=tolerance, atol=tolerance)


def test_categories_are_looked_up():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(200), rng.integers(0, 6, 200) * 10.0])
    y = X[:, 0] + (X[:, 1] == 30)
    source = HistGradientBoostingRegressor(max_iter=5, categorical_features=[1], min_samples_leaf=5).fit(X, y)
    model = deploy.from_model(source)
    explained = TreeExplainer(model)(X)
    total = explained.values.sum(axis=1) + explained.base_values
    np.testing.assert_allclose(total.reshape(len(X)), source.predict(X), rtol=1e-9, atol=1e-9)
