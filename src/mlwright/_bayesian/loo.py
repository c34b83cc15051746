"""Scores by leaving one row out: exact where there is a closed form, else by Pareto-smoothed importance sampling."""

import warnings

import numpy as np

from mlwright._kernels.sampler import pareto_smoothed
from mlwright.io.composite import Maybe
from mlwright.io.schema import Number, Tensor

_NUMBERS_AT_ONCE = 1 << 22  # of log likelihoods: 32 MiB
_POOR_K = 0.7

#: To stand in the ``_model_state`` of an estimator that calls :func:`keep_loo`.
LOO_FIELDS = {
    "_loo_score": Maybe(Number()),
    "loo_log_density_": Maybe(Tensor("f8", "*", finite=False)),
    "loo_k_hat_": Maybe(Tensor("f8", "*", finite=False)),
}


def keep_loo(model, log_density=None, k_hat=None, w=None):
    """Set what ``score_loo_`` reads, ``loo_log_density_`` and ``loo_k_hat_``, or take away those of an earlier fit.

    ``score_loo_`` is the sum over rows of ``log p(y_i | all other rows)``, a row of weight 2 counting twice.
    """
    for name in LOO_FIELDS:
        vars(model).pop(name, None)
    if log_density is None:
        return
    model.loo_log_density_ = log_density
    model._loo_score = float(log_density.sum() if w is None else (w * log_density).sum())
    if k_hat is not None:
        model.loo_k_hat_ = k_hat


def kept_score(model):
    """``score_loo_``; with a warning where it is not to be trusted."""
    if "_loo_score" not in vars(model):
        raise AttributeError(
            f"score_loo_: this {type(model).__name__} has no scores of rows left out; fit it on rows at once, with "
            "compute_loo=True where that is a parameter."
        )
    k_hat = vars(model).get("loo_k_hat_", np.zeros(0))
    poor = int((k_hat > _POOR_K).sum())
    if poor:
        warnings.warn(
            f"{type(model).__name__}: leaving out each of {poor} of {len(k_hat)} rows changes the posterior so much "
            f"that score_loo_ is uncertain (k-hat above {_POOR_K}, see loo_k_hat_); use cross-validation.",
            UserWarning,
            stacklevel=3,
        )
    return model._loo_score


def loo_by_importance(n_rows, n_draws, log_likelihood, w=None):
    """Log densities of rows left out, and k-hats, for keep_loo; nothing of size rows x draws is kept.

    Parameters
    ----------
    n_rows, n_draws : int
    log_likelihood : callable
        ``log_likelihood(begin, end)`` of shape (end - begin, n_draws): of those rows under each draw.
    w : array of shape (n_rows,), default=None
        Weights. A row of weight 0 was left out by the fit: its density is the average over the draws, its k-hat NaN.
    """
    step = max(1, _NUMBERS_AT_ONCE // max(1, n_draws))
    out = [pareto_smoothed(log_likelihood(begin, min(begin + step, n_rows))) for begin in range(0, n_rows, step)]
    table = np.concatenate(out)
    score, within, k_hat = table.T.copy()
    if w is None:
        return score, k_hat
    return np.where(w > 0.0, score, within), np.where(w > 0.0, k_hat, np.nan)


def psis_loo(log_likelihood, *, relative_efficiency=1.0):
    """Expected log predictive density by leaving out each observation, from draws that saw all of them.

    Parameters
    ----------
    log_likelihood : array-like of shape (n_chains, n_draws, n_observations)
        Log density of each observation under each draw.
    relative_efficiency : float, default=1.0
        Effective draws per draw, for draws that depend on each other; it sets how many are smoothed.

    Returns
    -------
    dict
        ``elpd``, the sum over observations of ``log p(y_i | all others)``; ``se``, its standard error; ``p_loo``, the
        effective number of parameters; ``pointwise`` and ``k_hat``, ndarrays of shape (n_observations,). A k-hat above
        0.7 (with 2200 draws or more) says that its observation changes the posterior too much for this method.

    Raises
    ------
    ValueError
        For an array without chains, draws or observations, or a number that is not finite; for an efficiency that is
        not positive.

    References
    ----------
    Vehtari, Gelman, Gabry (2017), Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC.
    Statistics and Computing 27. Vehtari, Simpson, Gelman, Yao, Gabry (2024), Pareto smoothed importance sampling.
    JMLR 25(72).

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import psis_loo
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=50)
    >>> mu = y.mean() + rng.normal(size=(4, 500)) / np.sqrt(50)
    >>> told = psis_loo(-0.5 * (y - mu[:, :, None]) ** 2 - 0.5 * np.log(2 * np.pi))
    >>> bool(told["k_hat"].max() < 0.7), bool(0.5 < told["p_loo"] < 1.5)
    (True, True)
    """
    x = np.asarray(log_likelihood, dtype=np.float64)
    if x.ndim != 3 or 0 in x.shape:
        raise ValueError(
            f"log_likelihood: got an array of shape {x.shape}, expected (n_chains, n_draws, n_observations), none 0"
        )
    if not np.isfinite(x).all():
        raise ValueError(
            "log_likelihood: got a number that is not finite; expected an observation to be possible under every draw"
        )
    if not (np.ndim(relative_efficiency) == 0 and 0.0 < relative_efficiency < np.inf):
        raise ValueError(f"relative_efficiency: got {relative_efficiency!r}, expected a positive number")
    n = x.shape[2]
    pointwise, within, k_hat = pareto_smoothed(x.reshape(-1, n).T, float(relative_efficiency)).T.copy()
    return {
        "elpd": float(pointwise.sum()),
        "se": float(np.sqrt(n * pointwise.var())),
        "p_loo": float((within - pointwise).sum()),
        "pointwise": pointwise,
        "k_hat": k_hat,
    }
