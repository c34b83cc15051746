"""Certificates: what every convex fit says of itself, in the same words wherever it stands.

============== ===================================================================================================
objective_     What the docstring says is minimised, at the coefficients found (before they are rounded to float32).
dual_gap_      No coefficients have an objective lower than ``objective_ - dual_gap_``.
kkt_violation_ The largest violation of an optimality condition, |gradient| over the root of curvature times the size
               of the objective: without a unit, the same for columns in any unit, zero at the optimum. What a move
               along one coefficient can still gain is at most half its square, relative to that size.
converged_     Whether the certificate is within `tol`: the gap relative to the objective's size (sums of squares of y,
               deviances, sums of weights), or the violation. Fits that do not iterate are asked for ``CERTIFIED``.
n_passes_      How often the rows were read.
============== ===================================================================================================

That is the one meaning of `tol`: what the certificate may be. A ConvergenceWarning appears only where ``converged_`` is
false. Two parameters of that name are something else for scikit-learn's sake: in ``LinearRegression`` it tells which
singular values are zero, in the classes of stochastic gradient descent the least gain of an epoch.
"""

import numpy as np

from mlwright.io.schema import Choice, Number

CERTIFIED = 1e-6  # violation up to which a fit in closed form is certified: 1e-12 of the squares of y may be left
_NAMES = ("objective_", "dual_gap_", "kkt_violation_", "converged_", "n_passes_")


def certificate_fields(*measures, value=None, objective=None, n_passes=None):
    """Declarations for ``_model_state``; `measures` are ``dual_gap_`` and ``kkt_violation_``, whichever there are."""
    value = Number(0.0) if value is None else value
    return {
        **dict.fromkeys(measures, value),
        "objective_": value if objective is None else objective,
        "converged_": Choice(True, False),
        "n_passes_": Number(0, integer=True) if n_passes is None else n_passes,
    }


def keep_certificate(model, *, objective, converged, n_passes, dual_gap=None, kkt_violation=None):
    """Set the certificate of a fit, and take away what one before it had beyond."""
    for name in _NAMES:
        vars(model).pop(name, None)
    model.objective_, model.converged_, model.n_passes_ = objective, bool(converged), n_passes
    if dual_gap is not None:
        model.dual_gap_ = dual_gap
    if kkt_violation is not None:
        model.kkt_violation_ = float(kkt_violation)


def take_certificate(model, other):
    """Set that of another fit, of which `model` is the answer."""
    for name in _NAMES:
        vars(model).pop(name, None)
        if hasattr(other, name):
            setattr(model, name, getattr(other, name))


def largest_violation(slope, b, size, *, l1=None, positive=False):
    """Largest distance of `slope` from where the optimality conditions want it, over `size`.

    Parameters
    ----------
    slope : array
        The negative gradient of the smooth part of the objective.
    b : array of the same shape
        Coefficients.
    size : array of the same shape
        What slopes are measured by; where it is zero, nothing depends on the coefficient.
    l1 : float or array, or None
        Weights of ``|b|``; None is no such penalty.
    positive : bool
        Whether coefficients are bound to be nonnegative.
    """
    off = np.abs(slope)
    if positive or l1 is not None:
        strength = 0.0 if l1 is None else l1
        beyond = (slope if positive else off) - strength
        off = np.where(b != 0.0, np.abs(slope - strength * np.sign(b)), np.maximum(beyond, 0.0))
    return float((off / np.where(size > 0.0, size, np.inf)).max(initial=0.0))
