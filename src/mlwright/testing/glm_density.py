"""Inputs for ``mlwright._kernels.glm_density``."""

import numpy as np
from hypothesis import strategies as st

from mlwright._kernels import glm_density as gd
from mlwright.testing.glm import targets

#: Losses with a kind of targets and how their dispersion enters.
FAMILIES = {
    "squared_error": ("any", gd.NORMAL_FAMILY),
    "normal_log": ("any", gd.NORMAL_FAMILY),
    "binary_log_loss": ("share", gd.NO_DISPERSION),
    "probit": ("share", gd.NO_DISPERSION),
    "poisson": ("count", gd.NO_DISPERSION),
    "gamma": ("positive", gd.GAMMA),
    "inverse_gaussian_log": ("positive", gd.INVERSE_GAUSSIAN),
    "negative_binomial": ("count", gd.NEGATIVE_BINOMIAL),
}


def _terms(draw, rng, n):
    terms = []
    for _ in range(draw(st.integers(0, 2))):
        levels = draw(st.integers(1, 4))
        slope = rng.standard_normal(n) if draw(st.booleans()) else None
        freedom = draw(st.sampled_from([1.0, 3.0, np.inf]))
        level = rng.integers(0, levels, n).astype(np.int32)
        terms.append(gd.GlmTerm(level, slope, levels, draw(st.booleans()), rng.uniform(0.3, 2.0), freedom))
    return tuple(terms)


def _sums(dispersion, y, w):
    """What a family with a dispersion needs to know of its targets."""
    moment = {
        gd.GAMMA: lambda: w @ np.log(y),
        gd.INVERSE_GAUSSIAN: lambda: w @ (0.5 / y),
        gd.NEGATIVE_BINOMIAL: lambda: w @ y,
    }.get(dispersion, lambda: 0.0)()
    counts, at = np.unique(y, return_inverse=True)
    return {
        "weight": float(w.sum()),
        "moment": float(moment),
        "least": 0.25,
        "counts": counts,
        "count_weights": np.bincount(at, weights=w),
    }


@st.composite
def models(draw):
    """Every family and prior, with and without weights, offsets and terms, and a point."""
    loss = draw(st.sampled_from(sorted(FAMILIES)))
    kind, dispersion = FAMILIES[loss]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, p = draw(st.sampled_from([1, 7, 130, 300])), draw(st.integers(1, 3))
    y = targets(rng, kind, n)
    w = rng.integers(0, 3, n).astype(float) if draw(st.booleans()) else None
    model = gd.GlmModel(
        rng.standard_normal((n, p)),
        rng.standard_normal(p),
        rng.uniform(0.1, 0.4, p),
        y,
        w,
        rng.standard_normal(n) / 8 if draw(st.booleans()) else None,
        loss,
        draw(st.booleans()),
        draw(st.sampled_from([gd.NORMAL, gd.STUDENT_T, gd.LAPLACE, gd.HORSESHOE])),
        rng.uniform(0.5, 2.0, p),
        prior_freedom=2.0,
        global_scale=0.5,
        slab=draw(st.sampled_from([0.0, 1.5])),
        terms=_terms(draw, rng, n),
        dispersion=dispersion,
        dispersion_scale=1.5,
        intercept_centre=-0.25,
        intercept_scale=draw(st.sampled_from([0.0, 0.75])),
        **_sums(dispersion, y, np.ones(n) if w is None else w),
    )
    size = gd.GlmDensity(model).size
    point = rng.uniform(0.05, 0.6, size) * rng.choice([-1.0, 1.0], size)  # not where the Laplace prior bends
    return (model, point), {}


@st.composite
def models_and_points(draw):
    (model, point), _ = draw(models())
    return (model, np.multiply.outer([1.0, 0.5, -0.3, *np.linspace(0.4, 1, draw(st.sampled_from([0, 6])))], point)), {}


@st.composite
def mapped_models(draw):
    (model, point), _ = draw(models())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    k = draw(st.sampled_from([0, 1, len(point)]))
    root = np.triu(rng.uniform(-0.3, 0.3, (k, k)), 1) + np.diag(rng.uniform(0.5, 1.5, k))
    u = np.full(len(point), 0.1)
    moved = u.copy()
    moved[:k] = root @ u[:k]
    return (model, point - moved, root, u), {}
