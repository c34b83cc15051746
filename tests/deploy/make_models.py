"""Make the models of tests/deploy/models and what their own libraries predict with them.

Run in the benchmarks' environment, which has the peers:

    make .venv-bench/.dependencies && .venv-bench/bin/python tests/deploy/make_models.py

Each model file has an ``.npz`` of the same name beside it: ``X``, and the peer's ``raw`` (sums) and ``prediction``.
Its rows are training rows and rows that hold every special number in turn: NaN, zeros of both signs, infinities (where
the peer takes them), subnormal numbers, and numbers at, just below and just above thresholds of the model.
"""

import json
import warnings
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import xgboost as xgb

FOLDER = Path(__file__).parent / "models"
N, P = 400, 5
WEEK = [50.0, 40.0, 60.0, 0.0, 10.0, 20.0, 30.0]
ZERO = float(np.float32(1e-35))  # what LightGBM takes for zero
SPECIAL = [np.nan, 0.0, -0.0, 5e-324, -5e-324, 1e-36, -1e-36, ZERO, -ZERO, 2 * ZERO, -2 * ZERO, 1e-40, 1e300, -1e300]
CODES = [np.nan, 0.0, -0.0, 1.0, 2.0, 31.0, 32.0, 33.0, 39.0, 40.0, 63.0, 64.0, 1000.0, 2.5, 16777215.0]


def table(missing=0.15, zeros=0.2, categories=False, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, P))
    X[:, 2] = np.round(X[:, 2] * 4) / 4
    X[rng.random((N, P)) < zeros] = 0.0
    if categories:
        X[:, 3] = rng.integers(0, 40, N)
        X[:, 4] = rng.integers(0, 4, N)
    X[rng.random((N, P)) < missing] = np.nan
    full = np.nan_to_num(X)
    score = full[:, 0] - full[:, 1] * full[:, 2] + np.sin(full[:, 3] * 2) + (full[:, 4] == 1)
    return X, score + 0.1 * rng.standard_normal(N)


def rows(X, thresholds, infinities, columns_of_codes=(), more_codes=(), dtype=np.float64):
    """Training rows, and rows with one special value each."""
    special = SPECIAL + ([np.inf, -np.inf] if infinities else [])
    picked = [X[:20]]
    rng = np.random.default_rng(1)
    for j in range(X.shape[1]):
        if j in columns_of_codes:
            values = [*CODES, *more_codes]
        else:
            at = np.asarray(thresholds.get(j, []), dtype=dtype)[:12]
            beside = [np.nextafter(at, dtype(way)) for way in (-np.inf, np.inf)]
            values = [*special, *np.concatenate([at, *beside]).astype(np.float64)]
        part = X[rng.integers(0, N, len(values))].copy()
        part[:, j] = values
        picked.append(part)
    return np.concatenate(picked)


def save(name, suffix, data, **arrays):
    (FOLDER / f"{name}{suffix}").write_bytes(data)
    np.savez_compressed(FOLDER / f"{name}{suffix}.npz", **arrays)


def refuse(name, data):
    """A model that no importer takes over; it needs no predictions."""
    (FOLDER / name).write_bytes(bytes(data))


# LightGBM


def lightgbm_thresholds(text):
    found, feature = {}, []
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "split_feature":
            feature = [int(token) for token in value.split()]
        elif key == "threshold":
            for j, threshold in zip(feature, value.split(), strict=True):
                found.setdefault(j, []).append(float(threshold))
    return found


def save_lightgbm(name, text, X, codes=()):
    booster = lgb.Booster(model_str=text)
    more = [-1.0, -0.5, -3.0, 1e10, -1e10, 2147483648.0, np.inf, -np.inf]
    X = rows(X, lightgbm_thresholds(text), infinities=True, columns_of_codes=codes, more_codes=more)
    save(name, ".txt", text.encode(), X=X, raw=booster.predict(X, raw_score=True), prediction=booster.predict(X))


def lightgbm_model(name, objective, data=None, target=None, weight=None, codes="auto", n=6, **parameters):
    X, y = table() if data is None else data
    y = y if target is None else target(y)
    settings = {"num_leaves": 11, "min_data_in_leaf": 5, "verbose": -1, "seed": 3, "deterministic": True}
    settings |= {"objective": objective, "num_threads": 1, **parameters}
    train = lgb.Dataset(X, y, weight=weight, categorical_feature=codes)
    text = lgb.train(settings, train, n).model_to_string()
    save_lightgbm(name, text, X, () if codes == "auto" else codes)
    return text


def classes(y):
    return np.digitize(y, [-1.0, 0.0, 1.0])


def lightgbm_models():
    weight = np.random.default_rng(2).random(N) + 0.5
    text = lightgbm_model("lgb-regression-nan", "regression", weight=weight, learning_rate=0.3)
    edited = [line for line in text.splitlines() if not line.startswith("tree_sizes=")]
    for i, line in enumerate(edited):  # thresholds among what LightGBM takes for zero
        if line.startswith("threshold="):
            values = line.partition("=")[2].split()
            values[:6] = ["0", "-0", "9.9999999999999999e-36", "-9.9999999999999999e-37", repr(ZERO), repr(-ZERO)]
            edited[i] = "threshold=" + " ".join(values)
    save_lightgbm("lgb-regression-tiny-thresholds", "\n".join(edited), table()[0])
    lightgbm_model("lgb-binary-zero-missing", "binary", target=lambda y: y > 0, zero_as_missing=True, sigmoid=0.7)
    none = table(missing=0.0)
    lightgbm_model("lgb-tweedie-no-missing", "tweedie", data=none, target=np.exp, use_missing=False)
    lightgbm_model("lgb-quantile-complete", "quantile", data=table(missing=0.0, zeros=0.0, seed=4), alpha=0.8)
    categories = table(categories=True)
    few = {"min_data_per_group": 5, "cat_smooth": 1.0, "max_cat_to_onehot": 4}
    lightgbm_model("lgb-binary-categories", "binary", data=categories, target=lambda y: y > 0, codes=[3, 4], **few)
    lightgbm_model("lgb-multiclass", "multiclass", target=classes, num_class=4, n=3)
    few |= {"num_class": 4, "codes": [3]}
    lightgbm_model("lgb-ova-categories", "multiclassova", data=categories, target=classes, **few)
    rf = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6, "feature_fraction": 0.8}
    lightgbm_model("lgb-rf-binary", "binary", target=lambda y: y > 0, **rf)
    lightgbm_model("lgb-rf-multiclass", "multiclass", target=classes, num_class=4, **rf)
    dart = {"boosting": "dart", "drop_rate": 0.5, "skip_drop": 0.0, "n": 8}
    lightgbm_model("lgb-dart-poisson", "poisson", target=lambda y: np.floor(np.exp(y)), **dart)
    lightgbm_model("lgb-regression-sqrt", "regression", reg_sqrt=True)
    lightgbm_model("lgb-huber", "huber", extra_trees=True)
    lightgbm_model("lgb-cross-entropy", "cross_entropy", target=lambda y: 1 / (1 + np.exp(-y)))
    lightgbm_model("lgb-cross-entropy-lambda", "cross_entropy_lambda", target=lambda y: 1 / (1 + np.exp(-y)))
    lightgbm_model("lgb-gamma-constant", "gamma", target=np.exp, min_data_in_leaf=N)
    lightgbm_table()
    settings = {"linear_tree": True, "verbose": -1, "num_leaves": 4, "num_threads": 1}
    linear = lgb.train(settings, lgb.Dataset(*table()[:2], params={"linear_tree": True}), 2)
    refuse("lgb-refused-linear.txt", linear.model_to_string().encode())


def lightgbm_table():
    """A model of a pandas table with two category columns, one of words and one of numbers."""
    X, y = table(categories=True)
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["b"] = pd.Categorical(np.array(["red", "green", "blue", "grey"])[np.nan_to_num(X[:, 4]).astype(int)])
    frame["d"] = pd.Categorical(np.where(X[:, 3] % 7 == 5, np.nan, X[:, 3] % 7 * 10.0), categories=WEEK)
    settings = {"num_leaves": 11, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1, "min_data_per_group": 5}
    booster = lgb.train(settings, lgb.Dataset(frame, y), 6)
    words, numbers = frame["b"].to_numpy(dtype=str), frame["d"].to_numpy(dtype=np.float64)
    words[:3] = "violet"
    frame["b"] = pd.Categorical(words)
    X = frame[["a", "c", "e"]].to_numpy()
    text = booster.model_to_string().encode()
    save("lgb-table", ".txt", text, X=X, words=words, numbers=numbers, prediction=booster.predict(frame))


# XGBoost


def xgboost_thresholds(booster):
    document = json.loads(bytes(booster.save_raw("json")))
    model = document["learner"]["gradient_booster"]
    found = {}
    for tree in model.get("gbtree", model)["model"]["trees"]:
        columns = (tree[key] for key in ("left_children", "split_indices", "split_conditions"))
        for left, j, threshold in zip(*columns, strict=True):
            if left != -1:
                found.setdefault(j, []).append(threshold)
    return found


def save_xgboost(name, suffix, booster, X, codes=(), iterations=(0, 0)):
    X = rows(X, xgboost_thresholds(booster), infinities=False, columns_of_codes=codes, dtype=np.float32)
    X = np.clip(X, -3e38, 3e38)  # the peer refuses what is infinite in float32
    kind = {"feature_types": ["c" if j in codes else "q" for j in range(P)]} if codes else {}
    matrix = xgb.DMatrix(X, enable_categorical=bool(codes), **kind)
    matrix.feature_names = booster.feature_names
    raw, prediction = (booster.predict(matrix, output_margin=on, iteration_range=iterations) for on in (True, False))
    save(name, suffix, bytes(booster.save_raw(suffix[1:])), X=X, raw=raw, prediction=prediction)


def xgboost_model(
    name, objective, data=None, target=None, weight=None, codes=(), n=6, suffixes=(".ubj",), **parameters
):
    X, y = table() if data is None else data
    y = y if target is None else target(y)
    kind = {"feature_types": ["c" if j in codes else "q" for j in range(P)]} if codes else {}
    train = xgb.DMatrix(X, y, weight=weight, enable_categorical=bool(codes), **kind)
    settings = {"objective": objective, "max_depth": 4, "seed": 3, "nthread": 1, "eta": 0.4, **parameters}
    booster = xgb.train(settings, train, n)
    for suffix in suffixes:
        save_xgboost(name, suffix, booster, X, codes)


def xgboost_models():
    both, weight = (".json", ".ubj"), np.random.default_rng(2).random(N) + 0.5
    xgboost_model("xgb-regression", "reg:squarederror", weight=weight, suffixes=both)
    xgboost_model("xgb-binary", "binary:logistic", target=lambda y: y > 0, suffixes=both)
    xgboost_model("xgb-binary-base-score", "binary:logistic", target=lambda y: y > 0, base_score=0.25, subsample=0.5)
    xgboost_model("xgb-softprob-parallel", "multi:softprob", target=classes, num_class=4, n=2, num_parallel_tree=3)
    xgboost_model("xgb-softmax", "multi:softmax", target=classes, num_class=4, n=3, suffixes=(".json",))
    dart = {"booster": "dart", "rate_drop": 0.4, "n": 8}
    xgboost_model("xgb-dart-poisson", "count:poisson", target=lambda y: np.floor(np.exp(y)), suffixes=both, **dart)
    categories = {"data": table(categories=True), "codes": [3, 4], "max_cat_to_onehot": 5}
    xgboost_model("xgb-categories", "reg:squarederror", suffixes=both, **categories)
    xgboost_model("xgb-categories-binary", "binary:logistic", target=lambda y: y > 0, **categories)
    tweedie = {"tweedie_variance_power": 1.3, "tree_method": "exact", "gamma": 0.5}
    xgboost_model("xgb-tweedie-exact", "reg:tweedie", target=np.exp, **tweedie)
    xgboost_model("xgb-gamma-lossguide", "reg:gamma", target=np.exp, grow_policy="lossguide", max_leaves=9, max_depth=0)
    text = {"suffixes": (".json",)}
    xgboost_model("xgb-targets", "reg:squarederror", target=lambda y: np.column_stack([y, -y, y * y]), n=3, **text)
    quantiles = {"quantile_alpha": [0.1, 0.5, 0.9], "n": 3}
    xgboost_model("xgb-quantiles", "reg:quantileerror", **quantiles)
    xgboost_model("xgb-hinge", "binary:hinge", target=lambda y: y > 0)
    xgboost_early_stopping()
    xgboost_table()
    X, y = table(missing=0.0)
    both_signs = xgb.DMatrix(X, np.column_stack([y, -y]))
    vectors = {"multi_strategy": "multi_output_tree", "tree_method": "hist", "max_depth": 2}
    refuse("xgb-refused-linear.ubj", xgb.train({"booster": "gblinear"}, xgb.DMatrix(X, y), 2).save_raw("ubj"))
    refuse("xgb-refused-vectors.ubj", xgb.train(vectors, both_signs, 2).save_raw("ubj"))


def xgboost_table():
    """A model of a pandas table that keeps its categories of words and of integers."""
    X, y = table(categories=True)
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["b"] = pd.Categorical(np.array(["red", "green", "blue", "grey"])[np.nan_to_num(X[:, 4]).astype(int)])
    week = np.array(WEEK, dtype=np.int64)
    frame["d"] = pd.Categorical.from_codes(np.where(np.isnan(X[:, 3]), -1, X[:, 3] % 7).astype(int), week)
    settings = {"max_depth": 4, "nthread": 1, "eta": 0.4, "max_cat_to_onehot": 3}
    booster = xgb.train(settings, xgb.DMatrix(frame, y, enable_categorical=True), 6)
    words, numbers = frame["b"].to_numpy(dtype=str), frame["d"].to_numpy(dtype=np.float64)
    prediction = booster.predict(xgb.DMatrix(frame, enable_categorical=True))
    data = bytes(booster.save_raw("ubj"))
    save(
        "xgb-table",
        ".ubj",
        data,
        X=frame[["a", "c", "e"]].to_numpy(),
        words=words,
        numbers=numbers,
        prediction=prediction,
    )


def xgboost_early_stopping():
    X, y = table()
    model = xgb.XGBClassifier(n_estimators=60, early_stopping_rounds=3, max_depth=3, learning_rate=1.0, n_jobs=1)
    model.fit(X[:200], y[:200] > 0, eval_set=[(X[200:], y[200:] > 0)], verbose=False)
    booster = model.get_booster()
    booster.set_attr(scikit_learn='{"_estimator_type": "classifier"}')
    save_xgboost("xgb-early-stopping", ".ubj", booster, X, iterations=(0, model.best_iteration + 1))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lightgbm_models()
        xgboost_models()
