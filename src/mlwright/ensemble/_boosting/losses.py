"""What users call the losses of the boosted regressors, and what each needs of targets and parameters.

Adding a loss: a C++ header and its line in ``loss/list.hpp``, a twin in ``mlwright.reference.loss``, a row here, and
its parameter, if it has one, in the regressor's signature.
"""

from dataclasses import dataclass, replace

import numpy as np

from mlwright._kernels import loss as kernels
from mlwright._kernels import tree

_LINKS = {row["name"]: row["link"] for row in kernels.TABLE}


@dataclass(frozen=True)
class LossRow:
    """A loss as users see it.

    Attributes
    ----------
    native : str
        Its name in ``loss/list.hpp``.
    parameter : str or None
        The estimator's parameter that it reads.
    domain : str
        In words, for messages.
    spread : callable or None
        ``spread(estimator)``: residuals are comparable after division by the prediction to this power (the variance
        function's root); None is 0.
    """

    native: str
    parameter: str | None = None
    domain: str = "finite numbers"
    spread: object = None

    @property
    def link(self):
        return _LINKS[self.native]


LOSSES = {
    "squared_error": LossRow("squared_error"),
    "absolute_error": LossRow("absolute_error"),
    "huber": LossRow("huber", "delta"),
    "quantile": LossRow("quantile", "quantile"),
    "expectile": LossRow("expectile", "expectile"),
    "poisson": LossRow("poisson", None, "numbers >= 0, not all zero", lambda e: 0.5),
    "gamma": LossRow("gamma", None, "numbers > 0", lambda e: 1.0),
    "tweedie": LossRow("tweedie", "power", "numbers >= 0, not all zero", lambda e: e.power / 2),
}


def row_of(loss):
    """The row of a loss's name; ValueError for another name."""
    if loss not in LOSSES:
        raise ValueError(
            f"loss: got {loss!r}, expected one of {', '.join(map(repr, LOSSES))}, or a loss of your own from "
            "mlwright.extend"
        )
    return LOSSES[loss]


def spread_of(estimator):
    """The power of the prediction that residuals go with; 0 for a loss of the user's."""
    row = LOSSES.get(estimator.loss) if isinstance(estimator.loss, str) else None
    return 0.0 if row is None or row.spread is None else row.spread(estimator)


def check_domain(loss, y, name="y"):
    """ValueError that names the first row whose target the loss has no value for."""
    if isinstance(loss, str):
        row = row_of(loss)
        outside, domain, called = kernels.first_outside(row.native, y), row.domain, f"for loss={loss!r}"
    else:
        outside, domain, called = loss.first_outside(y), "targets in the domain", f"of your loss {loss.name!r}"
    if outside >= 0:
        raise ValueError(
            f"{name}: row {outside} is {y[outside]}, expected {domain} {called}; "
            "remove or correct such rows, or choose another loss"
        )


def native_spec(estimator, rows, fitted_parameter=None):
    """The engine's view of an estimator's built-in loss, for these training rows.

    Parameters
    ----------
    fitted_parameter : float, optional
        What a parameter that comes from the targets was in the fit that a warm start goes on from.
    """
    row = row_of(estimator.loss)
    if row.link == "log" and not (rows.y > 0).any():
        raise ValueError(
            f"y: got only zeros, expected {row.domain} for loss={estimator.loss!r}; a mean of zero has no logarithm"
        )
    name, value = row.native, 0.0
    if row.parameter is not None:
        value = getattr(estimator, row.parameter)
        if value is None and estimator.loss == "huber":
            value = huber_delta(rows) if fitted_parameter is None else fitted_parameter
        if value is None:
            raise ValueError(
                f"{row.parameter}: got None, expected a number for loss={estimator.loss!r}; e.g. {row.parameter}=0.9"
            )
    if name == "tweedie" and value in (1, 2):
        name, value = ("poisson" if value == 1 else "gamma"), 0.0  # the limits of its formula
        check_domain(name, rows.y)
    return tree.LossSpec(name, link=row.link, parameter=float(value))


def user_spec(loss, rows, continuing):
    """The engine's view of a loss of the user's; a fit that goes on needs no start."""
    compiled = loss.compile()
    start = float("nan") if continuing else loss.start_of(rows.y, rows.weight)
    if isinstance(compiled, tree.LossSpec):
        return replace(compiled, start=start)
    return tree.LossSpec("user", 1, compiled.address, start, loss.link, leaf_address=compiled.leaf_address)


def huber_delta(rows):
    """The 0.9-quantile of the targets' distances from their median; 1 if that is zero."""
    median = kernels.best_constant("absolute_error", rows.y, rows.weight)
    delta = kernels.weighted_quantile(np.abs(rows.y - median), rows.weight, 0.9)
    return delta if 0 < delta < np.inf else 1.0
