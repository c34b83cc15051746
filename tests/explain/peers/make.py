"""Makes ``peers.npz``: forests of LightGBM and XGBoost as arrays, and what these libraries and shap say of them.

Run in the benchmarks' environment: ``.venv-bench/bin/python tests/explain/peers/make.py``.
"""

import json
from pathlib import Path

import lightgbm
import numpy as np
import shap
import xgboost

NODE = (
    "feature",
    "threshold",
    "left",
    "right",
    "missing_left",
    "value",
    "gain",
    "count",
    "cover",
    "rule",
    "category_set",
)


class Arrays:
    """Nodes of all trees, one after another."""

    def __init__(self):
        self.nodes, self.offsets, self.sets = [], [0], []

    def add(self, **fields):
        defaults = dict.fromkeys(NODE, 0) | {"feature": -1, "left": -1, "right": -1, "category_set": -1}
        self.nodes.append(defaults | fields)
        return len(self.nodes) - 1

    def split(self, left, right, add_below, **fields):
        node, begin = self.add(**fields), self.offsets[-1]
        for side, below in (("left", left), ("right", right)):
            self.nodes[node][side] = len(self.nodes) - begin
            add_below(below)

    def category_set(self, codes):
        words = np.zeros(max(codes) // 32 + 1, dtype=np.uint32)
        for code in codes:
            words[code // 32] |= np.uint32(1 << (code % 32))
        self.sets.append(words)
        return len(self.sets) - 1

    def end_tree(self):
        self.offsets.append(len(self.nodes))

    def dict(self):
        dtypes = {"threshold": "f8", "value": "f8", "gain": "f8", "cover": "f8", "count": "i8"}
        dtypes |= {"missing_left": "u1", "rule": "u1"}
        arrays = {name: np.array([node[name] for node in self.nodes], dtype=dtypes.get(name, "i4")) for name in NODE}
        arrays["offsets"] = np.array(self.offsets)
        arrays["set_offsets"] = np.cumsum([0, *(len(words) for words in self.sets)])
        arrays["set_words"] = np.concatenate([*self.sets, np.empty(0, np.uint32)]).astype(np.uint32)
        return arrays


def from_lightgbm(booster):
    arrays = Arrays()

    def add(node):
        if "split_feature" not in node:
            n = node.get("leaf_count", 0)
            return arrays.add(value=node["leaf_value"], count=n, cover=n)
        n = node["internal_count"]
        same = {"feature": node["split_feature"], "gain": node["split_gain"], "count": n, "cover": n}
        if node["decision_type"] == "==":
            codes = [int(code) for code in node["threshold"].split("||")]
            same |= {"rule": 2, "category_set": arrays.category_set(codes)}
        else:
            left = node["default_left"] if node["missing_type"] != "None" else node["threshold"] >= 0
            same |= {"threshold": node["threshold"], "missing_left": left, "rule": int(node["missing_type"] == "Zero")}
        return arrays.split(node["left_child"], node["right_child"], add, **same)

    for tree in booster.dump_model()["tree_info"]:
        add(tree["tree_structure"])
        arrays.end_tree()
    return arrays.dict()


def from_xgboost(booster):
    arrays = Arrays()

    def add(node):
        if "leaf" in node:
            return arrays.add(value=np.float32(node["leaf"]), cover=np.float32(node["cover"]))
        children = {child["nodeid"]: child for child in node["children"]}
        return arrays.split(
            children[node["yes"]],
            children[node["no"]],
            add,
            feature=int(node["split"][1:]),
            threshold=np.nextafter(np.float32(node["split_condition"]), np.float32(-np.inf)),
            missing_left=node["missing"] == node["yes"],
            gain=node["gain"],
            cover=np.float32(node["cover"]),
        )

    for tree in booster.get_dump(with_stats=True, dump_format="json"):
        add(json.loads(tree))
        arrays.end_tree()
    return arrays.dict()


def table(with_categories):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 6)).astype(np.float32).astype(np.float64)
    X[:, 4] = rng.integers(0, 40, 2000)
    if with_categories:
        X[:, 5] = rng.integers(0, 6, 2000)
    effect = rng.normal(size=40)
    y = (
        X[:, 0] * X[:, 1]
        + np.sin(2 * X[:, 2])
        + effect[X[:, 4].astype(int)]
        + (X[:, 5] == 3)
        + rng.normal(size=2000) / 5
    )
    X[rng.random(X.shape) < 0.05] = np.nan
    return X, y


def main():
    out = {}

    def keep(name, arrays, rows, **answers):
        out.update({f"{name}.trees.{key}": value for key, value in arrays.items()})
        out[f"{name}.rows"] = rows
        out.update({f"{name}.{key}": value for key, value in answers.items()})

    few = {"n_estimators": 12, "learning_rate": 0.2, "n_jobs": 1}
    X, y = table(True)
    model = lightgbm.LGBMRegressor(num_leaves=31, verbose=-1, **few).fit(X, y, categorical_feature=[4, 5])
    rows = X[:40]
    keep("categories", from_lightgbm(model.booster_), rows, values=model.booster_.predict(rows, pred_contrib=True))
    X, y = table(False)
    classes = np.digitize(y, [-1, 1])
    model = lightgbm.LGBMClassifier(num_leaves=15, verbose=-1, **few).fit(X, classes)
    rows = X[:25]
    keep("classes", from_lightgbm(model.booster_), rows, values=model.booster_.predict(rows, pred_contrib=True))
    model = lightgbm.LGBMRegressor(num_leaves=15, verbose=-1, **few).fit(X, y)
    background = X[100:130]
    explainer = shap.TreeExplainer(model, background, feature_perturbation="interventional")
    plain = shap.TreeExplainer(model)
    keep(
        "numbers",
        from_lightgbm(model.booster_),
        rows,
        background=background,
        values=model.booster_.predict(rows, pred_contrib=True),
        shap_values=plain.shap_values(rows),
        shap_base=plain.expected_value,
        interventional=explainer.shap_values(rows),
        interventional_base=explainer.expected_value,
        interactions=plain.shap_interaction_values(rows),
    )
    model = xgboost.XGBRegressor(max_leaves=20, max_depth=0, grow_policy="lossguide", base_score=0.5, **few).fit(X, y)
    booster, data = model.get_booster(), xgboost.DMatrix(rows)
    keep(
        "float32",
        from_xgboost(booster),
        rows,
        values=booster.predict(data, pred_contribs=True),
        interactions=booster.predict(data, pred_interactions=True),
    )
    np.savez_compressed(Path(__file__).with_name("peers.npz"), **out)


if __name__ == "__main__":
    main()
