"""Mixture of Gaussians by variational inference."""

import math
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import numpy as np
from scipy.special import betaln, digamma, gammaln
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._runtime.errors import ModelFormatError
from mlwright.io.composite import AnyOf, ListOf, State
from mlwright.io.schema import Number, Tensor
from mlwright.mixture._base import BaseMixture
from mlwright.mixture._covariances import factor_of_covariances, log_determinants
from mlwright.mixture._gaussians import Gaussians
from mlwright.mixture._moments import estimates


@dataclass(frozen=True)
class Prior:
    """Hyperparameters, as checked against the rows."""

    weight_concentration: float
    mean_precision: float
    mean: np.ndarray
    degrees_of_freedom: float
    covariance: np.ndarray


@dataclass(frozen=True)
class Parameters:
    """Of the variational posterior."""

    covariance_type: str
    weight_concentration: object
    mean_precision: np.ndarray
    means: np.ndarray
    degrees_of_freedom: object
    covariances: np.ndarray
    factors: np.ndarray


class BayesianGaussianMixture(BaseMixture):
    """Mixture of Gaussians, by variational inference: components that the rows do not need get a weight near zero.

    scikit-learn's estimator, with its starts, priors and iteration, and besides: `sample_weight`, rows with missing
    values (NaN), ``partial_fit``. One pass over the rows an iteration; the same bits for any number of threads.

    Parameters
    ----------
    n_components : int, default=1
        At most that many.
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
    tol : float, default=1e-3
        The iteration ends when the lower bound rises by less.
    reg_covar : float, default=1e-6
        Added to the diagonals of covariances.
    max_iter : int, default=100
    n_init : int, default=1
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}, default="kmeans"
    weight_concentration_prior_type : {"dirichlet_process", "dirichlet_distribution"}, default="dirichlet_process"
        Stick-breaking, or a symmetric Dirichlet distribution.
    weight_concentration_prior : float, default=None
        The less, the fewer components; ``1 / n_components`` by default.
    mean_precision_prior : float, default=None
        1 by default.
    mean_prior : array-like of shape (n_features,), default=None
        The mean of the rows by default.
    degrees_of_freedom_prior : float, default=None
        Above ``n_features - 1``; n_features by default.
    covariance_prior : float or array-like, default=None
        The covariance of the rows by default; a matrix, a vector or a number, by `covariance_type`.
    random_state : int, RandomState instance or None, default=None
    warm_start : bool, default=False
    verbose : int, default=0
    verbose_interval : int, default=10

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        Expected weights.
    means_ : ndarray of shape (n_components, n_features)
    covariances_ : ndarray
        Of the shape that `covariance_type` says, see ``GaussianMixture``; so are `precisions_` and
        `precisions_cholesky_`.
    weight_concentration_ : tuple of two ndarrays of shape (n_components,), or one such ndarray
        Parameters of the beta distributions of the sticks, or of the Dirichlet distribution.
    mean_precision_ : ndarray of shape (n_components,)
    degrees_of_freedom_ : ndarray of shape (n_components,), or float for "tied"
    weight_concentration_prior_, mean_precision_prior_, degrees_of_freedom_prior_ : float
    mean_prior_ : ndarray of shape (n_features,)
    covariance_prior_ : float or ndarray
    converged_ : bool
    n_iter_ : int
    lower_bound_ : float
        Up to a constant.
    lower_bounds_ : list of float
    n_samples_seen_ : float
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    Bishop (2006), Pattern Recognition and Machine Learning, section 10.2.
    Blei and Jordan (2006), Variational inference for Dirichlet process mixtures.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.mixture import BayesianGaussianMixture
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(0, 1, (200, 2)), rng.normal(8, 2, (100, 2))])
    >>> model = BayesianGaussianMixture(n_components=5, max_iter=1000, random_state=0).fit(X)
    >>> int((model.weights_ > 0.05).sum())
    2
    """

    _model_state = State(
        **BaseMixture._shared_state,
        weight_concentration_=AnyOf(Tensor("f8", "k"), ListOf(Tensor("f8", "k"), kind=tuple)),
        mean_precision_=Tensor("f8", "k"),
        degrees_of_freedom_=AnyOf(Tensor("f8", "k"), Number(0.0)),
        weight_concentration_prior_=Number(0.0),
        mean_precision_prior_=Number(0.0),
        mean_prior_=Tensor("f8", "d"),
        degrees_of_freedom_prior_=Number(0.0),
        covariance_prior_=AnyOf(Tensor("f8", "d d", "d"), Number(0.0)),
    )
    _parameter_constraints: ClassVar[dict] = {
        **BaseMixture._parameter_constraints,
        "weight_concentration_prior_type": [StrOptions({"dirichlet_process", "dirichlet_distribution"})],
        "weight_concentration_prior": [None, Interval(Real, 0.0, None, closed="neither")],
        "mean_precision_prior": [None, Interval(Real, 0.0, None, closed="neither")],
        "mean_prior": [None, "array-like"],
        "degrees_of_freedom_prior": [None, Interval(Real, 0.0, None, closed="neither")],
        "covariance_prior": [None, "array-like", Interval(Real, 0.0, None, closed="neither")],
    }

    def __init__(
        self, *, n_components=1, covariance_type="full", tol=1e-3, reg_covar=1e-6, max_iter=100, n_init=1,
        init_params="kmeans", weight_concentration_prior_type="dirichlet_process", weight_concentration_prior=None,
        mean_precision_prior=None, mean_prior=None, degrees_of_freedom_prior=None, covariance_prior=None,
        random_state=None, warm_start=False, verbose=0, verbose_interval=10,
    ):  # fmt: skip
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weight_concentration_prior_type = weight_concentration_prior_type
        self.weight_concentration_prior = weight_concentration_prior
        self.mean_precision_prior = mean_precision_prior
        self.mean_prior = mean_prior
        self.degrees_of_freedom_prior = degrees_of_freedom_prior
        self.covariance_prior = covariance_prior
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    # -------------------------------------------------------------- the prior

    def _prior(self, rows):
        d = rows.X.shape[1]
        freedom = float(d) if self.degrees_of_freedom_prior is None else float(self.degrees_of_freedom_prior)
        if freedom <= d - 1.0:
            raise ValueError(
                "The parameter 'degrees_of_freedom_prior' should be greater than "
                f"{d - 1}, but got {freedom:.3f}; give n_features or more."
            )
        concentration = self.weight_concentration_prior
        return Prior(
            1.0 / self.n_components if concentration is None else float(concentration),
            1.0 if self.mean_precision_prior is None else float(self.mean_precision_prior),
            rows.overall.centres[0] if self.mean_prior is None else self._given("mean_prior", (d,)),
            freedom,
            self._covariance_of(rows.overall) if self.covariance_prior is None else self._given_covariance(d),
        )

    def _covariance_of(self, overall):
        """Of the rows: weights count as repetitions."""
        covariance = overall.squares[0] / max(overall.mass[0] - 1.0, np.finfo(float).tiny)
        if self.covariance_type in ("full", "tied"):
            return covariance
        variances = np.diagonal(covariance).copy()
        return variances if self.covariance_type == "diag" else float(variances.mean())

    def _given(self, name, shape):
        value = check_array(getattr(self, name), dtype=np.float64, ensure_2d=False, input_name=name)
        if value.shape != shape:
            raise ValueError(f"The parameter '{name}' should have the shape of {shape}, but got {value.shape}.")
        return value

    def _given_covariance(self, d):
        kind = self.covariance_type
        if kind == "spherical":
            if not isinstance(self.covariance_prior, Real):
                raise ValueError("The parameter 'spherical covariance_prior' should be a number; got an array.")
            return float(self.covariance_prior)
        value = self._given("covariance_prior", (d,) if kind == "diag" else (d, d))
        if kind == "diag":
            valid = (value > 0.0).all()
        else:
            valid = np.allclose(value, value.T) and (np.linalg.eigvalsh(value) > 0.0).all()
        if not valid:
            wanted = "positive" if kind == "diag" else "symmetric, positive-definite"
            raise ValueError(f"'{kind} covariance_prior' should be {wanted}; got one that is not.")
        return value

    def _kept_prior(self):
        return Prior(
            self.weight_concentration_prior_, self.mean_precision_prior_, self.mean_prior_,
            self.degrees_of_freedom_prior_, self.covariance_prior_,
        )  # fmt: skip

    # ---------------------------------------------------------- the iteration

    def _start(self, moments, prior, total):
        return self._maximised(moments, prior)

    def _maximised(self, moments, prior):
        """The best posterior for given responsibilities (Bishop 2006, equations 10.57 to 10.63)."""
        kind = self.covariance_type
        mass, means, covariances = estimates(moments, kind, self.reg_covar)
        precision = prior.mean_precision + mass
        shrunk = (prior.mean_precision * prior.mean + mass[:, None] * means) / precision[:, None]
        pull = prior.mean_precision / precision
        freedom, scatter = _scatter(kind, mass, means - prior.mean, pull, covariances, prior)
        return Parameters(
            kind, self._concentration(mass, prior), precision, shrunk, freedom, scatter,
            factor_of_covariances(scatter, kind, type(self).__name__),
        )  # fmt: skip

    def _concentration(self, mass, prior):
        if self.weight_concentration_prior_type == "dirichlet_distribution":
            return prior.weight_concentration + mass
        later = np.append(np.cumsum(mass[::-1])[-2::-1], 0.0)
        return 1.0 + mass, prior.weight_concentration + later

    def _gaussians_of(self, parameters):
        d = parameters.means.shape[1]
        freedom = parameters.degrees_of_freedom
        log_lambda = d * math.log(2.0) + digamma(0.5 * np.subtract.outer(freedom, np.arange(d))).sum(axis=-1)
        offsets = (
            _log_weights(parameters.weight_concentration)
            - 0.5 * d * np.log(freedom)
            + 0.5 * (log_lambda - d / parameters.mean_precision)
        )
        return Gaussians(
            parameters.covariance_type, parameters.means, parameters.covariances, parameters.factors, offsets
        )

    def _bound(self, moments, parameters, total):
        """The evidence lower bound after a step of the parameters, up to a constant."""
        k, d = parameters.means.shape
        freedom, kind = parameters.degrees_of_freedom, parameters.covariance_type
        log_det = log_determinants(parameters.factors, kind, d) - 0.5 * d * np.log(freedom)
        wishart = freedom * (log_det + 0.5 * d * math.log(2.0))
        wishart = wishart + gammaln(0.5 * np.subtract.outer(freedom, np.arange(d))).sum(axis=-1)
        weights = parameters.weight_concentration
        if isinstance(weights, tuple):
            weight_norm = -betaln(*weights).sum()
        else:
            weight_norm = gammaln(weights.sum()) - gammaln(weights).sum()
        return float(
            moments.entropy
            + (k * wishart if kind == "tied" else wishart.sum())
            - weight_norm
            - 0.5 * d * np.log(parameters.mean_precision).sum()
        )

    # --------------------------------------------------- parameters and state

    def _parameters(self):
        return Parameters(
            self._type, self.weight_concentration_, self.mean_precision_, self.means_, self.degrees_of_freedom_,
            self.covariances_, self.precisions_cholesky_,
        )  # fmt: skip

    def _set(self, parameters, prior, dtype):
        # In float64 whatever the dtype of the rows, as scikit-learn's: its priors are.
        self.weight_concentration_prior_, self.mean_precision_prior_ = prior.weight_concentration, prior.mean_precision
        self.mean_prior_, self.covariance_prior_ = prior.mean, prior.covariance
        self.degrees_of_freedom_prior_ = prior.degrees_of_freedom
        self.weight_concentration_, self.mean_precision_ = parameters.weight_concentration, parameters.mean_precision
        self.means_, self.covariances_ = parameters.means, parameters.covariances
        self.degrees_of_freedom_, self.precisions_cholesky_ = parameters.degrees_of_freedom, parameters.factors
        self.weights_ = _expected_weights(parameters.weight_concentration)

    def _validate_state(self):
        """Raise ModelFormatError unless the fitted arrays fit each other: for models read from files."""
        super()._validate_state()
        k, d = self.means_.shape
        weights = self.weight_concentration_
        parts = weights if isinstance(weights, tuple) else (weights,)
        positive = [*parts, self.mean_precision_, np.add(self.degrees_of_freedom_, 1.0 - d)]
        if len(parts) > 2 or any(np.shape(a) not in ((k,), ()) or not np.all(np.asarray(a) > 0.0) for a in positive):
            raise ModelFormatError(
                "BayesianGaussianMixture: concentrations, precisions or degrees of freedom are not positive, or not "
                "one a component; the file is damaged."
            )


def _scatter(kind, mass, step, pull, covariances, prior):
    """Degrees of freedom, and the scale matrices over them (Bishop 2006, equations 10.62 and 10.63)."""
    if kind == "tied":
        k = len(mass)
        freedom = float(prior.degrees_of_freedom + mass.sum() / k)
        between = (mass * pull * step.T) @ step / k
        return freedom, (prior.covariance + covariances * mass.sum() / k + between) / freedom
    freedom = prior.degrees_of_freedom + mass
    if kind == "full":
        between = pull[:, None, None] * step[:, :, None] * step[:, None, :]
        return freedom, (prior.covariance + mass[:, None, None] * (covariances + between)) / freedom[:, None, None]
    if kind == "diag":
        between = pull[:, None] * step**2
        return freedom, (prior.covariance + mass[:, None] * (covariances + between)) / freedom[:, None]
    between = pull * (step**2).mean(axis=1)
    return freedom, (prior.covariance + mass * (covariances + between)) / freedom


def _log_weights(concentration):
    """Expected logarithms of the weights."""
    if not isinstance(concentration, tuple):
        return digamma(concentration) - digamma(concentration.sum())
    taken, left = concentration
    both = digamma(taken + left)
    return digamma(taken) - both + np.append(0.0, np.cumsum(digamma(left) - both)[:-1])


def _expected_weights(concentration):
    if not isinstance(concentration, tuple):
        return concentration / concentration.sum()
    taken, left = concentration
    share = left / (taken + left)
    weights = taken / (taken + left) * np.append(1.0, np.cumprod(share[:-1]))
    return weights / weights.sum()
