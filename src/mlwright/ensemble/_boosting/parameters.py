"""The parameters that all boosting estimators share: what they may be, told once, by what they bear on.

Their meaning is told once too, in the docstring of the regressor. Signatures stand in each class: scikit-learn and
editors read them there.
"""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions

# How single trees grow, and when growth ends. What comes before growth (checks, codes, bins, rows held out) must not
# look at these: fits that differ in them only share it (:mod:`.shared_fits`).
GROWTH = {
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
    "max_leaves": [Interval(Integral, 2, None, closed="left"), None],
    "max_depth": [Interval(Integral, 1, None, closed="left"), None],
    "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
    "min_child_weight": [Interval(Real, 0, None, closed="left")],
    "l1_regularization": [Interval(Real, 0, None, closed="left")],
    "l2_regularization": [Interval(Real, 0, None, closed="left")],
    "max_features": [Interval(RealNotInt, 0, 1, closed="right")],
    "colsample_bytree": [Interval(Real, 0, 1, closed="right")],
    "extra_trees": ["boolean"],
    "subsample": [Interval(Real, 0, 1, closed="right")],
    "subsample_freq": [Interval(Integral, 1, None, closed="left")],
    "sampling": [StrOptions({"uniform", "goss"})],
    "top_rate": [Interval(Real, 0, 1, closed="both")],
    "other_rate": [Interval(Real, 0, 1, closed="both")],
    "interaction_cst": [list, tuple, StrOptions({"pairwise", "no_interactions"}), None],
    "scoring": [str, callable, None],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
}

DIRECTIONS = {"monotonic_cst": ["array-like", dict, None]}

# What trees are grown on.
PREPARATION = {
    "max_bins": [Interval(Integral, 2, 255, closed="both")],
    "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
    "warm_start": ["boolean"],
    "early_stopping": [StrOptions({"auto"}), "boolean"],
    "validation_fraction": [
        Interval(RealNotInt, 0, 1, closed="neither"),
        Interval(Integral, 1, None, closed="left"),
        None,
    ],
    "random_state": ["random_state"],
}

WITHOUT_DIRECTIONS = {**GROWTH, **PREPARATION}
ALL = {**WITHOUT_DIRECTIONS, **DIRECTIONS}
GROWTH_ONLY = frozenset(GROWTH | DIRECTIONS)


def set_parameters(estimator, arguments):
    """Keep the arguments of ``__init__``, its ``locals()``, as they are: attributes of the same names."""
    vars(estimator).update((name, value) for name, value in arguments.items() if name != "self")
