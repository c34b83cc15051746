"""Linear regression with the horseshoe prior."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions

from mlwright._bayesian.chains import Chains
from mlwright._bayesian.loo import LOO_FIELDS
from mlwright._kernels.horseshoe import Problem, sample_horseshoe
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.progress import Reporter
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright._validation import explain_not_finite, rows_for_fit
from mlwright.base import fit_context
from mlwright.bayes._drawn_regression import DrawnRegression, drawn_intercepts
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Number, Size, Strings, Tensor
from mlwright.linear_model._base import column_means, finite
from mlwright.linear_model._least_squares import centred_rows
from mlwright.linear_model._scales import Scales

_GRAM = 512  # columns up to which a Gram matrix costs little: draws then do not depend on how rows are counted


class HorseshoeRegressor(DrawnRegression, RegressorMixin, BaseEstimator):
    """Linear regression with the horseshoe prior: small coefficients shrink to next to nothing, large ones do not.

    ``y ~ N(b0 + X b, s2)``, ``b_j ~ N(0, s2 tau^2 lambda_j^2)`` in standardised columns, ``lambda_j ~ HalfCauchy(1)``,
    ``tau ~ HalfCauchy(global_scale)``, ``s2 ~ InverseGamma(noise_shape, noise_rate)`` in units of the variance of y,
    and a flat prior for the intercept. Markov chains draw each coefficient together with its scale, which lets it
    change between next to nothing and a signal in one step, and from time to time all coefficients at once.

    Parameters
    ----------
    global_scale : float or "auto", default="auto"
        Median of tau. ``"auto"`` follows from `n_expected`.
    n_expected : int, default=1
        How many columns are thought to matter; with ``"auto"``, tau is of the size ``n_expected / (n_features -
        n_expected) / sqrt(n_samples)``.
    slab_scale : float, default=None
        The regularised horseshoe: coefficients are not expected beyond this many standard deviations of the noise.
        None is no bound.
    noise_shape, noise_rate : float, default=1e-3
    fit_intercept : bool, default=True
    chains : int, default=4
    draws, warm_up : int, default=1000
        Of each chain.
    random_state : int, RandomState instance, Generator or None, default=None
        Of the chains. An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.
    verbose : int, default=0

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Posterior mean.
    intercept_ : float
    score_loo_ : float
        The sum over rows of ``log p(y_i | all other rows)``, by importance sampling over up to 1000 draws.
    loo_log_density_, loo_k_hat_ : ndarray of shape (n_samples,)
        Its terms, and how far to trust them: above 0.7, not.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    Carvalho, Polson, Scott (2010), The horseshoe estimator for sparse signals. Biometrika 97. Piironen, Vehtari (2017),
    Sparsity information and regularization in the horseshoe and other shrinkage priors. Electronic Journal of
    Statistics 11. Nishimura, Suchard (2023), Shrinkage with shrunken shoulders. Bayesian Analysis 18.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import HorseshoeRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 20))
    >>> y = 2.0 * X[:, 3] + rng.normal(size=60)
    >>> model = HorseshoeRegressor(draws=8000, random_state=0).fit(X, y)
    >>> int(np.abs(model.coef_).argmax())
    3
    """

    _model_state = State(
        n_features_in_=Size("p"),
        feature_names_in_=Maybe(Strings("p")),
        coef_=Tensor("f8", "p"),
        intercept_=Number(),
        _mean=Tensor("f8", "q"),
        _intercept_variance=Number(0.0),
        _coef_draws=Tensor("f8", "c d p"),
        _variance_draws=Tensor("f8", "c d"),
        _scale_draws=Tensor("f8", "c d"),
        **LOO_FIELDS,
    )
    _parameter_constraints: ClassVar[dict] = {
        "global_scale": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "n_expected": [Interval(Integral, 1, None, closed="left")],
        "slab_scale": [None, Interval(Real, 0, None, closed="neither")],
        "noise_shape": [Interval(Real, 0, None, closed="neither")],
        "noise_rate": [Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "chains": [Interval(Integral, 1, None, closed="left")],
        "draws": [Interval(Integral, 1, None, closed="left")],
        "warm_up": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        global_scale="auto",
        n_expected=1,
        slab_scale=None,
        noise_shape=1e-3,
        noise_rate=1e-3,
        fit_intercept=True,
        chains=4,
        draws=1000,
        warm_up=1000,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.global_scale = global_scale
        self.n_expected = n_expected
        self.slab_scale = slab_scale
        self.noise_shape = noise_shape
        self.noise_rate = noise_rate
        self.fit_intercept = fit_intercept
        self.chains = chains
        self.draws = draws
        self.warm_up = warm_up
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights count as repetitions.

        Returns
        -------
        self : object
        """
        rows = rows_for_fit(self, X, y, sample_weight, accept_sparse=False, multi_output=False)
        if not finite(rows):
            explain_not_finite(self, rows)
        with limit(self.n_jobs):
            coef, variance, scale, scales = self._run(rows)
            self._coef_draws, self._variance_draws = coef * scales.of_coef, variance * scales.y**2
            self._scale_draws = scale
            p = coef.shape[2]
            self.coef_ = self._coef_draws.reshape(-1, p).mean(axis=0)
            self.intercept_ = float(self._mean[-1] - self.coef_ @ self._mean[:-1])
            self._score_loo(rows, self.chains * self.draws)
        told = {"noise_variance": variance, "log global_scale": np.log(scale)}
        Chains(told).warn("HorseshoeRegressor", stacklevel=4)
        return self

    def _run(self, rows):
        x_mean, y_mean = column_means(rows, self.fit_intercept)
        scales = Scales.of_rows(rows, x_mean, y_mean)
        Z, target = centred_rows(rows, x_mean, y_mean)
        Z = np.divide(Z, scales.x, order="F")  # sums do not depend on the layout of X
        weight, flat = float(len(Z)) if rows.w is None else float(rows.w.sum()), bool(self.fit_intercept)
        self._mean, self._intercept_variance = np.append(x_mean, y_mean), flat / weight
        if weight <= flat:
            raise ValueError(
                f"HorseshoeRegressor: got n_samples={len(Z)} of weight {weight:g}, which the intercept takes up; "
                "expected at least 2 rows."
            )
        n, p = Z.shape
        problem = Problem(
            Z,
            target[:, 0] / scales.y,
            None if p > max(n, _GRAM) else Z.T @ Z,
            shape=float(self.noise_shape) + 0.5 * (weight - flat),
            rate=float(self.noise_rate),
            global_scale=self._global_scale(p, weight),
            slab_precision=0.0 if self.slab_scale is None else float(self.slab_scale) ** -2.0,
        )
        reporter = Reporter("sampling", (self.warm_up + self.draws) * self.chains, verbose=self.verbose)
        draws = sample_horseshoe(problem, seed_from(self.random_state), self.chains, self.warm_up, self.draws, reporter)
        return *draws, scales

    def _global_scale(self, p, weight):
        if self.global_scale != "auto":
            return float(self.global_scale)
        relevant = min(self.n_expected, max(0.5 * p, 0.5))
        return relevant / (p - relevant) / np.sqrt(max(weight, 1.0))

    def _chains(self):
        draws = {"coef": self._coef_draws, "noise_variance": self._variance_draws, "global_scale": self._scale_draws}
        return Chains(draws)

    def _posterior_draws(self, n_samples, seed):
        draws = self._chains().pick(n_samples, seed)
        return draws | {"intercept": drawn_intercepts(draws, self._mean, self._intercept_variance, seed)}

    def _validate_state(self):
        coef, p = self._coef_draws, self.n_features_in_
        fits = coef.ndim == 3 and coef.size > 0 and coef.shape[2] == p and self._mean.shape == (p + 1,)
        fits = fits and self._variance_draws.shape == self._scale_draws.shape == coef.shape[:2]
        if not (fits and (self._variance_draws > 0.0).all()):
            raise ModelFormatError(
                "HorseshoeRegressor: its draws do not fit each other; the file is damaged or not written by mlwright."
            )
