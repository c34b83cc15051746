"""Losses of one score over arrays: what boosting minimises, and linear models will; see ``loss/list.hpp``."""

from mlwright._kernels import layout
from mlwright._kernels.tree import _weights
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_CLOSE = Tolerance(rtol=1e-12, atol=1e-12)


@kernel(native="loss.grad_hess", twin="loss:grad_hess", strategy="loss:scored", tolerance=_CLOSE)
def grad_hess(name, y, raw, parameter=0.0):
    """First and second derivatives of every observation's loss in its score (a bound where the second vanishes)."""
    return core.loss.grad_hess(name, parameter, layout.vector(y), layout.vector(raw))


@kernel(native="loss.value", twin="loss:value", strategy="loss:scored", tolerance=_CLOSE)
def value(name, y, raw, parameter=0.0):
    """The loss of every observation."""
    return core.loss.value(name, parameter, layout.vector(y), layout.vector(raw))


@kernel(native="loss.best_constant", twin="loss:best_constant", strategy="loss:weighted_targets", tolerance=_CLOSE)
def best_constant(name, y, weight=None, parameter=0.0):
    """The constant score of least weighted loss: an exact minimiser, the midpoint of all of them for quantiles."""
    return core.loss.best_constant(name, parameter, layout.vector(y), _weights(weight))


@kernel(native="loss.first_outside", twin="loss:first_outside", strategy="loss:any_targets")
def first_outside(name, y):
    """The first row whose target is outside the loss's domain, or -1."""
    return core.loss.first_outside(name, layout.vector(y))


@kernel(native="loss.weighted_quantile", twin="loss:weighted_quantile", strategy="loss:weighted_values")
def weighted_quantile(y, weight, level):
    """Midpoint of all minimisers of the weighted pinball loss; a weight of 2 is the value twice."""
    return core.loss.weighted_quantile(layout.vector(y), _weights(weight), level)


#: One dict a loss of the list: name, link, convex, constant_hessian, renews_leaves, has_parameter.
TABLE = core.loss.TABLE
