"""What Bayesian generalized linear models share: from validated rows to draws, and from draws to answers."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight

from mlwright._bayesian.chains import Chains
from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.loo import LOO_FIELDS, keep_loo, loo_by_importance
from mlwright._kernels.linalg import affine_map, as_design
from mlwright._kernels.rng import normal
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright._validation import require_finite, rows_for_predict
from mlwright.bayes._glm.posterior import Draws, Likelihood, find_mode, sample_posterior
from mlwright.io.composite import Maybe
from mlwright.io.schema import Number, Size, Strings, Tensor

LAW_DRAWS = 4000
_LAPLACE = 7411  # stream
_LOO_DRAWS = 1000
_NUMBERS_AT_ONCE = 1 << 22

FIELDS = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    "log_evidence_": Number(),
    "k_hat_": Number(finite=False),
    "acceptance_rate_": Number(0.0, 1.0),
    "_coef_draws": Tensor("f8", "c d p"),
    "_intercept_draws": Tensor("f8", "c d"),
    **LOO_FIELDS,
}
CONSTRAINTS = {
    "prior_scale": [Interval(Real, 0, None, closed="neither")],
    "method": [StrOptions({"sample", "laplace"})],
    "fit_intercept": ["boolean"],
    "chains": [Interval(Integral, 1, None, closed="left")],
    "draws": [Interval(Integral, 4, None, closed="left")],
    "random_state": ["random_state", np.random.Generator],
    "n_jobs": [None, Integral],
}


class BayesianGLM(BayesianMixin, BaseEstimator):
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
