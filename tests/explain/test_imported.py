"""Imported models: values add up to the source's raw scores, whatever its rules of splits, missing values and sums."""

from pathlib import Path

import numpy as np
import pytest

from mlwright import deploy
from mlwright.explain import TreeExplainer, draw_tree, feature_importances

MODELS = Path(__file__).parents[1] / "deploy" / "models"
OTHERS = ("refused", "table")  # the latter reads pandas tables; tests/deploy explains it
SUPPORTED = sorted(f for f in MODELS.iterdir() if f.suffix != ".npz" and not any(word in f.name for word in OTHERS))


@pytest.mark.parametrize("path", SUPPORTED, ids=lambda path: path.name)
def test_values_add_up(path):
    model = deploy.from_file(path)
    with np.load(path.with_name(path.name + ".npz")) as arrays:
        X = arrays["X"][:40]
    raw = model.predict_raw(X).reshape(len(X), -1)
    tolerance = 1e-9 if model._forest().sum_dtype == "float64" else 1e-5
    for background in (None, X[:10]):
        explainer = TreeExplainer(model, background)
        values = explainer.shap_values(X).reshape(len(X), model.n_features_in_, -1)
        total = values.sum(axis=1) + explainer.expected_value
        np.testing.assert_allclose(total, raw, rtol=tolerance, atol=tolerance * np.abs(raw).max())
    if model.n_trees_:
        assert draw_tree(model, -1).svg.endswith("</svg>")
    assert feature_importances(model, "split", normalize=False).sum() == (model._forest().trees["feature"] >= 0).sum()
