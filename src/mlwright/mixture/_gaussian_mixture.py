"""Mixture of Gaussians by maximum likelihood."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.utils import check_array

from mlwright.io.composite import State
from mlwright.io.schema import Tensor
from mlwright.mixture._base import BaseMixture
from mlwright.mixture._covariances import (
    covariances_of,
    factor_of_covariances,
    factor_of_precisions,
    log_determinants,
    shape_of,
)
from mlwright.mixture._gaussians import Gaussians
from mlwright.mixture._moments import estimates


@dataclass(frozen=True)
class Parameters:
    """Weights, means, covariances and the factors of their inverses."""

    covariance_type: str
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    factors: np.ndarray


class GaussianMixture(BaseMixture):
    """Mixture of Gaussians, by expectation-maximization.

    scikit-learn's estimator, with its starts and iteration, and besides: `sample_weight`, rows with missing values
    (NaN), ``partial_fit``. One pass over the rows an iteration, in which the expectations and the moments for the next
    parameters are computed together; the same bits for any number of threads.

    Parameters
    ----------
    n_components : int, default=1
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        A matrix for each component, one for all, a diagonal one for each, one variance for each.
    tol : float, default=1e-3
        The iteration ends when the mean log-likelihood rises by less.
    reg_covar : float, default=1e-6
        Added to the diagonals of covariances.
    max_iter : int, default=100
    n_init : int, default=1
        Starts, of which the best end counts.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}, default="kmeans"
        How the rows are first divided among the components.
    weights_init : array-like of shape (n_components,), default=None
    means_init : array-like of shape (n_components, n_features), default=None
    precisions_init : array-like, default=None
        Of the shape of `covariances_`. What is given takes the place of what the first division says.
    random_state : int, RandomState instance or None, default=None
        For the start and for ``sample``.
    warm_start : bool, default=False
        Go on from the last fit.
    verbose : int, default=0
    verbose_interval : int, default=10
        Iterations between reports.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        This and the next are float32 where X was, as scikit-learn's; everything is computed in float64.
    means_ : ndarray of shape (n_components, n_features)
    covariances_ : ndarray
        Of shape (n_components, n_features, n_features), (n_features, n_features), (n_components, n_features) or
        (n_components,), by `covariance_type`; so are `precisions_`, their inverses, and `precisions_cholesky_`, upper
        triangles U with ``U U'`` the precision.
    converged_ : bool
    n_iter_ : int
    lower_bound_ : float
        Mean log-likelihood before the last step of the parameters.
    lower_bounds_ : list of float
        The same after each iteration.
    n_samples_seen_ : float
        Sum of weights.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    Dempster, Laird and Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm.
    Ghahramani and Jordan (1994), Supervised learning from incomplete data via an EM approach.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.mixture import GaussianMixture
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(0, 1, (200, 2)), rng.normal(8, 2, (100, 2))])
    >>> X[::7, 1] = np.nan
    >>> model = GaussianMixture(n_components=2, random_state=0).fit(X)
    >>> model.weights_.round(1)
    array([0.7, 0.3])
    >>> model.predict([[0.0, np.nan], [8.0, 8.0]])
    array([0, 1])
    """

    _model_state = State(
        **{
            **BaseMixture._shared_state,
            "weights_": Tensor("f4 f8", "k"),
            "means_": Tensor("f4 f8", "k d"),
            "covariances_": Tensor("f4 f8", "k d d", "d d", "k d", "k"),
            "precisions_cholesky_": Tensor("f4 f8", "k d d", "d d", "k d", "k"),
        }
    )
    _parameter_constraints: ClassVar[dict] = {
        **BaseMixture._parameter_constraints,
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", None],
    }

    def __init__(
        self, n_components=1, *, covariance_type="full", tol=1e-3, reg_covar=1e-6, max_iter=100, n_init=1,
        init_params="kmeans", weights_init=None, means_init=None, precisions_init=None, random_state=None,
        warm_start=False, verbose=0, verbose_interval=10,
    ):  # fmt: skip
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    def bic(self, X):
        """Bayesian information criterion: the lower the better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        bic : float
        """
        log_prob = self._answers(X)[0]
        return float(-2.0 * log_prob.sum() + self._n_parameters() * np.log(len(log_prob)))

    def aic(self, X):
        """Akaike's information criterion: the lower the better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        aic : float
        """
        return float(-2.0 * self._answers(X)[0].sum() + 2.0 * self._n_parameters())

    def _n_parameters(self):
        k, d = self.means_.shape
        covariance = {"full": k * d * (d + 1) / 2, "diag": k * d, "tied": d * (d + 1) / 2, "spherical": k}[self._type]
        return int(covariance + d * k + k - 1)

    def _prior(self, rows):
        """The given parts of the start, checked."""
        k, d = self.n_components, rows.X.shape[1]
        precisions = self._given("precisions_init", shape_of(self.covariance_type, k, d))
        factors = None if precisions is None else self._factors_of_given(precisions)
        weights = self._given("weights_init", (k,))
        if weights is not None and not ((weights >= 0.0).all() and abs(weights.sum() - 1.0) < 1e-8):
            raise ValueError(
                f"GaussianMixture: The parameter 'weights_init' should be normalized: got the sum {weights.sum():.5f} "
                f"and the least value {weights.min():.5g}; expected numbers from 0 to 1 with sum 1."
            )
        return weights, self._given("means_init", (k, d)), factors

    def _kept_prior(self):
        return None

    def _given(self, name, shape):
        value = getattr(self, name)
        if value is None:
            return None
        value = check_array(value, dtype=np.float64, ensure_2d=False, allow_nd=True, input_name=name)
        if value.shape != shape:
            raise ValueError(
                f"GaussianMixture: The parameter '{name}' should have the shape of {shape}, but got {value.shape}."
            )
        return value

    def _factors_of_given(self, precisions):
        square = self.covariance_type in ("full", "tied")
        if np.allclose(precisions, np.swapaxes(precisions, -1, -2)) if square else (precisions > 0.0).all():
            try:
                return factor_of_precisions(precisions, self.covariance_type)
            except np.linalg.LinAlgError:
                pass
        raise ValueError(
            f"GaussianMixture: precisions_init: '{self.covariance_type} precision' should be "
            f"{'symmetric, positive-definite' if square else 'positive'}; got one that is not; give inverses "
            "of covariances."
        )

    def _start(self, moments, prior, total):
        weights, means, factors = prior
        mass, first_means, covariances = estimates(moments, self.covariance_type, self.reg_covar)
        if factors is None:
            factors = factor_of_covariances(covariances, self.covariance_type, type(self).__name__)
        else:
            covariances = covariances_of(factors, self.covariance_type)
        # Starts that leave rows out have weights that do not add up to one, as in scikit-learn: for one iteration.
        weights = mass / total if weights is None else weights
        return Parameters(self.covariance_type, weights, first_means if means is None else means, covariances, factors)

    def _maximised(self, moments, prior):
        mass, means, covariances = estimates(moments, self.covariance_type, self.reg_covar)
        factors = factor_of_covariances(covariances, self.covariance_type, type(self).__name__)
        return Parameters(self.covariance_type, mass / mass.sum(), means, covariances, factors)

    def _bound(self, moments, parameters, total):
        return moments.log_likelihood / total

    def _gaussians_of(self, parameters):
        with np.errstate(divide="ignore"):
            offsets = np.log(parameters.weights)
        return Gaussians(
            parameters.covariance_type, parameters.means, parameters.covariances, parameters.factors, offsets
        )

    def _parameters(self):
        weights, means, covariances, factors = (
            a.astype(np.float64, copy=False)
            for a in (self.weights_, self.means_, self.covariances_, self.precisions_cholesky_)
        )
        if self.covariances_.dtype != np.float64:  # rounded ones may have lost an eigenvalue, beside their factors too
            covariances = covariances_of(factors, self._type)
        return Parameters(self._type, weights, means, covariances, factors)

    def _set(self, parameters, prior, dtype):
        p = parameters
        given = (p.weights, p.means, p.covariances, p.factors)
        kept = self._rounded(given, dtype)
        self.weights_, self.means_, self.covariances_, self.precisions_cholesky_ = kept or given

    def _rounded(self, arrays, dtype):
        """In the dtype of the rows; None where it does not hold the variances of rows that it holds."""
        with np.errstate(over="ignore", divide="ignore"):
            rounded = tuple(a.astype(dtype, copy=False) for a in arrays)
            d = rounded[1].shape[1]
            lasting = [log_determinants(a, self.covariance_type, d) for a in rounded[2:]]
        fits = all(np.isfinite(a).all() for a in (*rounded, *lasting))
        return rounded if fits else None
