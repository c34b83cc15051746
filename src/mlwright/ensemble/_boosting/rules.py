"""From an estimator's parameters to the rules that the native grower follows."""

import numpy as np
from sklearn.utils.validation import _check_monotonic_cst

from mlwright._kernels import tree as kernels
from mlwright.ensemble._boosting.rows import interaction_groups

_DEFAULT_LEAVES = 31


def _max_leaves(estimator):
    """The limit under either of its names."""
    if estimator.max_leaves is None:
        return estimator.max_leaf_nodes
    if estimator.max_leaf_nodes not in (_DEFAULT_LEAVES, estimator.max_leaves):
        raise ValueError(
            f"max_leaves: got {estimator.max_leaves} beside max_leaf_nodes={estimator.max_leaf_nodes}, expected one of "
            "them: they are two names of one limit"
        )
    return estimator.max_leaves


def _row_sampling(estimator):
    sampling = {
        "subsample": estimator.subsample,
        "subsample_freq": estimator.subsample_freq,
        "sampling": estimator.sampling,
        "top_rate": estimator.top_rate,
        "other_rate": estimator.other_rate,
    }
    if estimator.sampling != "goss":
        return sampling
    if estimator.subsample != 1:
        raise ValueError(
            f"subsample: got {estimator.subsample} with sampling='goss', expected 1.0: the gradients say which rows "
            "are taken; set top_rate and other_rate"
        )
    if not 0 < estimator.top_rate + estimator.other_rate <= 1:
        raise ValueError(
            f"top_rate, other_rate: got {estimator.top_rate} and {estimator.other_rate}, expected shares of the rows "
            "whose sum is above 0 and at most 1"
        )
    return sampling


def _monotonic(estimator):
    if estimator.monotonic_cst is not None and estimator.n_trees_per_iteration_ != 1:
        raise ValueError("monotonic constraints are not supported for multiclass classification.")
    monotonic = _check_monotonic_cst(estimator, estimator.monotonic_cst)
    if estimator.is_categorical_ is not None and np.any(monotonic[estimator.is_categorical_] != 0):
        raise ValueError("Categorical features cannot have monotonic constraints.")
    return monotonic


def tree_rules(estimator, columns):
    """What the native grower is told about the columns it grows trees on."""
    monotonic = _monotonic(estimator)
    return kernels.tree_rules(
        learning_rate=estimator.learning_rate,
        max_leaf_nodes=_max_leaves(estimator),
        max_depth=estimator.max_depth,
        min_samples_leaf=estimator.min_samples_leaf,
        l2_regularization=estimator.l2_regularization,
        l1_regularization=estimator.l1_regularization,
        min_child_weight=estimator.min_child_weight,
        max_features=estimator.max_features,
        colsample_bytree=estimator.colsample_bytree,
        extra_trees=estimator.extra_trees,
        **_row_sampling(estimator),
        seed=estimator._seed,
        monotonic=monotonic[columns.features] if np.any(monotonic) else (),
        categorical=columns.is_set if any(columns.is_set) else (),
        interaction=columns.groups(interaction_groups(estimator.interaction_cst, estimator.n_features_in_)),
    )
