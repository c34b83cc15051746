"""LightGBM's text models, versions v3 and v4.

A tree with L leaves lists its L - 1 cuts, in the order they were made, then its leaves; a child c >= 0 is a cut, a
child c < 0 is leaf ``~c``. ``decision_type`` of a cut: bit 0 categorical, bit 1 missing goes left, bits 2 and 3 the
kind of missing value (0 none, 1 zero, 2 NaN).

Prediction in LightGBM (`tree.h`, `gbdt_prediction.cpp`): inputs of magnitude up to 1e-35 (as float32) are zero before
anything else is asked; NaN is zero where the kind of missing is not NaN; sums are float64 in the order of the trees,
from 0.
"""

from itertools import pairwise

import numpy as np

from mlwright._runtime.errors import ModelFormatError
from mlwright.deploy._model import ImportedModel, UnsupportedModelError
from mlwright.deploy._nodes import CATEGORICAL, NUMERIC, NUMERIC_ZERO_MISSING, Nodes, join, leaf, ordered
from mlwright.deploy._numbers import of_text, one_of_text
from mlwright.deploy._pandas_line import table_categories

_ZERO = float(np.float32(1e-35))  # LightGBM's kZeroThreshold, a float literal
_BELOW_ZERO = float(np.nextafter(-_ZERO, -np.inf))
_MAGIC = b"tree\n"

_IDENTITY = ("regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg")
_EXPONENTIAL = ("poisson", "gamma", "tweedie")


def is_lightgbm(data):
    """Whether these are the first bytes of such a file."""
    return data.replace(b"\r\n", b"\n").startswith((_MAGIC, b"\n" + _MAGIC))


def from_text(data, iterations=None):
    """The model in the bytes of a text file.

    Raises
    ------
    ModelFormatError
        If the file is damaged.
    UnsupportedModelError
        If it holds linear trees or an objective that is not known.
    """
    data = data.replace(b"\r\n", b"\n")
    head, *blocks = data.split(b"\nTree=")
    if not blocks:
        head, _, tail = data.partition(b"\nend of trees")
    else:
        blocks[-1], _, tail = blocks[-1].partition(b"\nend of trees")
    if not tail:
        raise ModelFormatError("LightGBM model: has no line 'end of trees'; the file was cut short")
    header = _Header(_fields(head, "header"))
    per_iteration = header.trees_per_iteration
    if len(blocks) % per_iteration:
        raise ModelFormatError(
            f"LightGBM model: has {len(blocks)} trees for {per_iteration} an iteration; the file is damaged"
        )
    trees = [_tree(block, i, header.n_features) for i, block in enumerate(blocks)]
    if iterations is not None:
        trees = trees[: iterations * per_iteration]
    return header.model(join(trees), len(trees) // per_iteration, table_categories(tail))


def from_model(model, iterations=None):
    """The model of a fitted `lightgbm.Booster`, `LGBMRegressor`, `LGBMClassifier` or `LGBMRanker`."""
    booster = model if hasattr(model, "model_to_string") else model.booster_
    imported = from_text(booster.model_to_string().encode(), iterations)
    return imported.with_labels_of(model, "booster_")


class _Header:
    """What stands before the first tree."""

    def __init__(self, fields):
        self.fields = fields
        version = self.text("version")
        if version not in ("v3", "v4"):
            raise UnsupportedModelError(f"LightGBM model: has version {version!r:.20}; expected v3 or v4")
        self.n_features = self.number("max_feature_idx") + 1
        self.names = self.text("feature_names").split(" ")
        if self.n_features < 1 or len(self.names) != self.n_features:
            raise ModelFormatError(
                f"LightGBM model: has {len(self.names)} feature names, its max_feature_idx says {self.n_features}; "
                "the file is damaged"
            )
        self.trees_per_iteration = self.number("num_tree_per_iteration")
        self.n_classes = self.number("num_class")
        if not 1 <= self.trees_per_iteration <= 1 << 20 or self.n_classes < 1:
            raise ModelFormatError(
                f"LightGBM model: has {self.trees_per_iteration} trees an iteration and {self.n_classes} classes; "
                "expected positive numbers"
            )

    def text(self, name):
        if name not in self.fields:
            raise ModelFormatError(f"LightGBM model: its header lacks {name}; the file is damaged")
        try:
            return self.fields[name].decode()
        except UnicodeDecodeError:
            raise ModelFormatError(f"LightGBM model: {name} is not UTF-8") from None

    def number(self, name):
        return one_of_text(self.text(name).encode(), np.int64, f"LightGBM model: {name}")

    def model(self, trees, n_iterations, categories):
        name, *options = self.text("objective").split(" ") if "objective" in self.fields else ["none"]
        link, scale, is_classifier = _link(name, dict(_option(text) for text in options), self.trees_per_iteration)
        default_names = [f"Column_{i}" for i in range(self.n_features)]
        n_classes = max(2, self.trees_per_iteration)
        return ImportedModel(
            source=f"LightGBM {self.text('version')}, {name}",
            trees=trees,
            start=np.zeros(self.trees_per_iteration),
            n_features=self.n_features,
            is_classifier=is_classifier,
            link=link,
            scale=scale,
            divide_by=max(1, n_iterations) if b"average_output" in self.fields[""] else 1,
            feature_names=None if self.names == default_names else self.names,
            classes=np.arange(n_classes) if is_classifier else None,
            table_categories=categories,
            absent="zero",
        )


def _option(text):
    name, _, value = text.partition(":")
    return name, value


def _link(name, options, n_outputs):
    """Link, factor on the sums, and whether the objective is one of classification."""
    if name in ("none", "custom", *_IDENTITY):
        return "identity", 1.0, False
    if name == "regression":
        return ("signed_square" if "sqrt" in options else "identity"), 1.0, False
    if name in _EXPONENTIAL:
        return "exp", 1.0, False
    if name == "cross_entropy":
        return "expit", 1.0, False
    if name == "cross_entropy_lambda":
        return "softplus", 1.0, False
    if name == "multiclass" and n_outputs > 1:
        return "softmax", 1.0, True
    if (name == "binary" and n_outputs == 1) or (name == "multiclassova" and n_outputs > 1):
        scale = one_of_text(options.get("sigmoid", "1").encode(), np.float64, "LightGBM model: sigmoid")
        if not (np.isfinite(scale) and scale > 0):
            raise ModelFormatError(f"LightGBM model: has sigmoid {scale}; expected a positive number")
        return "expit", float(scale), True
    raise UnsupportedModelError(
        f"LightGBM model: its objective {name!r:.40} with {n_outputs} trees an iteration is not known"
    )


def _fields(block, what):
    """Lines ``name=value`` as a dict; lines without = under the empty name."""
    fields = {b"": []}
    for line in block.split(b"\n"):
        name, equals, value = line.partition(b"=")
        if not equals:
            fields[b""].append(name)
        elif name in fields:
            raise ModelFormatError(f"LightGBM model: its {what} has {name[:40]!r} twice; the file is damaged")
        else:
            fields[name] = value
    return {name.decode("ascii", "replace"): value for name, value in fields.items()}


class _Tree:
    """The lines of one tree."""

    def __init__(self, block, index):
        number, _, rest = block.partition(b"\n")
        self.what = f"LightGBM model: tree {index}"
        if number.strip() != str(index).encode():
            raise ModelFormatError(f"{self.what} is called {number[:20]!r}; the file is damaged")
        self.fields = _fields(rest, f"tree {index}")

    def values(self, name, dtype, n, infinite=False):
        if name not in self.fields:
            raise ModelFormatError(f"{self.what} lacks {name}; the file is damaged")
        values = of_text(self.fields[name], dtype, f"{self.what}: {name}", infinite)
        if len(values) != n:
            raise ModelFormatError(f"{self.what} has {len(values)} values of {name}; expected {n}")
        return values

    def optional(self, name, dtype, n):
        """The values, or zeros where the line is absent."""
        return self.values(name, dtype, n) if self.fields.get(name) else np.zeros(n, dtype)


def _tree(block, index, n_features):
    tree = _Tree(block, index)
    if tree.optional("is_linear", np.int64, 1)[0] != 0:
        raise UnsupportedModelError(
            f"{tree.what} has linear leaves, which are not supported; train without linear_tree"
        )
    n_leaves = int(tree.values("num_leaves", np.int64, 1)[0])
    if not 1 <= n_leaves <= len(block):
        raise ModelFormatError(f"{tree.what} has {n_leaves} leaves; the file is damaged")
    values = tree.values("leaf_value", np.float64, n_leaves)
    if n_leaves == 1:
        return leaf(values[0], int(tree.optional("leaf_count", np.int64, 1)[0]))
    n_cuts = n_leaves - 1
    cuts = {name: tree.values(name, np.int64, n_cuts) for name in ("split_feature", "left_child", "right_child")}
    if (cuts["split_feature"] < 0).any() or (cuts["split_feature"] >= n_features).any():
        raise ModelFormatError(f"{tree.what} cuts a feature beyond the {n_features} there are; the file is damaged")
    zeros = np.zeros(n_leaves)
    nodes = Nodes(
        feature=np.append(cuts["split_feature"], np.full(n_leaves, -1)),
        left=_child(cuts["left_child"], n_leaves),
        right=_child(cuts["right_child"], n_leaves),
        value=np.append(tree.optional("internal_value", np.float64, n_cuts), values),
        gain=np.append(tree.optional("split_gain", np.float64, n_cuts), zeros),
        count=np.append(
            tree.optional("internal_count", np.int64, n_cuts), tree.optional("leaf_count", np.int64, n_leaves)
        ),
        **_decisions(tree, n_cuts, n_leaves),
    )
    return ordered(nodes, tree.what)


def _child(child, n_leaves):
    """Numbers of nodes from numbers of cuts and leaves; out of range stays out of range."""
    n_cuts = n_leaves - 1
    low, high = -n_leaves, n_cuts - 1
    inside = np.where(child < 0, n_cuts + ~child, child)
    inside = np.where((child < low) | (child > high), -1, inside)
    return np.append(inside, np.full(n_leaves, -1))


def _decisions(tree, n_cuts, n_leaves):
    """Threshold, rule, missing_left and sets of the nodes."""
    threshold = tree.values("threshold", np.float64, n_cuts, infinite=True)  # infinity sets NaN apart
    kind = tree.values("decision_type", np.int64, n_cuts)
    missing = (kind >> 2) & 3
    if (kind < -128).any() or (kind > 127).any() or (missing == 3).any():
        raise ModelFormatError(f"{tree.what} has a decision_type that is none; the file is damaged")
    categorical = (kind & 1) != 0
    # NaN is 0 where no kind of missing value is set apart.
    missing_left = np.where(missing == 0, threshold >= 0, (kind & 2) != 0)
    rule = np.where(missing == 1, NUMERIC_ZERO_MISSING, NUMERIC)
    # Inputs up to _ZERO are 0 first: a cut among them is one beside them.
    near = (np.abs(threshold) <= _ZERO) & ~categorical
    moved = np.where(near, np.where(threshold >= 0, _ZERO, _BELOW_ZERO), threshold)
    tail = np.zeros(n_leaves, dtype=np.uint8)
    decisions = {
        "threshold": np.append(np.where(categorical, 0.0, moved), tail),
        "missing_left": np.append(np.where(categorical, False, missing_left), tail),
    }
    if categorical.any() or (rule != NUMERIC).any():
        decisions["rule"] = np.append(np.where(categorical, CATEGORICAL, rule), tail)
    if categorical.any():
        sets = _sets(tree)
        number = threshold[categorical]
        if not ((number >= 0) & (number < len(sets)) & (number == np.floor(number))).all():
            raise ModelFormatError(f"{tree.what} names a set of categories beyond its {len(sets)}; the file is damaged")
        which = np.full(n_cuts + n_leaves, -1)
        which[:n_cuts][categorical] = number.astype(np.int64)
        decisions.update(category_set=which, sets=sets)
    return decisions


def _sets(tree):
    n = int(tree.values("num_cat", np.int64, 1)[0])
    if not 0 <= n <= len(tree.fields.get("cat_boundaries", b"")):
        raise ModelFormatError(f"{tree.what} has {n} sets of categories; the file is damaged")
    ends = tree.values("cat_boundaries", np.int64, n + 1)
    if ends[0] != 0 or (np.diff(ends) < 0).any() or ends[-1] > len(tree.fields.get("cat_threshold", b"")):
        raise ModelFormatError(f"{tree.what} has cat_boundaries that do not rise from 0; the file is damaged")
    words = tree.values("cat_threshold", np.int64, int(ends[-1]))
    if (words < 0).any() or (words >= 1 << 32).any():
        raise ModelFormatError(f"{tree.what} has a cat_threshold of more than 32 bits; the file is damaged")
    return tuple(words.astype(np.uint32)[begin:end] for begin, end in pairwise(ends))
