"""Trees as SVG: well formed, complete, nothing outside or on top of each other, no markup from names."""

from xml.etree import ElementTree

import numpy as np
import pytest

from mlwright._kernels.forest import Forest
from mlwright.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from mlwright.explain import draw_tree
from mlwright.testing.shap import small_forest

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ["<script>alert('1')</script>", "a & b " * 20, "\u9577\u3044\u540d\u524d" * 9]


def boxes(root):
    rects = [group.find(f"{SVG}rect") for group in root.findall(f"{SVG}g")]
    return np.array([[float(rect.get(k)) for k in ("x", "y", "width", "height")] for rect in rects])


def model(max_leaf_nodes=31):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 3))
    return HistGradientBoostingRegressor(max_iter=3, max_leaf_nodes=max_leaf_nodes).fit(X, X[:, 0] * X[:, 1] + X[:, 2])


@pytest.mark.parametrize("max_depth", [None, 0, 2])
def test_boxes_are_apart_and_inside(max_depth):
    root = ElementTree.fromstring(draw_tree(model(), 1, feature_names=NAMES, max_depth=max_depth).svg)
    rects = boxes(root)
    width, height = float(root.get("width")), float(root.get("height"))
    assert (rects[:, :2] >= 0).all()
    assert (rects[:, 0] + rects[:, 2] <= width).all()
    assert (rects[:, 1] + rects[:, 3] <= height).all()
    for i in range(len(rects)):
        for j in range(i):
            apart = np.abs(rects[i, :2] - rects[j, :2]) >= rects[i, 2:]
            assert apart.any(), (rects[i], rects[j])


def test_every_node_is_there_with_its_text_escaped():
    fitted = model()
    begin, end = fitted._trees["offsets"][:2]
    svg = draw_tree(fitted, 0, feature_names=NAMES).svg
    root = ElementTree.fromstring(svg)
    assert len(boxes(root)) == end - begin
    assert "<script" not in svg
    titles = "\n".join(group.find(f"{SVG}title").text for group in root.findall(f"{SVG}g"))
    assert NAMES[0] in titles
    for value in fitted._trees["value"][begin:end][fitted._trees["feature"][begin:end] < 0]:
        assert f"{value:+.4g}" in titles


def test_shallow_pictures_count_what_they_leave_out():
    fitted = model()
    n_leaves = int((fitted._trees["feature"][slice(*fitted._trees["offsets"][:2])] < 0).sum())
    assert f"{n_leaves} leaves below" in draw_tree(fitted, 0, max_depth=0).svg


def test_categories_missing_values_and_vector_leaves():
    rng = np.random.default_rng(4)
    trees = small_forest(rng, 3, 3, 2, max_inner=15)
    forest = Forest(trees, np.zeros(2), 3)
    labels = {j: [f"city {code}" for code in range(200)] for j in range(3)}
    svg = draw_tree(forest, -1, category_names=labels).svg
    ElementTree.fromstring(svg)
    assert " in {" in svg
    assert "city" in svg
    assert "NaN" in svg


@pytest.mark.parametrize("levels", [["low", "mid", "high"], [7.0, 30.0, 500.0]])
def test_levels_that_the_model_keeps_are_named(levels):
    cells = np.repeat(np.array(levels, dtype=object), 60)
    fitted = HistGradientBoostingRegressor(max_iter=1, categorical_features=[0])
    svg = draw_tree(fitted.fit(cells[:, None], np.repeat([1.0, 0.0, 2.0], 60))).svg
    for asked in svg.split(" in {")[1:]:
        assert set(asked.split("}")[0].split(", ")) <= {"low", "mid", "high", "7", "30", "500"}
    assert " in {" in svg


def test_the_output_is_named():
    X = np.random.default_rng(5).normal(size=(90, 2))
    fitted = HistGradientBoostingClassifier(max_iter=2).fit(X, np.digitize(X[:, 0], [-0.5, 0.5]))
    assert "Tree 4 of 6: adds to output 1" in draw_tree(fitted, -2).svg


def test_saved_and_shown(tmp_path):
    picture = draw_tree(model(4))
    picture.save(tmp_path / "tree.svg")
    assert (tmp_path / "tree.svg").read_text(encoding="utf-8") == picture._repr_svg_() == picture.svg


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"index": 3}, IndexError, "got tree 3, expected one of the 3 trees"),
        ({"feature_names": ["a"]}, ValueError, "got 1 names, expected 3"),
        ({"max_depth": -1}, ValueError, "got -1, expected at least 0"),
    ],
)
def test_arguments_that_do_not_fit(arguments, error, message):
    with pytest.raises(error, match=message):
        draw_tree(model(4), **arguments)
