"""Values equal to those of LightGBM, XGBoost and shap for their own trees; ``peers/make.py`` wrote them down."""

from pathlib import Path

import numpy as np
import pytest

from mlwright._kernels.forest import Forest
from mlwright.explain import TreeExplainer


@pytest.fixture(scope="module")
def peers():
    with np.load(Path(__file__).with_name("peers") / "peers.npz") as file:
        return dict(file)


def forest_of(peers, name, n_outputs=1, start=0.0, **rules):
    prefix = f"{name}.trees."
    trees = {key.removeprefix(prefix): value for key, value in peers.items() if key.startswith(prefix)}
    return Forest(trees, np.full(n_outputs, start), peers[f"{name}.rows"].shape[1], **rules)


@pytest.mark.parametrize("name", ["categories", "numbers"])
def test_lightgbm(peers, name):
    explainer = TreeExplainer(forest_of(peers, name))
    want = peers[f"{name}.values"]
    np.testing.assert_allclose(explainer.shap_values(peers[f"{name}.rows"]), want[:, :-1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(explainer.expected_value, want[0, -1], rtol=1e-9)


def test_lightgbm_of_several_classes(peers):
    explainer = TreeExplainer(forest_of(peers, "classes", n_outputs=3))
    rows = peers["classes.rows"]
    want = peers["classes.values"].reshape(len(rows), 3, -1).transpose(0, 2, 1)
    np.testing.assert_allclose(explainer.shap_values(rows), want[:, :-1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(explainer.expected_value, want[0, -1], rtol=1e-9)


def test_shap_path_dependent(peers):
    explainer = TreeExplainer(forest_of(peers, "numbers"))
    rows = peers["numbers.rows"]
    np.testing.assert_allclose(explainer.shap_values(rows), peers["numbers.shap_values"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(explainer.expected_value, peers["numbers.shap_base"], rtol=1e-9)
    pairs = explainer.shap_interaction_values(rows)
    np.testing.assert_allclose(pairs, peers["numbers.interactions"], rtol=1e-6, atol=1e-9)


def test_shap_interventional(peers):
    explainer = TreeExplainer(forest_of(peers, "numbers"), peers["numbers.background"])
    got = explainer.shap_values(peers["numbers.rows"])
    np.testing.assert_allclose(got, peers["numbers.interventional"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(explainer.expected_value, peers["numbers.interventional_base"], rtol=1e-6)


def test_xgboost_up_to_its_float32_sums(peers):
    explainer = TreeExplainer(forest_of(peers, "float32", start=0.5, input_dtype="float32", sum_dtype="float32"))
    rows, want = peers["float32.rows"], peers["float32.values"]
    np.testing.assert_allclose(explainer.shap_values(rows), want[:, :-1], atol=2e-6)
    np.testing.assert_allclose(explainer.expected_value, want[0, -1], atol=2e-6)
    pairs = explainer.shap_interaction_values(rows)
    np.testing.assert_allclose(pairs, peers["float32.interactions"][:, :-1, :-1], atol=5e-6)
