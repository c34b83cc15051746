"""scikit-learn's trees, forests and boosting, from the fitted objects.

Prediction in scikit-learn: trees of `tree`, forests and `GradientBoosting*` compare float32 inputs with float64
thresholds; `HistGradientBoosting*` compares float64. Sums are float64 in the order of the trees; forests then divide.
"""

import numpy as np

from mlwright.deploy._model import ImportedModel, UnsupportedModelError
from mlwright.deploy._nodes import CATEGORICAL, Nodes, join, ordered

_CONSTANT_STARTS = {
    "DummyClassifier": ("prior", "most_frequent", "constant"),
    "DummyRegressor": ("mean", "median", "quantile", "constant"),
}


def from_model(model, iterations=None):
    """The model of a fitted scikit-learn estimator; exactly the classes of ``IMPORTERS``, no subclasses."""
    from sklearn import ensemble, tree
    from sklearn.utils.validation import check_is_fitted

    for importer, module, names in IMPORTERS:
        for name in names:
            if type(model) is getattr({"ensemble": ensemble, "tree": tree}[module], name):
                check_is_fitted(model)
                return importer(model, iterations)
    known = sorted(name for _, _, names in IMPORTERS for name in names)
    raise UnsupportedModelError(
        f"from_model: got a {type(model).__module__}.{type(model).__qualname__}; expected one of scikit-learn's "
        f"{', '.join(known)}"
    )


def _named(model):
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _tree_nodes(tree, value):
    """Nodes of a ``sklearn.tree`` tree with these values."""
    leaf = tree.children_left == -1
    return Nodes(
        feature=np.where(leaf, -1, tree.feature),
        threshold=np.where(leaf, 0.0, tree.threshold),
        left=tree.children_left,
        right=tree.children_right,
        missing_left=np.where(leaf, 0, tree.missing_go_to_left),
        value=value,
        gain=_impurity_decrease(tree, leaf),
        count=tree.n_node_samples,
        cover=tree.weighted_n_node_samples,
    )


def _impurity_decrease(tree, leaf):
    whole = tree.weighted_n_node_samples * tree.impurity
    children = whole[tree.children_left] + whole[tree.children_right]
    return np.where(leaf, 0.0, np.where(leaf, 0.0, whole - children))


def _averaged(model, iterations):
    """Trees and forests whose leaves hold means or shares."""
    trees = list(getattr(model, "estimators_", [model]))
    trees = trees[:iterations] if hasattr(model, "estimators_") else trees
    is_classifier = hasattr(model, "classes_")
    if is_classifier and model.n_outputs_ > 1:
        raise UnsupportedModelError(
            f"from_model: got a {type(model).__name__} of {model.n_outputs_} targets; classifiers of one target are "
            "supported; fit one model a target"
        )
    n_outputs = model.n_classes_ if is_classifier else model.n_outputs_
    nodes = []
    for estimator in trees:
        value = estimator.tree_.value[:, 0, :n_outputs] if is_classifier else estimator.tree_.value[:, :, 0]
        nodes.append(ordered(_tree_nodes(estimator.tree_, value[:, 0] if n_outputs == 1 else value), "tree"))
    allow_nan = model.__sklearn_tags__().input_tags.allow_nan
    return ImportedModel(
        source=f"scikit-learn {type(model).__name__}",
        trees=join(nodes),
        start=np.zeros(n_outputs),
        n_features=model.n_features_in_,
        is_classifier=is_classifier,
        input_dtype="float32",
        divide_by=len(nodes),
        accepts="nan" if allow_nan else "finite",
        absent="zero",
        feature_names=_named(model),
        classes=np.asarray(model.classes_) if is_classifier else None,
    )


def _gradient_boosting(model, iterations):
    init = type(model.init_).__name__
    strategies = _CONSTANT_STARTS.get(init, ())
    if model.init_ != "zero" and getattr(model.init_, "strategy", None) not in strategies:
        raise UnsupportedModelError(
            f"from_model: got a {type(model).__name__} with init={model.init_!r:.60}; expected init=None or 'zero'"
        )
    is_classifier = hasattr(model, "classes_")
    trees = [
        ordered(_tree_nodes(part.tree_, model.learning_rate * part.tree_.value[:, 0, 0]), "tree")
        for row in model.estimators_[:iterations]
        for part in row
    ]
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))[0]
    link = ("expit" if len(start) == 1 else "softmax") if is_classifier else "identity"
    return ImportedModel(
        source=f"scikit-learn {type(model).__name__}, {model.loss}",
        trees=join(trees),
        start=np.asarray(start, dtype=np.float64),
        n_features=model.n_features_in_,
        is_classifier=is_classifier,
        link=link,
        scale=2.0 if model.loss == "exponential" else 1.0,
        input_dtype="float32",
        accepts="finite",
        absent="zero",
        decision="not_negative",
        feature_names=_named(model),
        classes=np.asarray(model.classes_) if is_classifier else None,
    )


def _hist_gradient_boosting(model, iterations):
    is_classifier = hasattr(model, "classes_")
    start = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()
    order, categories = _columns(model)
    trees = [ordered(_hist_nodes(part, order), "tree") for row in model._predictors[:iterations] for part in row]
    if is_classifier:
        link = "expit" if len(start) == 1 else "softmax"
    else:
        link = "exp" if model.loss in ("poisson", "gamma") else "identity"
    return ImportedModel(
        source=f"scikit-learn {type(model).__name__}, {model.loss}",
        trees=join(trees),
        start=start,
        n_features=model.n_features_in_,
        is_classifier=is_classifier,
        link=link,
        decision="positive",
        feature_names=_named(model),
        classes=np.asarray(model.classes_) if is_classifier else None,
        categories=categories,
    )


def _columns(model):
    """Which column the trees' feature j is, and the categories of category columns: these come first in the trees."""
    is_category = model.is_categorical_
    if model._preprocessor is None:
        return np.arange(model.n_features_in_), {}
    order = np.concatenate([np.flatnonzero(is_category), np.flatnonzero(~is_category)])
    encoder = model._preprocessor.named_transformers_["encoder"]
    return order, {int(j): _known(values) for j, values in zip(order, encoder.categories_, strict=False)}


def _known(values):
    """Categories without the missing one, which is no category."""
    values = np.asarray(values)
    if values.dtype.kind in "fiub":
        values = values.astype(np.float64)
        return values[~np.isnan(values)]
    return np.array([value for value in values if isinstance(value, str)], dtype=object)


def _hist_nodes(predictor, order):
    nodes = predictor.nodes
    leaf = nodes["is_leaf"] != 0
    is_category = (nodes["is_categorical"] != 0) & ~leaf
    tree = Nodes(
        feature=np.where(leaf, -1, order[np.where(leaf, 0, nodes["feature_idx"])]),
        threshold=np.where(leaf | is_category, 0.0, nodes["num_threshold"]),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        missing_left=np.where(leaf, 0, nodes["missing_go_to_left"]),
        value=nodes["value"].astype(np.float64),
        gain=np.where(leaf, 0.0, np.maximum(nodes["gain"], 0.0)).astype(np.float64),
        count=nodes["count"].astype(np.int64),
    )
    if is_category.any():
        tree.rule = np.where(is_category, CATEGORICAL, 0)
        tree.category_set = np.where(is_category, nodes["bitset_idx"].astype(np.int64), -1)
        tree.sets = tuple(np.asarray(words, dtype=np.uint32) for words in predictor.raw_left_cat_bitsets)
    return tree


IMPORTERS = (
    (
        _averaged,
        "tree",
        ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"),
    ),
    (
        _averaged,
        "ensemble",
        ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"),
    ),
    (_gradient_boosting, "ensemble", ("GradientBoostingClassifier", "GradientBoostingRegressor")),
    (_hist_gradient_boosting, "ensemble", ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")),
)
