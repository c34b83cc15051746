"""Inputs for ``mlwright._kernels.glm``."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from mlwright._kernels.glm import GlmLoss, Table
from mlwright.reference.linalg import dense
from mlwright.testing.linalg import _weights, coded_designs, designs, shape_of

#: Every loss of the list: a parameter, and the kind of its targets.
LOSSES = {
    "squared_error": (0.0, "any"),
    "binary_log_loss": (0.0, "share"),
    "poisson": (0.0, "count"),
    "gamma": (0.0, "positive"),
    "tweedie": (1.5, "count"),
    "negative_binomial": (0.7, "count"),
    "probit": (0.0, "share"),
    "cloglog": (0.0, "share"),
    "normal_log": (0.0, "any"),
    "normal_inverse": (0.0, "positive"),
    "poisson_identity": (0.0, "count"),
    "gamma_identity": (0.0, "positive"),
    "gamma_inverse": (0.0, "positive"),
    "tweedie_log": (2.5, "positive"),
    "tweedie_identity": (1.3, "count"),
    "inverse_gaussian_log": (0.0, "positive"),
    "inverse_gaussian_identity": (0.0, "positive"),
    "inverse_gaussian_inverse": (0.0, "positive"),
    "inverse_gaussian_inverse_squared": (0.0, "positive"),
}
#: Convex in the score, with the true Hessian: their minimum is unique under an L2 penalty.
CONVEX = ("squared_error", "binary_log_loss", "poisson", "gamma", "tweedie", "negative_binomial", "probit", "cloglog")


def targets(rng, kind, n):
    """Targets of a kind."""
    if kind == "any":
        return rng.standard_normal(n)
    if kind == "positive":
        return np.exp(rng.standard_normal(n))
    return rng.integers(0, 2, n).astype(float) if kind == "share" else rng.poisson(1.5, n).astype(float)


def _table(draw, kind, max_rows, max_columns):
    kinds = designs(max_rows=max_rows, max_columns=max_columns), coded_designs(max_rows, max_columns)
    X = draw(st.one_of(*kinds))
    n, p = shape_of(X)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shift, scale = rng.uniform(0, 40, p), np.ldexp(1.0, rng.integers(-8, -5, p))
    if isinstance(X, tuple) and len(X) == 3:
        shift[: X[2][-1]], scale[: X[2][-1]] = 0.0, 1.0
    offset = rng.standard_normal(n) / 8 if draw(st.booleans()) else None
    table = Table(X, shift, scale, targets(rng, kind, n), _weights(draw, rng, n), offset)
    return table, rng, p


@st.composite
def points(draw):
    """A table and a point where every mean is positive, so that each loss has a value there."""
    name = draw(st.sampled_from(sorted(LOSSES)))
    parameter, kind = LOSSES[name]
    table, rng, p = _table(draw, kind, 400, 40)
    return (
        table,
        GlmLoss(name, parameter),
        rng.uniform(-0.1, 0.1, p) / p,
        1.0 + rng.random() + 20.0 * _wide(table),
    ), {}


def _wide(table):
    """A higher start where scores vary much: identity and inverse links stay inside their domain."""
    return 0.0 if isinstance(table.X, tuple) else 0.05


@st.composite
def fits(draw):
    name = draw(st.sampled_from(CONVEX))
    parameter, kind = LOSSES[name]
    table, rng, p = _table(draw, kind, 200, 12)
    l2 = rng.uniform(0.5, 2.0, p)
    if kind != "any":
        table.y[:2] = (0.0, 1.0)[: len(table.y)] if kind != "positive" else 1.0
        assume_both(table)
    start = float(np.log(np.average(table.y, weights=table.w) + 0.1)) if kind in ("count", "positive") else 0.0
    call = (table, GlmLoss(name, parameter), l2, draw(st.booleans()), np.zeros(p), start)
    return call, {"tol": 1e-9}


def assume_both(table):
    """Targets that differ where weights count, or the intercept's minimum is at infinity."""
    y = table.y if table.w is None else table.y[table.w > 0]
    assume(len(y) > 2 and y.min() < y.max())


def _penalties(draw, l2):
    """Multiples of a penalty, one a row."""
    factors = np.array(draw(st.lists(st.sampled_from((0.1, 0.5, 1.0, 3.0, 20.0)), min_size=1, max_size=4)))
    return factors[:, None] * l2


@st.composite
def paths(draw):
    (table, loss, l2, *rest), options = draw(fits())
    return (table, loss, _penalties(draw, l2), *rest), options


@st.composite
def wide_paths(draw):
    (table, loss, l2, fit_intercept, coef, start), _ = draw(fits())
    Z = (dense(table.X) - table.shift) * table.scale
    squares = (Z**2 if table.w is None else table.w[:, None] * Z**2).sum(axis=0)
    return (table, loss, _penalties(draw, l2), fit_intercept, coef, start, 0.0, squares, 0.25, 1e-8, 20000), {}


def _class_offset(table, rng, k):
    """An offset of every class where the table has one."""
    return None if table.offset is None else rng.standard_normal((len(table.y), k)) / 8


@st.composite
def class_fits(draw):
    table, rng, p = _table(draw, "count", 150, 6)
    k = draw(st.sampled_from((3, 4, 9)))
    y = np.concatenate([np.arange(k), rng.integers(0, k, len(table.y))])[: len(table.y)].astype(float)
    table = table._replace(y=y, offset=_class_offset(table, rng, k))
    seen = y if table.w is None else y[table.w > 0]
    assume(len(np.unique(seen)) == k)
    squares = None
    if draw(st.booleans()):
        Z = (dense(table.X) - table.shift) * table.scale
        squares = (Z**2 if table.w is None else table.w[:, None] * Z**2).sum(axis=0)
    call = (table, k, rng.uniform(0.5, 2.0, p), draw(st.booleans()), np.zeros((p, k)), np.zeros(k), squares)
    return call, {"tol": 1e-8, "max_iter": 20000}


@st.composite
def class_points(draw):
    table, rng, p = _table(draw, "count", 300, 40)
    k = draw(st.sampled_from((3, 8, 13)))
    y = rng.integers(0, k, len(table.y)).astype(float)
    table = table._replace(y=y, offset=_class_offset(table, rng, k))
    return (table, k, rng.standard_normal((p, k)) / p, rng.standard_normal(k)), {}


@st.composite
def weighted_rows(draw):
    table, _, _ = _table(draw, "any", 300, 40)
    return (table.X, table.w), {}


@st.composite
def fold_points(draw):
    (table, loss, coef, intercept), _ = draw(points())
    rng, n_folds = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.sampled_from((1, 3, 8, 11)))
    fold = rng.integers(-1, n_folds, len(table.y)).astype(np.int32)
    return (table, loss, fold, coef * rng.uniform(0.5, 1.0, (n_folds, 1)), intercept + rng.random(n_folds)), {}
