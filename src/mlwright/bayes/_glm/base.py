"""What Bayesian generalized linear models share: from a problem to draws, and from draws to answers."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from mlwright._bayesian.chains import Chains
from mlwright._bayesian.contract import BayesianMixin
from mlwright._bayesian.laws import LawInParts
from mlwright._bayesian.loo import LOO_FIELDS, keep_loo, loo_by_importance
from mlwright._runtime.errors import ModelFormatError
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright._validation import checked_weights, require_finite, rows_for_predict
from mlwright.bayes._glm.parametrisation import with_parametrisation
from mlwright.bayes._glm.posterior import draw_posterior
from mlwright.bayes._glm.priors import SHAPES, Prior
from mlwright.bayes._glm.problem import Problem, scores
from mlwright.bayes._glm.proper import require_proper
from mlwright.io.composite import MapOf, Maybe
from mlwright.io.schema import Number, Size, Strings, Tensor
from mlwright.linear_model._glm._base import usable_weights

LAW_DRAWS = 4000
WARM_UP = 500
_LOO_DRAWS = 1000
_NUMBERS_AT_ONCE = 1 << 22

FIELDS = {
    "n_features_in_": Size("p"),
    "feature_names_in_": Maybe(Strings("p")),
    "log_evidence_": Maybe(Number()),
    "k_hat_": Number(finite=False),
    "acceptance_rate_": Number(0.0, 1.0),
    "_coef_draws": Tensor("f8", "c d q"),
    "_intercept_draws": Tensor("f8", "c d"),
    "_statistics": MapOf(Tensor("f8", "c d")),
    **LOO_FIELDS,
}
CONSTRAINTS = {
    "prior_scale": [Interval(Real, 0, None, closed="neither")],
    "fit_intercept": ["boolean"],
    "compute_loo": ["boolean"],
    "chains": [Interval(Integral, 1, None, closed="left")],
    "draws": [Interval(Integral, 4, None, closed="left")],
    "random_state": ["random_state", np.random.Generator],
    "n_jobs": [None, Integral],
}


class PosteriorOfGlm(BayesianMixin, BaseEstimator):
    """A subclass gives ``_law``, and calls ``_fit_problem`` with a problem of it."""

    def _fit_problem(self, problem, method, warm_up, verbose=0):
        name = type(self).__name__
        require_proper(problem, name)
        with limit(self.n_jobs):
            problem = with_parametrisation(problem, name)
            seed = seed_from(self.random_state)
            draws = draw_posterior(problem, method, self.chains, self.draws, warm_up, seed, name, verbose)
            if method != "laplace":
                draws.warn(name, problem.places, stacklevel=5)
            flat = draws.theta.reshape(-1, draws.theta.shape[2])
            self._keep(problem, problem.answers(flat), draws)
            keep_loo(self)
            if self.compute_loo:
                self._leave_one_out(problem, flat[:: -(-len(flat) // _LOO_DRAWS)])
        return self

    def _leave_one_out(self, problem, theta):
        answers = problem.answers(theta)

        def log_likelihood(begin, end):
            return problem.log_likelihood(begin, end, answers)

        keep_loo(self, *loo_by_importance(len(problem.y), len(theta), log_likelihood, problem.w), w=problem.w)

    def _keep(self, problem, answers, draws):
        shape = draws.theta.shape[:2]
        self._coef_draws = answers["coef"].reshape(*shape, -1)
        self._intercept_draws = answers["intercept"].reshape(shape)
        self._statistics = {name: np.ascontiguousarray(x) for name, x in draws.statistics.items()}
        self.k_hat_, self.acceptance_rate_ = draws.k_hat, draws.acceptance
        vars(self).pop("log_evidence_", None)
        if draws.log_evidence is not None:
            self.log_evidence_ = draws.log_evidence

    def _chains(self):
        return Chains({"coef": self._coef_draws, "intercept": self._intercept_draws}, self._told())

    def _told(self):
        """What a Hamiltonian sampler tells of each transition."""
        return {name: x > 0.0 if name == "diverging" else x for name, x in self._statistics.items()}

    def _posterior_draws(self, n_samples, seed):
        return self._chains().pick(n_samples, seed)

    def _all_draws(self):
        return {name: x.reshape(-1, *x.shape[2:]) for name, x in self._chains().draws.items()}

    def _checked(self, X):
        X, finite = rows_for_predict(self, X, accept_sparse=False)
        if not finite:
            require_finite(self, X)
        return X

    def _means(self, X, draws, seed=0):
        """Mean of an observation under each draw, shape (n, n_draws); `X` as :meth:`_checked` gives it.

        `seed` is of what is unknown besides the draws: effects of levels that the fit has not seen.
        """
        return self._law.mean(scores(X, None, {**draws, "effects": ()}, (), ()))

    def _rows_of(self, X, begin, end):
        return X[begin:end]

    def _n_rows(self, X):
        return len(X)

    def _posterior_mean(self, X):
        """Of the mean of an observation: its average over all draws."""
        return self._over_draws(X, lambda means, _: means.mean(axis=1))[0]

    def _mean_and_deviation(self, X):
        """Of an observation, over all draws."""

        def of_rows(means, phi):
            return means.mean(axis=1), means.var(axis=1) + self._law.variance(means, phi).mean(axis=1)

        mean, variance = self._over_draws(X, of_rows)
        return mean, np.sqrt(variance)

    def _over_draws(self, X, summarise):
        """``summarise(means, dispersion)`` of each row's means by all draws, some rows at a time: of shape (n,)."""
        rows, draws = self._one_by_one(self._checked(X)), self._all_draws()
        n, phi = self._n_rows(rows), draws.get("dispersion", 1.0)
        step = max(1, _NUMBERS_AT_ONCE // len(draws["intercept"]))
        parts = [
            np.atleast_2d(summarise(self._means(self._rows_of(rows, begin, begin + step), draws), phi))
            for begin in range(0, n, step)
        ]
        return np.hstack(parts)

    def _one_by_one(self, rows):
        """Rows whose answers do not depend on what other rows are asked about."""
        return rows

    def _predictive_law(self, X):
        """Of new observations at each row, whatever other rows there are."""
        rows, draws = self._one_by_one(self._checked(X)), self._posterior_draws(LAW_DRAWS, 0)
        law_of = self._law.observer(_generator(), draws.get("dispersion", np.ones(1)), LAW_DRAWS)

        def of_rows(begin, end):
            return law_of(self._means(self._rows_of(rows, begin, end), draws))

        return LawInParts(self._n_rows(rows), LAW_DRAWS, of_rows)

    def _predictive_draws(self, X, n_samples, seed):
        X, draws = self._checked(X), self._posterior_draws(n_samples, seed)
        return self._observations(self._means(X, draws, seed).T, draws, seed)

    def _observations(self, means, draws, seed):
        """One a row for each draw; `means` of shape (n_draws, n)."""
        phi = draws["dispersion"][:, None] if "dispersion" in draws else 1.0
        return self._law.draw(_generator(seed), means, phi)

    def _validate_state(self):
        coef = self._coef_draws
        if (
            coef.shape[2] != self._n_coefficients
            or self._intercept_draws.shape != coef.shape[:2]
            or 0 in coef.shape[:2]
        ):
            refuse(self)

    @property
    def _n_coefficients(self):
        return self.n_features_in_


class NormalPriorGlm(PosteriorOfGlm):
    """Coefficients with normal priors are all that is unknown. A subclass gives ``_law``."""

    def __init__(
        self,
        *,
        prior_scale=2.5,
        method="sample",
        fit_intercept=True,
        chains=4,
        draws=1000,
        compute_loo=True,
        random_state=None,
        n_jobs=None,
    ):
        self.prior_scale = prior_scale
        self.method = method
        self.fit_intercept = fit_intercept
        self.chains = chains
        self.draws = draws
        self.compute_loo = compute_loo
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _problem(self, X, y, sample_weight):
        w = usable_weights(checked_weights(sample_weight, X), X)

        def prior(p):
            return Prior(SHAPES["normal"], np.full(p, float(self.prior_scale)))

        return Problem.of(X, y, w, None, self._law, bool(self.fit_intercept), prior)

    @property
    def _method(self):
        return "auto" if self.method == "sample" else self.method


def _generator(seed=0):
    return np.random.Generator(np.random.Philox(seed))


def refuse(model):
    """ModelFormatError for draws that do not fit each other."""
    raise ModelFormatError(
        f"{type(model).__name__}: its draws do not fit each other; the file is damaged or not mlwright's."
    )
