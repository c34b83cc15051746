"""The posterior density of a (hierarchical) generalized linear model and its gradient; ``sampler/glm/density.hpp``.

A point holds the coefficients' numbers (p), the intercept where there is one, the effects of each term, the logarithms
of the terms' scales, the log dispersion where the family has one, and the logarithms of the horseshoe's scales (p + 1).
"""

from typing import Any, NamedTuple

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel

_core = core.glm_density

#: Shapes of the prior of the coefficients.
NORMAL, STUDENT_T, LAPLACE, HORSESHOE = range(4)
#: How a dispersion enters.
NO_DISPERSION, NORMAL_FAMILY, GAMMA, INVERSE_GAUSSIAN, NEGATIVE_BINOMIAL = range(5)

_NOTHING = np.zeros(0)


class GlmTerm(NamedTuple):
    """Normal effects of the levels of a group, added to the scores.

    Attributes
    ----------
    level : int32 array of shape (n,)
    slope : float64 array of shape (n,), or None
        What multiplies a row's effect.
    levels : int
    centred : bool
        Whether a point holds the effects themselves, or numbers that their scale multiplies.
    scale, freedom : float
        Of the half-Student-t prior of their standard deviation; half-normal for infinite freedom.
    """

    level: Any
    slope: Any
    levels: int
    centred: bool
    scale: float
    freedom: float


class GlmModel(NamedTuple):
    """Rows and priors; constants of the priors and terms of y alone are left out of the density.

    Attributes
    ----------
    X, shift, scale : the columns are seen as ``(X - shift) * scale``
    y, w, offset : arrays of shape (n,); the latter two may be None
    loss : str
        Of ``loss/glm_list.hpp``.
    fit_intercept : bool
    prior : int
    prior_scale : array of shape (p,)
    prior_freedom, global_scale, slab : float
        Of Student's t; of the horseshoe's global scale, and of its slab (0: none).
    terms : tuple of GlmTerm
    dispersion : int
    dispersion_scale : float
        Of the half-Student-t(3) prior of the square root of the dispersion.
    weight, moment, least : float
        Sum of the weights; what ``sampler/glm/dispersion.hpp`` says.
    counts, count_weights : arrays
        Of the negative binomial: different targets and their weights.
    intercept_centre, intercept_scale : float
        Of the intercept's normal prior; flat for a scale of 0.
    """

    X: Any
    shift: Any
    scale: Any
    y: Any
    w: Any
    offset: Any
    loss: str
    fit_intercept: bool
    prior: int
    prior_scale: Any
    prior_freedom: float = 0.0
    global_scale: float = 1.0
    slab: float = 0.0
    terms: tuple = ()
    dispersion: int = NO_DISPERSION
    dispersion_scale: float = 1.0
    weight: float = 0.0
    moment: float = 0.0
    least: float = 0.0
    counts: Any = _NOTHING
    count_weights: Any = _NOTHING
    intercept_centre: float = 0.0
    intercept_scale: float = 0.0


class GlmDensity:
    """A model's density as the native samplers take it."""

    def __init__(self, model):
        vectors = ("shift", "scale", "y", "w", "offset", "prior_scale", "counts", "count_weights")
        given = {name: getattr(model, name) for name in vectors}
        given = {name: None if a is None else layout.vector(a) for name, a in given.items()}
        terms = tuple(
            term._replace(
                level=np.require(term.level, np.int32, "CA"),
                slope=None if term.slope is None else layout.vector(term.slope),
            )
            for term in model.terms
        )
        self.native = _core.Density(model._replace(**given, terms=terms))
        self.size = self.native.size
        self.address, self.data_address = self.native.address, self.native.data_address
        self.blocks = np.array([[0.0, self.size, 0.0, 0.0]])

    def __call__(self, point):
        """Log density and gradient."""
        gradient = np.empty(self.size)
        return _core.evaluate(self.native, layout.vector(point), gradient), gradient

    def values(self, points):
        """Log densities of points of shape (m, size)."""
        out = np.empty(len(points))
        _core.evaluate_many(self.native, np.ascontiguousarray(points, dtype=np.float64), out, None)
        return out

    def gradients(self, points):
        """Log densities of points of shape (m, size), and their gradients."""
        points = np.ascontiguousarray(points, dtype=np.float64)
        out, gradients = np.empty(len(points)), np.empty_like(points)
        _core.evaluate_many(self.native, points, out, gradients)
        return out, gradients

    def set_map(self, centre, root):
        """From now on points are u of ``centre + (root @ u[:k], u[k:])``, root being upper triangular, (k, k)."""
        _core.set_map(self.native, layout.vector(centre), np.ascontiguousarray(root.T))

    def clear_map(self):
        """From now on points are the parameters themselves again."""
        self.set_map(np.zeros(self.size), np.zeros((0, 0)))


@kernel(
    native="glm_density.evaluate",
    twin="glm_density:evaluate",
    strategy="glm_density:models",
    tolerance=Tolerance(rtol=1e-6, atol=1e-5),
)
def evaluate(model, point):
    """Log density of a point and its gradient."""
    return GlmDensity(model)(point)


@kernel(
    native="glm_density.evaluate_many",
    twin="glm_density:evaluate_many",
    strategy="glm_density:models_and_points",
    tolerance=Tolerance(rtol=1e-6, atol=1e-5),
)
def evaluate_many(model, points):
    """Log densities of points of shape (m, size), without and with their gradients."""
    density = GlmDensity(model)
    return density.values(points), *density.gradients(points)


@kernel(
    native="glm_density.set_map",
    twin="glm_density:evaluate_mapped",
    strategy="glm_density:mapped_models",
    tolerance=Tolerance(rtol=1e-6, atol=1e-5),
)
def evaluate_mapped(model, centre, root, point):
    """:func:`evaluate` as a function of u; see :meth:`GlmDensity.set_map`."""
    density = GlmDensity(model)
    density.set_map(centre, root)
    return density(point)
