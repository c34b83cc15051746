"""How the fitted state is declared for model files, and what shapes alone cannot say."""

import numpy as np

from mlwright._bayesian.loo import LOO_FIELDS
from mlwright._runtime.errors import ModelFormatError
from mlwright.gaussian_process._failures import unsuited
from mlwright.gaussian_process._solvers import SOLVERS
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Choice, Number, Plain, Size, Strings, Tensor

STATE = State(
    **LOO_FIELDS,
    loo_predictions_=Maybe(Tensor("f8", "n", "n t")),
    n_features_in_=Size("p"),
    feature_names_in_=Maybe(Strings("p")),
    kernel_=Plain(),
    X_train_=Tensor("f4 f8", "n p"),
    y_train_=Tensor("f4 f8", "n", "n t"),
    log_marginal_likelihood_value_=Number(),
    log_evidence_=Number(),
    solver_=Choice(*SOLVERS),
    _noise=Tensor("f8", "n"),
    _new_noise=Number(low=0.0),
    _n_neighbors=Number(low=1, integer=True),
    _ordering=Choice("maximin", "coordinate"),
    _centre=Tensor("f8", "t"),
    _scale=Tensor("f8", "t"),
    _column_scale=Tensor("f8", "p"),
    _weights=Tensor("f8", "n t"),
    _upper=Maybe(Tensor("f8", "n n")),
)


def check_state(model):
    """Raise ModelFormatError unless the fitted attributes belong together."""
    problem = _problem(model)
    if problem is not None:
        raise ModelFormatError(f"{type(model).__name__}: {problem}")


def _problem(model):
    n, p = np.shape(model.X_train_)
    y, weights = np.asarray(model.y_train_), np.asarray(model._weights)
    if n == 0 or p == 0 or weights.shape[1] == 0 or (y.ndim == 1 and weights.shape[1] != 1):
        return "its rows and targets do not belong together"
    if not (hasattr(model.kernel_, "theta") and hasattr(model.kernel_, "diag")):
        return f"kernel_ is a {type(model.kernel_).__name__}, expected a kernel"
    positive = all((np.asarray(scale) > 0.0).all() for scale in (model._column_scale, model._scale))
    if not positive or not (np.asarray(model._noise) >= 0.0).all():
        return "a scale is not positive, or a variance of the noise is negative"
    try:
        if not SOLVERS[model.solver_].fits(model._observed(), model.kernel_):
            return str(unsuited(model.solver_, model.kernel_))
    except ValueError as error:
        return str(error)
    return _factor_problem(model)


def _factor_problem(model):
    if model.solver_ != "dense":
        return None
    upper = vars(model).get("_upper")
    if upper is None or not (upper.diagonal() > 0.0).all():
        return "its Cholesky factor is missing or singular"
    return None
