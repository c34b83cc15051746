"""XGBoost's models in JSON and UBJSON, of the versions 1.6 to 3.

Prediction in XGBoost (`cpu_predictor.cc`): inputs are float32; ``x < threshold`` goes left, a missing value to the
side that the node names; categories in a node's set go right; sums are float32, from the intercept, in the order of
the trees.
"""

import json

import numpy as np

from mlwright._runtime.errors import ModelFormatError
from mlwright.deploy import _ubjson
from mlwright.deploy._links import intercept
from mlwright.deploy._model import ImportedModel, UnsupportedModelError
from mlwright.deploy._nodes import CATEGORICAL, Nodes, in_turn, join, ordered
from mlwright.deploy._numbers import of_values, one_of_text
from mlwright.deploy._xgboost_categories import table_categories

_WHAT = "XGBoost model"
_MOST_CATEGORIES = 1 << 24  # XGBoost's own limit
# A set takes a bit for every code up to its largest: without a bound, a file could ask for 2 MB with every number.
_MOST_WORDS = 1 << 24
_LEAST_SHARE = np.float32(1e-6)  # what XGBoost takes a base_score of 0 for, since 3.1

#: Objective -> link of its predictions, link of its intercept.
_OBJECTIVES = {
    **dict.fromkeys(
        (
            "reg:squarederror",
            "reg:squaredlogerror",
            "reg:pseudohubererror",
            "reg:absoluteerror",
            "reg:quantileerror",
            "reg:expectileerror",
            "rank:pairwise",
            "rank:ndcg",
            "rank:map",
            "binary:logitraw",
            "reg:linear",
        ),
        "identity",
    ),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"), "exp"),
    **dict.fromkeys(("reg:logistic", "binary:logistic"), "expit"),
    "binary:hinge": "step",
    "multi:softmax": "softmax",
    "multi:softprob": "softmax",
}
_CLASSIFIERS = ("binary:logistic", "binary:hinge", "multi:softmax", "multi:softprob")


def is_xgboost(data):
    """Whether these are the first bytes of such a file: an object with the key "learner" or "version"."""
    return data.lstrip()[:1] == b"{"


def from_bytes(data, iterations=None):
    """The model in the bytes of a file.

    Raises
    ------
    ModelFormatError
        If the file is damaged.
    UnsupportedModelError
        If it holds linear models, vector leaves or an objective that is not known.
    """
    stripped = data.lstrip()
    is_text = stripped[1:2] in (b'"', b"}", b"\n", b"\r", b" ", b"\t") or stripped[1:].lstrip()[:1] == b'"'
    return _model(_json(data) if is_text else _ubjson.loads(data), iterations)


def from_model(model, iterations=None):
    """The model of a fitted `xgboost.Booster` or of one of XGBoost's estimators."""
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    missing = getattr(model, "missing", None)
    if missing is not None and not np.isnan(missing):
        raise UnsupportedModelError(
            f"from_model: got a {type(model).__name__} with missing={missing!r}; expected missing=nan; replace that "
            "value by NaN in the rows and set_params(missing=numpy.nan)"
        )
    if iterations is None and booster is not model:  # the estimators stop at the best iteration, a Booster does not
        iterations = _best(booster.attributes())
    imported = from_bytes(bytes(booster.save_raw("ubj")), iterations)
    return imported.with_labels_of(model, "get_booster()")


def _best(attributes):
    """How many iterations there are up to the best one, None if it is not known."""
    if "best_iteration" not in attributes:
        return None
    best = one_of_text(str(attributes["best_iteration"])[:24].encode(), np.int64, f"{_WHAT}: best_iteration")
    if best < 0:
        raise ModelFormatError(f"{_WHAT}: its best_iteration is {best}; the file is damaged")
    return best + 1


def _json(data):
    def unique(pairs):
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ModelFormatError(f"{_WHAT}: an object names the same key twice; the file is damaged")
        return result

    try:
        return json.loads(data, object_pairs_hook=unique)
    except ModelFormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{_WHAT}: is not valid JSON: {str(error)[:200]}; the file is damaged") from None


def _get(node, key, kind, what):
    """A part of a certain type."""
    if not isinstance(node, dict) or key not in node:
        raise ModelFormatError(f"{what}: lacks {key}; the file is damaged")
    if not isinstance(node[key], kind):
        raise ModelFormatError(f"{what}: got a {type(node[key]).__name__} for {key}; the file is damaged")
    return node[key]


def _vector(node, key, dtype, what, n=None, finite=True):
    """A vector of numbers, of length n."""
    return of_values(_get(node, key, (list, np.ndarray), what), dtype, f"{what}: {key}", n, finite)


def _whole(node, key, what, default=None):
    """An integer; XGBoost writes parameters as strings."""
    if default is not None and key not in node:
        return default
    value = _get(node, key, (str, int), what)
    return one_of_text(str(value)[:24].encode(), np.int64, f"{what}: {key}")


def _model(document, iterations):
    learner = _get(document, "learner", dict, _WHAT)
    parameters = _get(learner, "learner_model_param", dict, _WHAT)
    objective = _get(_get(learner, "objective", dict, _WHAT), "name", str, _WHAT)
    if objective not in _OBJECTIVES:
        raise UnsupportedModelError(f"{_WHAT}: its objective {objective[:40]!r} is not known")
    n_features = _whole(parameters, "num_feature", _WHAT)
    n_outputs = max(1, _whole(parameters, "num_class", _WHAT), _whole(parameters, "num_target", _WHAT, 1))
    if not 1 <= n_features < 1 << 31 or n_outputs > 1 << 20:
        raise ModelFormatError(f"{_WHAT}: has {n_features} features and {n_outputs} outputs; the file is damaged")
    if objective.startswith("binary:") and n_outputs > 1:
        raise UnsupportedModelError(
            f"{_WHAT}: has {n_outputs} targets of {objective}, that is, labels that do not exclude each other; "
            "expected one target; train one model a label"
        )
    booster = _get(learner, "gradient_booster", dict, _WHAT)
    attributes = _get(learner, "attributes", dict, _WHAT) if "attributes" in learner else {}
    if iterations is None and "scikit_learn" in attributes:
        iterations = _best(attributes)
    link = _OBJECTIVES[objective]
    start = _start(parameters, link, n_outputs)
    is_classifier = objective in _CLASSIFIERS
    return ImportedModel(
        source=f"XGBoost {_version(document)}, {objective}",
        trees=_trees(booster, n_features, n_outputs, iterations),
        start=start.astype(np.float64),
        n_features=n_features,
        is_classifier=is_classifier,
        link=link,
        input_dtype="float32",
        sum_dtype="float32",
        feature_names=_names(learner, n_features),
        classes=np.arange(max(2, n_outputs)) if is_classifier else None,
        table_categories=table_categories(_gbtree(booster).get("cats", {}), n_features, _WHAT),
        foreign_categories="refused",
        absent="missing",
    )


def _version(document):
    """As 3.2.0; empty if it is not stated."""
    version = document.get("version", [])
    if not isinstance(version, (list, np.ndarray)):
        return ""
    return ".".join(str(int(part))[:8] for part in list(version)[:3] if isinstance(part, (int, np.integer)))


def _names(learner, n_features):
    names = learner.get("feature_names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelFormatError(f"{_WHAT}: its feature_names are no list of strings; the file is damaged")
    if names and len(names) != n_features:
        raise ModelFormatError(f"{_WHAT}: has {len(names)} feature names for {n_features} features")
    if any("\ud800" <= letter <= "\udfff" for name in names for letter in name):
        raise ModelFormatError(f"{_WHAT}: a feature name holds half of a surrogate pair; the file is damaged")
    return names or None


def _start(parameters, link, n_outputs):
    """The intercepts as float32 sums begin with them; "[0.5,0.2]" since 3.1, before that one number for all."""
    text = _get(parameters, "base_score", str, _WHAT)
    numbers = text.strip().removeprefix("[").removesuffix("]").split(",")
    values = np.array([one_of_text(part.encode(), np.float64, f"{_WHAT}: base_score") for part in numbers])
    if len(values) not in (1, n_outputs):
        raise ModelFormatError(f"{_WHAT}: has {len(values)} base scores for {n_outputs} outputs; the file is damaged")
    with np.errstate(over="ignore"):  # to infinity, which is refused below
        values = values.astype(np.float32)
    if text.startswith("[") and link == "expit":
        values = np.clip(values, _LEAST_SHARE, np.float32(1) - _LEAST_SHARE)
    start = intercept(values, link)
    if not np.isfinite(start).all():
        raise ModelFormatError(f"{_WHAT}: its base_score {text[:40]!r} is beyond what its objective allows")
    return np.resize(start, n_outputs)


def _trees(booster, n_features, n_outputs, iterations):
    model = _gbtree(booster)
    is_dart = booster["name"] == "dart"
    weights = _vector(booster, "weight_drop", np.float32, _WHAT) if is_dart else None
    trees = _get(model, "trees", list, _WHAT)
    group = _vector(model, "tree_info", np.int64, _WHAT, len(trees))
    if weights is not None and len(weights) != len(trees):
        raise ModelFormatError(f"{_WHAT}: has {len(weights)} weights of {len(trees)} trees; the file is damaged")
    if iterations is not None:
        trees = trees[: _n_trees(model, iterations, n_outputs, len(trees))]
    nodes = []
    words = 0
    for i, tree in enumerate(trees):
        nodes.append(_tree(tree, n_features, f"{_WHAT}: tree {i}", _MOST_WORDS - words))
        words += sum(map(len, nodes[i].sets))
        if weights is not None:
            nodes[i].value = _dropped(nodes[i].value, weights[i])
    return join(in_turn(nodes, group[: len(nodes)], n_outputs, _WHAT))


def _gbtree(booster):
    """What holds the trees."""
    name = _get(booster, "name", str, _WHAT)
    if name == "dart":
        booster = _get(booster, "gbtree", dict, _WHAT)
    elif name != "gbtree":
        raise UnsupportedModelError(f"{_WHAT}: its booster is {name[:40]!r}; expected gbtree or dart")
    return _get(booster, "model", dict, _WHAT)


def _n_trees(model, iterations, n_outputs, n_trees):
    """How many trees the first iterations have."""
    if "iteration_indptr" in model:
        ends = _vector(model, "iteration_indptr", np.int64, _WHAT)
        return int(ends[min(iterations, len(ends) - 1)]) if len(ends) else n_trees
    parameters = _get(model, "gbtree_model_param", dict, _WHAT)
    return min(n_trees, iterations * n_outputs * max(1, _whole(parameters, "num_parallel_tree", _WHAT, 1)))


def _dropped(value, weight):
    """Leaf values of a tree of DART, times its weight in float32."""
    with np.errstate(over="ignore"):  # as there: an infinite leaf
        return (value.astype(np.float32) * weight).astype(np.float64)


def _tree(tree, n_features, what, most_words):
    parameters = _get(tree, "tree_param", dict, what)
    if _whole(parameters, "size_leaf_vector", what, 1) > 1:
        raise UnsupportedModelError(
            f"{what}: its leaves are vectors; expected one output a tree; "
            "train with multi_strategy='one_output_per_tree'"
        )
    left = _vector(tree, "left_children", np.int64, what)
    n = len(left)
    if n < 1 or _whole(parameters, "num_nodes", what) != n:
        raise ModelFormatError(f"{what}: has {n} nodes, not as many as it says; the file is damaged")

    def column(key, dtype):
        return _vector(tree, key, dtype, what, n)

    right, feature = column("right_children", np.int64), column("split_indices", np.int64)
    is_leaf = left == -1
    is_category = _is_category(tree, n, what) & ~is_leaf & (feature >= 0)
    threshold = _thresholds(tree, is_category, what)
    default_left = column("default_left", np.int64) != 0
    nodes = Nodes(
        feature=np.where(is_leaf, -1, feature),
        threshold=np.where(is_leaf, 0.0, _below(threshold)),
        left=left,
        right=right,
        missing_left=np.where(is_leaf, False, default_left),
        value=np.where(is_leaf, threshold, 0.0).astype(np.float64),
        gain=np.where(is_leaf, 0.0, column("loss_changes", np.float32)).astype(np.float64),
        count=np.zeros(n, dtype=np.int64),
        cover=column("sum_hessian", np.float32).astype(np.float64),
    )
    if (is_leaf & (right != -1)).any():
        raise ModelFormatError(f"{what}: a node has one child; the file is damaged")
    if is_category.any():
        _add_categories(nodes, tree, is_category, what, most_words)
    nodes = ordered(nodes, what)
    if (nodes.feature >= n_features).any() or (nodes.feature < -1).any():
        raise ModelFormatError(f"{what}: cuts a feature beyond the {n_features} there are; the file is damaged")
    return nodes


def _thresholds(tree, is_category, what):
    """Of cuts, and the values of leaves. Cuts by category have none: XGBoost 2 writes NaN in its place."""
    threshold = _vector(tree, "split_conditions", np.float32, what, len(is_category), finite=False)
    threshold = np.where(is_category, np.float32(0), threshold)
    if not np.isfinite(threshold).all():
        raise ModelFormatError(f"{what}: split_conditions: holds a number that is not finite; the file is damaged")
    return threshold


def _below(threshold):
    """The largest float32 below each threshold: x < t is x <= this."""
    return np.nextafter(threshold, np.float32(-np.inf)).astype(np.float64)


def _is_category(tree, n, what):
    """Which nodes cut by category."""
    kind = tree.get("split_type")
    return np.zeros(n, dtype=bool) if kind is None else of_values(kind, np.int64, f"{what}: split_type", n) == 1


def _add_categories(nodes, tree, is_category, what, most_words):
    """Cuts by category: XGBoost sends the set to the right, so the children change places."""
    parts = {
        key: _vector(tree, key, np.int64, what)
        for key in ("categories", "categories_nodes", "categories_segments", "categories_sizes")
    }
    where = parts["categories_nodes"]
    if not np.array_equal(np.sort(where), np.flatnonzero(is_category)):
        raise ModelFormatError(f"{what}: its categories are of other nodes than its cuts; the file is damaged")
    which = np.full(len(nodes), -1)
    which[where] = np.arange(len(where))
    nodes.sets = _sets(parts, len(where), what, most_words)
    nodes.category_set = which
    nodes.rule = np.where(is_category, CATEGORICAL, 0)
    nodes.threshold = np.where(is_category, 0.0, nodes.threshold)
    nodes.left, nodes.right = (
        np.where(is_category, nodes.right, nodes.left),
        np.where(is_category, nodes.left, nodes.right),
    )
    nodes.missing_left = nodes.missing_left ^ is_category


def _sets(parts, n, what, most_words):
    begins, sizes, codes = parts["categories_segments"], parts["categories_sizes"], parts["categories"]
    if len(begins) != n or len(sizes) != n or (begins < 0).any() or (sizes < 0).any() or sizes.sum() > len(codes):
        raise ModelFormatError(f"{what}: its categories_segments and _sizes do not fit; the file is damaged")
    if (begins > len(codes) - sizes).any():
        raise ModelFormatError(f"{what}: a segment of categories is out of range; the file is damaged")
    if len(codes) and not (codes.min() >= 0 and codes.max() < _MOST_CATEGORIES):
        raise ModelFormatError(f"{what}: holds a category beyond {_MOST_CATEGORIES}; the file is damaged")
    sets = [codes[begin : begin + size] for begin, size in zip(begins, sizes, strict=True)]
    if sum(int(part.max(initial=-1)) // 32 + 1 for part in sets) > most_words:
        raise UnsupportedModelError(f"{what}: its sets of categories take more than {4 * _MOST_WORDS >> 20} MB in all")
    return tuple(map(_words, sets))


def _words(codes):
    """A bitset of the codes."""
    words = np.zeros(int(codes.max(initial=-1)) // 32 + 1, dtype=np.uint32)
    np.bitwise_or.at(words, codes // 32, np.uint32(1) << (codes % 32).astype(np.uint32))
    return words
