"""Shapley values, interactions and base values of forests; see ``tree/shap.hpp``.

Forests are dicts of arrays as in ``mlwright._kernels.tree``. ``cover`` says which weight of training rows passed each
node; without it, ``count`` does.
"""

import numpy as np

from mlwright._kernels import layout
from mlwright._kernels.forest import checked_arrays, leaf_size
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

__all__ = ["make_shap", "shap_base", "shap_interactions", "shap_values"]

_CLOSE = Tolerance(rtol=1e-9, atol=1e-11)


def make_shap(trees, n_features, n_outputs, background=None, *, divide_by=1.0, float32_input=False):
    """The native explainer of one forest; it holds no reference to the arrays."""
    arrays = checked_arrays(trees)
    cover = arrays["cover"] if "cover" in arrays else arrays["count"]
    rows = np.empty((0, n_features)) if background is None else layout.floats(background).astype(np.float64, copy=False)
    return core.shap.TreeShap(
        arrays,
        int(n_features),
        leaf_size(trees),
        layout.vector(cover),
        int(n_outputs),
        float(divide_by),
        bool(float32_input),
        rows,
    )


def values_of(shap, x, n_outputs):
    """Shapley values of shape (n, n_features, n_outputs)."""
    x = layout.floats(x)
    out = np.empty((*x.shape, n_outputs))
    shap.values(x, out)
    return out


def interactions_of(shap, x, n_outputs):
    """Interaction values of shape (n, n_features, n_features, n_outputs)."""
    x = layout.floats(x)
    out = np.empty((*x.shape, x.shape[1], n_outputs))
    shap.interactions(x, out)
    return out


@kernel(native=(), twin="shap:shap_base", strategy="shap:forests", tolerance=_CLOSE)
def shap_base(trees, n_features, n_outputs, background=None):
    """What the trees add up to when no feature is known: shape (n_outputs,)."""
    return make_shap(trees, n_features, n_outputs, background).base()


@kernel(native=(), twin="shap:shap_values", strategy="shap:forests_and_rows", tolerance=_CLOSE)
def shap_values(x, trees, n_outputs, background=None):
    """Shapley values of every row, feature and output: shape (n, n_features, n_outputs)."""
    return values_of(make_shap(trees, x.shape[1], n_outputs, background), x, n_outputs)


@kernel(native=(), twin="shap:shap_interactions", strategy="shap:forests_and_few_rows", tolerance=_CLOSE)
def shap_interactions(x, trees, n_outputs, background=None):
    """Interaction values, symmetric, each row summing to the Shapley value: (n, n_features, n_features, n_outputs)."""
    return interactions_of(make_shap(trees, x.shape[1], n_outputs, background), x, n_outputs)
