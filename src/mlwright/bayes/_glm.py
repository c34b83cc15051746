"""Bayesian logistic and Poisson regression."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy import special
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from mlwright._bayesian.chains import Chains
from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.laws import DrawnLaw
from mlwright._bayesian.loo import LOO_FIELDS, keep_loo, loo_by_importance
from mlwright._kernels.glm import GlmLoss
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.rng import normal, uniform
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright._validation import require_finite, rows_for_predict
from mlwright.base import fit_context
from mlwright.bayes._glm_posterior import Draws, Likelihood, find_mode, sample_posterior
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Labels, Number, Size, Strings, Tensor

_LAPLACE, _PICK = 7411, 7412  # streams
_LAW_DRAWS = 4000
_LOO_DRAWS = 1000
_NUMBERS_AT_ONCE = 1 << 22

_FIELDS = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    "log_evidence_": Number(),
    "k_hat_": Number(finite=False),
    "acceptance_rate_": Number(0.0, 1.0),
    "_coef_draws": Tensor("f8", "c d p"),
    "_intercept_draws": Tensor("f8", "c d"),
    **LOO_FIELDS,
}
_CONSTRAINTS = {
    "prior_scale": [Interval(Real, 0, None, closed="neither")],
    "method": [StrOptions({"sample", "laplace"})],
    "fit_intercept": ["boolean"],
    "chains": [Interval(Integral, 1, None, closed="left")],
    "draws": [Interval(Integral, 4, None, closed="left")],
    "random_state": ["random_state", np.random.Generator],
    "n_jobs": [None, Integral],
}


class _BayesianGLM(BayesianMixin, BaseEstimator):
    """A subclass gives ``_loss``, ``_constant(y)`` (see Likelihood) and ``_mean(eta)``."""

    def __init__(
        self,
        *,
        prior_scale=2.5,
        method="sample",
        fit_intercept=True,
        chains=4,
        draws=1000,
        random_state=None,
        n_jobs=None,
    ):
        self.prior_scale = prior_scale
        self.method = method
        self.fit_intercept = fit_intercept
        self.chains = chains
        self.draws = draws
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _fit_rows(self, X, y, sample_weight):
        """From validated rows and targets to draws."""
        w = None
        if sample_weight is not None:
            w = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        shift, scale = _standardise(X, w, self.fit_intercept)
        likelihood = Likelihood(
            X, y, w, self._loss, self._constant(y), shift, scale, bool(self.fit_intercept), self._mean
        )
        precision = np.full(X.shape[1], float(self.prior_scale) ** -2.0)
        name = type(self).__name__
        with limit(self.n_jobs):
            laplace = find_mode(likelihood, precision, name)
            seed = seed_from(self.random_state)
            draws = sample_posterior(likelihood, precision, laplace, self.chains, self.draws, seed)
            if self.method == "laplace":
                draws = self._laplace_draws(laplace, draws, seed)
            else:
                draws.warn(name, stacklevel=6)
            self._keep(likelihood, draws)
        return self

    def _laplace_draws(self, laplace, draws, seed):
        shape = draws.theta.shape
        z = normal(seed, _LAPLACE, draws.theta.size).reshape(-1, shape[2])
        theta = laplace.mode + affine_map(z, laplace.root, np.zeros(shape[2]))
        return Draws(theta.reshape(shape), 1.0, draws.k_hat, draws.log_evidence)

    def _keep(self, likelihood, draws):
        flat = draws.theta.reshape(-1, draws.theta.shape[2])
        coef, intercept = likelihood.original(flat)
        shape = draws.theta.shape[:2]
        self._coef_draws, self._intercept_draws = coef.reshape(*shape, -1), intercept.reshape(shape)
        self.k_hat_, self.acceptance_rate_, self.log_evidence_ = draws.k_hat, draws.acceptance, draws.log_evidence

        some = flat[:: -(-len(flat) // _LOO_DRAWS)]

        def log_likelihood(begin, end):
            return likelihood.log_likelihood(begin, end, some)

        keep_loo(self, *loo_by_importance(len(likelihood.y), len(some), log_likelihood), w=likelihood.w)

    def _chains(self):
        return Chains({"coef": self._coef_draws, "intercept": self._intercept_draws})

    def _posterior_draws(self, n_samples, seed):
        return self._chains().pick(n_samples, seed)

    def _checked(self, X):
        X, finite = rows_for_predict(self, X, accept_sparse=False)
        if not finite:
            require_finite(self, X)
        return X

    def _means(self, X, draws):
        """Mean of an observation under each draw, shape (n, n_draws)."""
        return self._mean(affine_map(as_design(X), draws["coef"], draws["intercept"]))

    def _all_draws(self):
        p = self._coef_draws.shape[2]
        return {"coef": self._coef_draws.reshape(-1, p), "intercept": self._intercept_draws.ravel()}

    def _posterior_mean(self, X):
        """Of the mean of an observation: its average over all draws."""
        X, draws = self._checked(X), self._all_draws()
        step = max(1, _NUMBERS_AT_ONCE // len(draws["intercept"]))
        parts = [self._means(X[begin : begin + step], draws).mean(axis=1) for begin in range(0, len(X), step)]
        return np.concatenate(parts)

    def _validate_state(self):
        coef, p = self._coef_draws, self.n_features_in_
        if coef.ndim != 3 or coef.shape[2] != p or self._intercept_draws.shape != coef.shape[:2] or coef.size == 0:
            raise ModelFormatError(
                f"{type(self).__name__}: its draws do not fit each other; the file is damaged or not mlwright's."
            )


def _standardise(X, w, fit_intercept):
    """Means (zeros without an intercept) and reciprocal standard deviations of the columns; 1 for constant ones."""
    total = float(len(X)) if w is None else float(w.sum())
    w = np.ones(len(X)) if w is None else w
    shift = (w @ X) / total if fit_intercept else np.zeros(X.shape[1])
    spread = np.sqrt((w @ np.square(X - shift)) / total)
    usable = spread > 1e-13 * (np.abs(shift) + np.abs(X).max(axis=0, initial=0.0))
    return shift, np.where(usable, 1.0 / np.where(usable, spread, 1.0), 1.0)


class BayesianLogisticRegression(ClassifierMixin, _BayesianGLM):
    """Logistic regression of two classes with normal priors, and its whole posterior.

    Parameters
    ----------
    prior_scale : float, default=2.5
        Standard deviation of the normal priors of the coefficients of standardised columns. The intercept's is flat.
    method : {"sample", "laplace"}, default="sample"
        Exact draws by Markov chains that take candidates from the normal approximation at the mode, or by Hamiltonian
        ones where that is too far off; or draws from that approximation itself.
    fit_intercept : bool, default=True
    chains : int, default=4
    draws : int, default=1000
        Of each chain.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    coef_ : ndarray of shape (1, n_features)
        Posterior mean.
    intercept_ : ndarray of shape (1,)
    k_hat_ : float
        How far the posterior is from its normal approximation: below 0.5 near; above 0.7 too far to trust
        `log_evidence_`, or draws with ``method="laplace"``.
    acceptance_rate_ : float
        Of the chains' candidates or trajectories.
    log_evidence_ : float
        Log marginal likelihood of y, by importance sampling.
    score_loo_ : float
        The sum over rows of ``log p(y_i | all other rows)``, by importance sampling over up to
        1000 draws.
    loo_log_density_, loo_k_hat_ : ndarray of shape (n_samples,)
        Its terms, and how far to trust them: above 0.7, not.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    ``predict_proba`` is the posterior mean of the probability, ``predict_interval`` and ``predict_quantiles`` are about
    the probability of ``classes_[1]``, and ``sample_predictive`` draws classes. Classes that a plane separates are
    fine: the prior keeps the posterior proper.

    References
    ----------
    Gelman, Jakulin, Pittau, Su (2008), A weakly informative default prior distribution for logistic and other
    regression models. Annals of Applied Statistics 2. Tierney (1994), Markov chains for exploring posterior
    distributions. Annals of Statistics 22.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import BayesianLogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = X[:, 0] + rng.logistic(size=200) > 0
    >>> model = BayesianLogisticRegression(random_state=0).fit(X, y)
    >>> draws = model.sample_posterior(1000, random_state=0)
    >>> bool((draws["coef"][:, 0] > draws["coef"][:, 1]).mean() > 0.95)
    True
    >>> model.predict_interval(X[:3], coverage=0.9).shape
    (3, 2)
    """

    _loss = GlmLoss("binary_log_loss")
    _mean = staticmethod(special.expit)
    _model_state = State(
        classes_=Labels("2"),
        coef_=Tensor("f8", "1 p"),
        intercept_=Tensor("f8", "1"),
        **_FIELDS,
    )
    _parameter_constraints: ClassVar[dict] = {**_CONSTRAINTS}

    @staticmethod
    def _constant(y):
        return np.zeros(len(y))

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights count as repetitions.

        Returns
        -------
        self : object
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass: got "
                f"{len(classes)} classes."
            )
        if len(classes) < 2:
            raise ValueError(
                "BayesianLogisticRegression needs samples of at least 2 classes in the data, but the data contains "
                f"only one class: {classes[0]!r}"
            )
        if sample_weight is not None:
            w = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            if len(np.unique(codes[w > 0.0])) < 2:
                raise ValueError(
                    "BayesianLogisticRegression needs samples of at least 2 classes in the data, but those of positive "
                    "weight are of one class."
                )
        self.classes_ = classes
        self._fit_rows(X, codes.astype(np.float64), sample_weight)
        draws = self._all_draws()
        self.coef_, self.intercept_ = draws["coef"].mean(axis=0)[None, :], draws["intercept"].mean(keepdims=True)
        return self

    def predict_proba(self, X):
        """Posterior means of the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, 2)
        """
        p = self._posterior_mean(X)
        return np.column_stack([1.0 - p, p])

    def decision_function(self, X):
        """Log odds of the posterior mean probability of ``classes_[1]``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        score : ndarray of shape (n_samples,)
        """
        p = self._posterior_mean(X)
        tiny = np.finfo(np.float64).tiny
        return special.logit(np.clip(p, tiny, 1.0 - np.finfo(np.float64).epsneg))

    def predict(self, X):
        """The more probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        p = self._posterior_mean(X)
        return self.classes_[(p > 0.5).astype(np.int64)]

    def _predictive_law(self, X):
        X = self._checked(X)
        return DrawnLaw(self._means(X, self._chains().pick(_LAW_DRAWS, 0)).T)

    def _predictive_draws(self, X, n_samples, seed):
        X = self._checked(X)
        p = self._means(X, self._posterior_draws(n_samples, seed)).T
        return self.classes_[(uniform(seed, _PICK, p.size).reshape(p.shape) < p).astype(np.int64)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class BayesianPoissonRegressor(RegressorMixin, _BayesianGLM):
    """Poisson regression with log link and normal priors, and its whole posterior.

    Parameters
    ----------
    prior_scale : float, default=2.5
        Standard deviation of the normal priors of the coefficients of standardised columns. The intercept's is flat.
    method : {"sample", "laplace"}, default="sample"
        Exact draws by Markov chains that take candidates from the normal approximation at the mode, or by Hamiltonian
        ones where that is too far off; or draws from that approximation itself.
    fit_intercept : bool, default=True
    chains : int, default=4
    draws : int, default=1000
        Of each chain.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Posterior mean.
    intercept_ : float
    k_hat_ : float
        How far the posterior is from its normal approximation: below 0.5 near; above 0.7 too far to trust
        `log_evidence_`, or draws with ``method="laplace"``.
    acceptance_rate_ : float
        Of the chains' candidates or trajectories.
    log_evidence_ : float
        Log marginal likelihood of y, by importance sampling.
    score_loo_ : float
        The sum over rows of ``log p(y_i | all other rows)``, by importance sampling over up to
        1000 draws.
    loo_log_density_, loo_k_hat_ : ndarray of shape (n_samples,)
        Its terms, and how far to trust them: above 0.7, not.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    ``predict`` is the posterior mean of the mean count; ``predict_interval``, ``predict_quantiles`` and
    ``sample_predictive`` are about new counts.

    References
    ----------
    Tierney (1994), Markov chains for exploring posterior distributions. Annals of Statistics 22.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import BayesianPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = rng.poisson(np.exp(1.0 + 0.5 * X[:, 0]))
    >>> model = BayesianPoissonRegressor(random_state=0).fit(X, y)
    >>> bool(abs(model.coef_[0] - 0.5) < 0.15)
    True
    """

    _loss = GlmLoss("poisson")
    _mean = staticmethod(np.exp)
    _model_state = State(coef_=Tensor("f8", "p"), intercept_=Number(), **_FIELDS)
    _parameter_constraints: ClassVar[dict] = {**_CONSTRAINTS}

    @staticmethod
    def _constant(y):
        return special.gammaln(y + 1.0)

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Counts.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights count as repetitions.

        Returns
        -------
        self : object
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        y = y.astype(np.float64)
        if (y < 0.0).any() or not (y > 0.0).any():
            raise ValueError(
                f"BayesianPoissonRegressor: got y from {y.min():g} to {y.max():g}, expected counts that are not "
                "negative, not all of them 0: else the posterior of the intercept is improper."
            )
        self._fit_rows(X, y, sample_weight)
        draws = self._all_draws()
        self.coef_, self.intercept_ = draws["coef"].mean(axis=0), float(draws["intercept"].mean())
        return self

    def predict(self, X):
        """Posterior means of the mean counts.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return self._posterior_mean(X)

    def _predictive_law(self, X):
        return DrawnLaw(self._predictive_draws(X, _LAW_DRAWS, 0))

    def _predictive_draws(self, X, n_samples, seed):
        means = self._means(self._checked(X), self._posterior_draws(n_samples, seed)).T
        return np.random.Generator(np.random.Philox(seed)).poisson(np.minimum(means, 1e15)).astype(np.float64)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags
