"""What a fit without a penalty keeps of its inference, so that standard errors need no rows: arrays and numbers."""

import warnings
from dataclasses import fields

import numpy as np

from mlwright._runtime.errors import ModelFormatError
from mlwright.io.composite import MapOf, Optional, Record
from mlwright.io.schema import Choice, Number, Tensor, Text
from mlwright.linear_model._inference.covariance import Kind
from mlwright.linear_model._inference.result import Inference

MOST_PARAMETERS = 512  # whose covariance is a small part of what a fit costs

#: The non-robust :class:`Inference` of a fit but for its names and parameters.
KEPT = Record(
    model=Text(),
    intercept=Choice(True, False),
    std_errors=Tensor("f8", "e"),
    cov_params=Tensor("f8", "e e"),
    use_t=Choice(True, False),
    n_obs=Number(0.0),
    dispersion=Number(0.0),
    log_likelihood=Optional(Number()),
    n_estimated=Number(0, integer=True),
    n_sets=Number(1, integer=True),
    fingerprint=Tensor("f8", "*"),
    figures=MapOf(Number()),
)


def kept_of(infer):
    """What to keep of the :class:`Inference` (or list of them) that ``infer()`` gives, or None where there is none."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            result = infer()
        except ValueError:  # dependent columns, separable classes, few rows: inference(X, y) says which
            return None
    if not isinstance(result, list):
        return _kept(result)
    each = [_kept(one) for one in result]
    return None if any(one is None for one in each) else each


def _kept(result):
    if not np.isfinite(result.cov_params).all():
        return None
    own = {field.name: getattr(result, field.name) for field in fields(result) if field.name in KEPT.fields}
    own |= {"intercept": bool(not result.slopes.all()), "fingerprint": np.array(result.fingerprint, dtype=np.float64)}
    own["figures"] = {name: float(value) for name, value in result.figures.items()}
    return own


def restored(kept, names, params, use_t=None):
    """The non-robust :class:`Inference` of what a fit kept.

    Parameters
    ----------
    kept : dict
    names : sequence of str
        Of the parameters.
    params : array of shape (k,)
    use_t : bool, optional
    """
    k, n_sets = len(params), kept["n_sets"]
    slopes = np.arange(k) % (k // n_sets) >= int(kept["intercept"])
    own = {name: value for name, value in kept.items() if name != "intercept"}
    own |= {"fingerprint": tuple(kept["fingerprint"]), "use_t": kept["use_t"] if use_t is None else bool(use_t)}
    df = kept["n_obs"] - k
    return Inference(
        names=tuple(names),
        slopes=slopes,
        params=np.asarray(params, dtype=np.float64),
        cov_type="nonrobust",
        description=Kind("nonrobust").description,
        df_tests=df,
        df_model=int(slopes.sum()),
        df_resid=df,
        **own,
    )


def require_sound(subject, kept, n_parameters):
    """ModelFormatError unless what a file says was kept fits the model: for models read from files."""
    if kept is None:
        return
    sound = len(kept["std_errors"]) == n_parameters and n_parameters % kept["n_sets"] == 0
    if not sound or not (kept["std_errors"] >= 0.0).all() or kept["n_obs"] <= n_parameters:
        raise ModelFormatError(
            f"{subject}: its standard errors are not of {n_parameters} parameters; the file is damaged or not written "
            "by mlwright."
        )
