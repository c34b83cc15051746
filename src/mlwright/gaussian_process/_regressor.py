"""Gaussian process regression."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.laws import StudentLaw
from mlwright._bayesian.loo import keep_loo
from mlwright.base import fit_context
from mlwright.gaussian_process._dense import DenseSolver
from mlwright.gaussian_process._inputs import added, checked, checked_rows, normalise, require_noise
from mlwright.gaussian_process._optimum import maximise
from mlwright.gaussian_process._posterior import Posterior, leave_out
from mlwright.gaussian_process._prior import moments as prior_moments
from mlwright.gaussian_process._rows import Observed, Settings
from mlwright.gaussian_process._solvers import SOLVERS, choose
from mlwright.gaussian_process._state import STATE, check_state
from mlwright.gaussian_process._vecchia import column_scale

_FUNCTION, _OBSERVATION = 7301, 7302  # streams


class GaussianProcessRegressor(BayesianMixin, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Gaussian process regression: scikit-learn's estimator, its likelihood and gradient native.

    Parameters
    ----------
    kernel : Kernel, default=None
        A kernel of ``sklearn.gaussian_process.kernels``; None is ``ConstantKernel() * RBF()``. Sums and products of
        ConstantKernel, WhiteKernel, RBF, Matern (nu 0.5, 1.5, 2.5 or inf) and RationalQuadratic are evaluated natively;
        others by their own Python code.
    alpha : float or ndarray of shape (n_samples,), default=1e-10
        Variance of the noise, added to the diagonal of the covariance matrix of the rows fitted on; in units of the
        normalised targets.
    optimizer : "fmin_l_bfgs_b", callable or None, default="fmin_l_bfgs_b"
        None keeps the hyperparameters. A callable has the signature ``optimizer(obj_func, initial_theta, bounds)`` and
        returns ``theta_opt, func_min``.
    n_restarts_optimizer : int, default=0
        Starts of the search besides the kernel's own, drawn log-uniformly from the bounds.
    normalize_y : bool, default=False
        Whether targets are centred and scaled to unit variance; predictions are in their own units all the same.
    copy_X_train : bool, default=True
    n_targets : int, default=None
        Number of targets, for draws from the prior.
    random_state : int, RandomState instance or None, default=None
        Of the random starts.
    solver : {"auto", "dense", "state_space", "vecchia"}, default="auto"
        "dense" factors the covariance matrix: O(n^3) time, one matrix of memory. "state_space" is exact in O(n) for X
        of one column and sums of Matern kernels (nu 0.5, 1.5, 2.5) times constants, constants and white noise.
        "vecchia" approximates: each row given its nearest earlier rows, O(n n_neighbors^3), for very many rows. "auto"
        is "state_space" where that applies and there are 256 rows or more, else "dense": it never approximates.
    n_neighbors : int, default=30
        Of "vecchia": rows that each row is given; predictions are given twice as many. The approximation is exact from
        n_samples - 1 on, but slow long before: where hundreds are wanted, "dense" is faster.
    ordering : {"maximin", "coordinate"}, default="maximin"
        Of "vecchia": rows far apart first, or by the sum of their columns.
    compute_loo : bool, default=False
        Whether `fit` predicts each row by all others, without refits: exactly; under "vecchia", as exactly as it
        approximates.

    Attributes
    ----------
    kernel_ : Kernel
        With the hyperparameters found.
    X_train_ : array-like of shape (n_samples, n_features) or list of object
    y_train_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
        Normalised with ``normalize_y=True``.
    L_ : ndarray of shape (n_samples, n_samples)
        Lower Cholesky factor of the covariance matrix of the rows; unless the solver is "dense" it is formed when it is
        asked for.
    alpha_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
        The inverse of that matrix times ``y_train_``.
    log_marginal_likelihood_value_ : float
        Of ``y_train_``, at ``kernel_.theta``.
    log_evidence_ : float
        The same of y in its own units.
    solver_ : str
        The solver used.
    loo_predictions_ : ndarray of shape (n_samples,) or (n_samples, n_targets)
        With ``compute_loo=True``: what each row is predicted to be by all others at these hyperparameters.
    score_loo_ : float
        The sum over rows of ``log p(y_i | all other rows)``.
    loo_log_density_ : ndarray of shape (n_samples,)
        Its terms.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    Intervals, quantiles and draws of observations include the noise: the white noise of the kernel, and `alpha` where
    it is one number; the standard deviations of `predict` include the kernel's noise only, as scikit-learn's do.
    Correlations of predictions by "vecchia" are those of rows given their neighbours among the fit's and new ones.
    ``partial_fit`` keeps hyperparameters and normalisation; the factor of "dense" is extended, the others are computed
    anew. Parameters that are set after a fit count from the next one on.

    References
    ----------
    Rasmussen and Williams (2006), Gaussian Processes for Machine Learning. MIT Press.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    >>> from mlwright.gaussian_process import GaussianProcessRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(0, 6, (80, 1))
    >>> y = np.sin(X[:, 0]) + 0.1 * rng.normal(size=80)
    >>> model = GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X, y)
    >>> bool(abs(model.predict([[1.5]])[0] - np.sin(1.5)) < 0.1)
    True
    >>> model.predict_interval([[1.5], [30.0]], coverage=0.9).shape
    (2, 2)
    """

    _model_state = STATE
    _parameter_constraints: ClassVar[dict] = {
        "kernel": [None, Kernel],
        "alpha": [Interval(Real, 0, None, closed="left"), np.ndarray],
        "optimizer": [StrOptions({"fmin_l_bfgs_b"}), callable, None],
        "n_restarts_optimizer": [Interval(Integral, 0, None, closed="left")],
        "normalize_y": ["boolean"],
        "copy_X_train": ["boolean"],
        "n_targets": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "solver": [StrOptions({"auto", *SOLVERS})],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "ordering": [StrOptions({"maximin", "coordinate"})],
        "compute_loo": ["boolean"],
    }

    def __init__(
        self,
        kernel=None,
        *,
        alpha=1e-10,
        optimizer="fmin_l_bfgs_b",
        n_restarts_optimizer=0,
        normalize_y=False,
        copy_X_train=True,
        n_targets=None,
        random_state=None,
        solver="auto",
        n_neighbors=30,
        ordering="maximin",
        compute_loo=False,
    ):
        self.kernel = kernel
        self.alpha = alpha
        self.optimizer = optimizer
        self.n_restarts_optimizer = n_restarts_optimizer
        self.normalize_y = normalize_y
        self.copy_X_train = copy_X_train
        self.n_targets = n_targets
        self.random_state = random_state
        self.solver = solver
        self.n_neighbors = n_neighbors
        self.ordering = ordering
        self.compute_loo = compute_loo

    # ---------------------------------------------------------------- fitting

    @fit_context
    def fit(self, X, y):
        """Find the hyperparameters of the greatest marginal likelihood, and the posterior there.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or list of object
        y : array-like of shape (n_samples,) or (n_samples, n_targets)

        Returns
        -------
        self : object

        Raises
        ------
        LinAlgError
            If the covariance matrix is not positive definite: rows that are equal, or nearly, with too small an alpha.
        """
        self.kernel_ = ConstantKernel() * RBF() if self.kernel is None else clone(self.kernel)
        X, y = checked(self, X, y, reset=True)
        self._noise = self._settle(len(y))
        self._centre, self._scale, y = normalise(y, self.normalize_y)
        self.X_train_, self.y_train_ = (X.copy(), y.copy()) if self.copy_X_train else (X, y)
        self.solver_ = choose(self.solver, self._observed(), self.kernel_)
        self._column_scale = column_scale(self.kernel_, X.shape[-1])
        solver = self._solver()
        if self.optimizer is not None and self.kernel_.n_dims > 0:
            rng = check_random_state(self.random_state)
            maximise(solver, self.kernel_, self.optimizer, self.n_restarts_optimizer, rng)
        return self._conditioned(solver, solver.state(self.kernel_))

    @fit_context
    def partial_fit(self, X, y):
        """Add rows to what the model was fitted on, at the same hyperparameters; the first call is `fit`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Normalised as those of the fit were.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `alpha` is an array, which has no number for new rows.
        """
        if not hasattr(self, "X_train_"):
            return self.fit(X, y)
        X, y = added(self, X, y)
        n_old, state = len(self.y_train_), self._state()
        self.X_train_ = np.concatenate([self.X_train_, X])
        self.y_train_ = np.concatenate([self.y_train_, y])
        self._noise = np.concatenate([self._noise, self._settle(len(y))])
        solver = self._solver()
        return self._conditioned(solver, solver.extended(state, n_old, self.kernel_))

    def _settle(self, n):
        """Keep what parameters say, which may be set to something else afterwards; the noise of n rows."""
        noise, self._new_noise = require_noise(self.alpha, n)
        self._n_neighbors, self._ordering = int(self.n_neighbors), self.ordering
        return noise

    def _conditioned(self, solver, state):
        for name in ("_weights", "_upper"):  # an earlier fit's
            vars(self).pop(name, None)
        vars(self).update(state)
        self.log_marginal_likelihood_value_ = solver.likelihood_of(state, self.kernel_)
        self.log_evidence_ = self.log_marginal_likelihood_value_ - len(self.y_train_) * float(np.log(self._scale).sum())
        keep_loo(self)
        vars(self).pop("loo_predictions_", None)
        if self.compute_loo:
            left = solver.left_out(state, self.kernel_)
            leave_out(self, solver.observed.y, *left, self._centre, self._scale, self.y_train_.ndim == 1)
        return self

    # ---------------------------------------------------------------- what was fitted

    def _observed(self):
        y = np.asarray(self.y_train_, dtype=np.float64)
        return Observed(self.X_train_, np.ascontiguousarray(y.reshape(len(y), -1)), self._noise)

    def _solver(self):
        settings = Settings(int(self._n_neighbors), self._ordering, self._column_scale)
        return SOLVERS[self.solver_](self._observed(), settings)

    def _posterior(self):
        return Posterior(self._solver(), self.kernel_, self._state(), self._centre, self._scale)

    def _state(self):
        return {name: vars(self)[name] for name in ("_weights", "_upper") if name in vars(self)}

    def _require_fit(self):
        if not hasattr(self, "X_train_"):  # scikit-learn's check asks nothing of a model that predicts by its prior
            raise NotFittedError(f"This {type(self).__name__} instance is not fitted yet: call fit with rows first.")

    @property
    def alpha_(self):
        self._require_fit()
        return self._weights[:, 0] if self.y_train_.ndim == 1 else self._weights

    @property
    def L_(self):
        self._require_fit()
        if not hasattr(self, "_upper"):
            return DenseSolver(self._observed()).state(self.kernel_)["_upper"].T
        return self._upper.T

    def log_marginal_likelihood(self, theta=None, eval_gradient=False, clone_kernel=True):
        """Log marginal likelihood of ``y_train_``.

        Parameters
        ----------
        theta : array-like of shape (n_kernel_params,), default=None
            Logarithms of hyperparameters; None is those of the fit.
        eval_gradient : bool, default=False
            Whether to return the gradient too; for a given theta only.
        clone_kernel : bool, default=True
            False sets ``kernel_.theta``.

        Returns
        -------
        log_likelihood : float
        log_likelihood_gradient : ndarray of shape (n_kernel_params,)
            With ``eval_gradient=True``.
        """
        if theta is None:
            if eval_gradient:
                raise ValueError("Gradient can only be evaluated for theta!=None")
            return self.log_marginal_likelihood_value_
        kernel = self.kernel_.clone_with_theta(theta) if clone_kernel else self.kernel_
        if not clone_kernel:
            kernel.theta = theta
        return self._solver().likelihood(kernel, eval_gradient)

    # ---------------------------------------------------------------- prediction

    def predict(self, X, return_std=False, return_cov=False):
        """Predict; with an unfitted model by the prior.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or list of object
        return_std : bool, default=False
            Whether to return standard deviations too.
        return_cov : bool, default=False
            Whether to return the joint covariance too; not both.

        Returns
        -------
        y_mean : ndarray of shape (n_samples,) or (n_samples, n_targets)
        y_std : ndarray of shape (n_samples,) or (n_samples, n_targets)
            With ``return_std=True``.
        y_cov : ndarray of shape (n_samples, n_samples) or (n_samples, n_samples, n_targets)
            With ``return_cov=True``.
        """
        if return_std and return_cov:
            raise RuntimeError("At most one of return_std or return_cov can be requested.")
        X = checked_rows(self, getattr(self, "kernel_", self.kernel), X)
        if not hasattr(self, "X_train_"):
            return prior_moments(self.kernel, self.n_targets, X, return_std, return_cov)
        posterior = self._posterior()
        if not (return_std or return_cov):
            return _squeezed(posterior.mean(X))
        mean, second = posterior.covariance(X) if return_cov else posterior.deviations(X, warn=True)
        return _squeezed(mean), _squeezed(second)

    def sample_y(self, X, n_samples=1, random_state=0):
        """Draw functions, with the kernel's white noise, at rows; from an unfitted model by the prior.

        Parameters
        ----------
        X : array-like of shape (n_samples_X, n_features) or list of object
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=0
            scikit-learn's generator: `sample_predictive` is the one whose draws depend on the seed alone.

        Returns
        -------
        y_samples : ndarray of shape (n_samples_X, n_samples) or (n_samples_X, n_targets, n_samples)
        """
        rng = check_random_state(random_state)
        mean, covariance = self.predict(X, return_cov=True)
        if mean.ndim == 1:
            return rng.multivariate_normal(mean, covariance, n_samples).T
        targets = range(mean.shape[1])
        parts = [rng.multivariate_normal(mean[:, t], covariance[..., t], n_samples).T[:, None] for t in targets]
        return np.hstack(parts)

    # ---------------------------------------------------------------- the contract of Bayesian estimators

    def _rows_of(self, X):
        self._require_fit()
        return checked_rows(self, self.kernel_, X)

    def _predictive_law(self, X):
        mean, deviation = self._posterior().deviations(self._rows_of(X), self._new_noise)
        return StudentLaw(_squeezed(mean), _squeezed(deviation))

    def _posterior_draws(self, n_samples, seed):
        """Of the function at the rows of the fit: hyperparameters are known, there is nothing else to draw."""
        return {"f": _squeezed(self._posterior().draws(self.X_train_, n_samples, seed, _FUNCTION))}

    def _predictive_draws(self, X, n_samples, seed):
        X = self._rows_of(X)
        return _squeezed(self._posterior().draws(X, n_samples, seed, _OBSERVATION, self._new_noise))

    # ---------------------------------------------------------------- scikit-learn and model files

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def _validate_state(self):
        check_state(self)


def _squeezed(a):
    """Without the axis of targets where there is one target."""
    return a[..., 0] if a.shape[-1] == 1 else a
