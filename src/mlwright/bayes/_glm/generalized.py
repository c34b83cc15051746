"""Bayesian generalized linear models: any family, link and prior, and effects that vary by groups."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from mlwright._bayesian.chains import Chains
from mlwright._validation import checked_weights
from mlwright.base import fit_context
from mlwright.bayes._glm.base import CONSTRAINTS, FIELDS, refuse
from mlwright.bayes._glm.families import FAMILIES, Law
from mlwright.bayes._glm.grouped_rows import PosteriorByGroups
from mlwright.bayes._glm.offsets import OffsetContract, read_offset
from mlwright.bayes._glm.priors import SHAPES, Prior
from mlwright.bayes._glm.problem import Problem, Term
from mlwright.io.composite import AnyOf, ListOf, MapOf, Maybe, Optional, Record, State
from mlwright.io.schema import Choice, Number, Strings, Tensor, Text
from mlwright.linear_model._glm._base import usable_weights
from mlwright.linear_model._glm._links import LINKS

_FREEDOM = {"half_normal": np.inf, "half_student_t": 3.0, "half_cauchy": 1.0}


class BayesianGLM(OffsetContract, RegressorMixin, PosteriorByGroups):
    """A generalized linear model with priors, effects that vary by groups, and its whole posterior.

    Parameters
    ----------
    family : {"normal", "binomial", "poisson", "gamma", "inverse_gaussian", "negative_binomial"}, default="normal"
        A dispersion that the family has (the noise's variance of the normal, ``variance = dispersion * mean**2`` of
        the gamma, ``mean + dispersion * mean**2`` of the negative binomial, ``dispersion * mean**3`` of the inverse
        Gaussian) is drawn with the coefficients. The binomial takes shares between 0 and 1.
    link : {"auto", "identity", "log", "logit", "probit", "cloglog", "inverse", "inverse_squared"}, default="auto"
        "auto" is the identity (normal), the logit (binomial) or the logarithm.
    prior : {"normal", "student_t", "cauchy", "laplace", "horseshoe"}, default="normal"
        Of the coefficients of standardised columns, and with the normal family's identity link of a standardised y.
        The intercept's is flat; where the likelihood does not vanish far out, which would make the posterior improper
        (the normal family with the link "log" or "inverse", the inverse Gaussian with "log" or "identity"), it is
        normal around the score of the mean of y (less that of the offset, columns being at their means), with standard
        deviation 2.5, or by another link than "log" 2.5 times that score.
    prior_scale : float, default=2.5
        Standard deviation of the normal prior, scale of the others; the horseshoe's coefficients are multiplied by it.
    prior_freedom : float, default=4.0
        Degrees of freedom of ``prior="student_t"``.
    global_scale : float, default=0.1
        Of the half-Cauchy prior of the horseshoe's global scale.
    slab_scale : float or None, default=2.0
        Of the regularised horseshoe: no coefficient is expected to be much larger. None is the plain horseshoe.
    dispersion_scale : float, default=2.5
        The square root of the dispersion has a half-Student-t prior with 3 degrees of freedom and this scale, in units
        of the spread of y (normal) or of ``1 / sqrt(mean of y)`` (inverse Gaussian); below 1e-5 of it, it is cut off
        smoothly, which keeps the posterior proper where a model fits y exactly.
    group_effects : list, default=()
        What varies by which groups: grouping columns of X (whose rows get intercepts), or pairs such as
        ``("intercept", "school")`` and ``("hours", "school")``, by name or place. Grouping columns hold text,
        categories or numbers, and have no coefficients themselves. Effects are independent, and normal around 0.
    group_prior : {"half_student_t", "half_normal", "half_cauchy"}, default="half_student_t"
        Of the standard deviation of effects; Student's t has 3 degrees of freedom.
    group_scale : float, default=1.0
        Of that prior, for slopes those of columns divided by their spread, in the units of `prior_scale`.
    method : {"auto", "nuts", "polya_gamma", "laplace"}, default="auto"
        "nuts" draws with the no-U-turn sampler, in columns made by the curvature at the mode. "auto" tries independent
        candidates from a law near to the posterior first, and keeps the chains if those fit well enough; else it draws
        like "nuts", or, where coefficients with normal priors are all that is unknown, with trajectories of one length,
        by which weights and repeated rows give the same draws.
        "polya_gamma" is a Gibbs sampler for the binomial family with the logit link and normal priors. "laplace" draws
        from the normal approximation at the mode, and warns where it is poor.
    fit_intercept : bool, default=True
    chains : int, default=4
    draws : int, default=1000
        Of each chain.
    warm_up : int, default=500
        Of each chain of the no-U-turn and the Pólya-Gamma sampler.
    compute_loo : bool, default=True
        Whether `score_loo_` and what it is made of are there; it takes as long as a thousand draws.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.
    verbose : int, default=0

    Attributes
    ----------
    coef_ : ndarray of shape (n_coefficients,)
        Posterior mean, a coefficient each column that names no groups.
    coef_names_ : ndarray of str
        Of those columns.
    intercept_ : float
    dispersion_ : float
        Posterior mean. Where the family has one.
    group_levels_ : dict of str to ndarray
        By grouping column, its levels.
    group_coef_ : dict of str to ndarray
        By term, such as ``"hours|school"``, posterior means of the effects of the levels.
    group_scale_ : dict of str to float
        By term, posterior mean of their standard deviation.
    k_hat_ : float
        How far the posterior is from the law of candidates, or with ``method="laplace"`` from the normal approximation
        at the mode: below 0.5 near; above 0.7 too far to trust `log_evidence_`, or draws with ``method="laplace"``.
        NaN where no approximation was made.
    acceptance_rate_ : float
    n_divergences_ : int
        Transitions of Hamiltonian chains that diverged; ``to_arviz`` has them one by one.
    log_evidence_ : float
        Log marginal likelihood of y, by importance sampling; with normal and Student's t priors and without groups.
    score_loo_ : float
        The sum over rows of ``log p(y_i | all other rows)``, by importance sampling over up to 1000 draws.
    loo_log_density_, loo_k_hat_ : ndarray of shape (n_samples,)
        Its terms, and how far to trust them: above 0.7, not.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    Notes
    -----
    ``predict`` is the posterior mean of the mean of y; intervals, quantiles and ``sample_predictive`` are about new
    observations. Levels that the fit has not seen are drawn from their population. A quantile of a count or a class is
    the least whose distribution function, averaged over 4000 draws of the posterior, is at least the level; those of
    other families are of an observation a draw.

    References
    ----------
    Gelman and Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models. Hoffman and Gelman
    (2014), The No-U-Turn Sampler. JMLR 15. Piironen and Vehtari (2017), Sparsity information and regularization in the
    horseshoe and other shrinkage priors. Electronic Journal of Statistics 11.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright.bayes import BayesianGLM
    >>> rng = np.random.default_rng(0)
    >>> school, hours = rng.integers(0, 12, 300), rng.uniform(0, 5, 300)
    >>> passed = rng.random(300) < 1 / (1 + np.exp(1.5 - 0.8 * hours - rng.normal(size=12)[school]))
    >>> X = np.column_stack([hours, school])
    >>> model = BayesianGLM("binomial", group_effects=[("intercept", 1)], random_state=0).fit(X, passed)
    >>> bool(0.4 < model.coef_[0] < 1.3), bool(0.3 < model.group_scale_["intercept|1"] < 2.5)
    (True, True)
    >>> model.predict([[2.0, 3], [2.0, 99]]).shape  # a school like those seen
    (2,)
    """

    _model_state = State(
        **FIELDS,
        coef_=Tensor("f8", "q"),
        intercept_=Number(),
        _fitted_law=Record(name=Choice(*FAMILIES), link=Choice(*LINKS)),
        dispersion_=Maybe(Number(0.0)),
        group_levels_=MapOf(AnyOf(Tensor("f8 i8", "*", finite=False), Strings("*"))),
        group_coef_=MapOf(Tensor("f8", "*")),
        group_scale_=MapOf(Number(0.0)),
        _dispersion_draws=Maybe(Tensor("f8", "c d")),
        _effect_draws=ListOf(Tensor("f8", "c d *")),
        _scale_draws=ListOf(Tensor("f8", "c d")),
        _group_columns=ListOf(Number(0.0, integer=True)),
        _terms=ListOf(Record(name=Text(), slope=Optional(Number(0.0, integer=True)), group=Number(0.0, integer=True))),
    )
    _parameter_constraints: ClassVar[dict] = {
        **CONSTRAINTS,
        "family": [StrOptions(set(FAMILIES))],
        "link": [StrOptions({"auto", *LINKS})],
        "prior": [StrOptions(set(SHAPES))],
        "prior_freedom": [Interval(Real, 0, None, closed="neither")],
        "global_scale": [Interval(Real, 0, None, closed="neither")],
        "slab_scale": [Interval(Real, 0, None, closed="neither"), None],
        "dispersion_scale": [Interval(Real, 0, None, closed="neither")],
        "group_effects": [list, tuple],
        "group_prior": [StrOptions(set(_FREEDOM))],
        "group_scale": [Interval(Real, 0, None, closed="neither")],
        "method": [StrOptions({"auto", "nuts", "polya_gamma", "laplace"})],
        "warm_up": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        family="normal",
        *,
        link="auto",
        prior="normal",
        prior_scale=2.5,
        prior_freedom=4.0,
        global_scale=0.1,
        slab_scale=2.0,
        dispersion_scale=2.5,
        group_effects=(),
        group_prior="half_student_t",
        group_scale=1.0,
        method="auto",
        fit_intercept=True,
        chains=4,
        draws=1000,
        warm_up=500,
        compute_loo=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.family = family
        self.link = link
        self.prior = prior
        self.prior_scale = prior_scale
        self.prior_freedom = prior_freedom
        self.global_scale = global_scale
        self.slab_scale = slab_scale
        self.dispersion_scale = dispersion_scale
        self.group_effects = group_effects
        self.group_prior = group_prior
        self.group_scale = group_scale
        self.method = method
        self.fit_intercept = fit_intercept
        self.chains = chains
        self.draws = draws
        self.warm_up = warm_up
        self.compute_loo = compute_loo
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None, *, offset=None, exposure=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights count as repetitions.
        offset : array-like of shape (n_samples,), default=None
            Added to the scores.
        exposure : array-like of shape (n_samples,), default=None
            Positive; its logarithm is added to the scores. For the log link.

        Returns
        -------
        self : object
        """
        X, y, coded = self._read(X, y)
        w = usable_weights(checked_weights(sample_weight, X), X)
        law = Law.of(self.family, self.link)
        self._fitted_law = {"name": law.name, "link": law.link}
        outside = law.row.first_outside(y)
        if outside >= 0:
            raise ValueError(
                f"BayesianGLM: y is {y[outside]:g} in row {outside}, expected {law.row.domain_words} for family "
                f"{self.family!r}; remove or correct such rows."
            )
        problem = Problem.of(
            X, y, w, read_offset(law, offset, exposure, len(y)), law, bool(self.fit_intercept), self._prior,
            dispersion_scale=float(self.dispersion_scale), terms=self._problem_terms(coded),
        )  # fmt: skip
        return self._fit_problem(problem, self.method, self.warm_up, self.verbose)

    def _prior(self, p):
        freedom = 1.0 if self.prior == "cauchy" else float(self.prior_freedom)
        slab = 0.0 if self.slab_scale is None else float(self.slab_scale)
        scale = np.full(p, float(self.prior_scale))
        return Prior(SHAPES[self.prior], scale, freedom, float(self.global_scale), slab)

    def _problem_terms(self, coded):
        return [
            Term(
                coded[term.group].codes,
                len(coded[term.group].values),
                term.slope,
                False,
                float(self.group_scale),
                _FREEDOM[self.group_prior],
            )
            for term in self._group_terms
        ]

    @property
    def _law(self):
        return Law(**self._fitted_law)

    def _keep(self, problem, answers, draws):
        super()._keep(problem, answers, draws)
        shape = draws.theta.shape[:2]
        self.coef_, self.intercept_ = answers["coef"].mean(axis=0), float(answers["intercept"].mean())
        for name in ("dispersion_", "_dispersion_draws"):
            vars(self).pop(name, None)
        if "dispersion" in answers:
            self._dispersion_draws = answers["dispersion"].reshape(shape)
            self.dispersion_ = float(answers["dispersion"].mean())
        self._effect_draws = [effects.reshape(*shape, -1) for effects in answers["effects"]]
        self._scale_draws = [scale.reshape(shape) for scale in answers["scales"]]
        names = [term.name for term in self._group_terms]
        self.group_coef_ = {
            name: effects.mean(axis=(0, 1)) for name, effects in zip(names, self._effect_draws, strict=True)
        }
        self.group_scale_ = {name: float(x.mean()) for name, x in zip(names, self._scale_draws, strict=True)}

    def _chains(self):
        draws = {"coef": self._coef_draws, "intercept": self._intercept_draws}
        if hasattr(self, "_dispersion_draws"):
            draws["dispersion"] = self._dispersion_draws
        for term, scale, effects in zip(self._group_terms, self._scale_draws, self._effect_draws, strict=True):
            draws[f"group_scale {term.name}"], draws[f"group_coef {term.name}"] = scale, effects
        return Chains(draws, self._told())

    @property
    def n_divergences_(self):
        """Transitions of Hamiltonian chains that diverged: 0 is right; ``fit`` warns of them."""
        check_is_fitted(self)
        return int(np.sum(self._told().get("diverging", 0)))

    def predict(self, X, return_std=False, *, offset=None, exposure=None):
        """Posterior means of the mean of y.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of new observations too.
        offset, exposure : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        y_std : ndarray of shape (n_samples,)
            With ``return_std=True``.
        """
        rows = self._with_offset(X, offset, exposure)
        return self._mean_and_deviation(rows) if return_std else self._posterior_mean(rows)

    def _validate_state(self):
        super()._validate_state()
        shape, levels = self._coef_draws.shape[:2], list(self.group_levels_.values())
        fits = len(self._group_columns) == len(levels) and all(j < self.n_features_in_ for j in self._group_columns)
        fits = fits and len(self._terms) == len(self._effect_draws) == len(self._scale_draws)
        fits = fits and sorted(set(self._group_columns)) == list(self._group_columns)
        fits = fits and self._law.dispersed == hasattr(self, "_dispersion_draws")
        for term, effects, scale in zip(self._group_terms, self._effect_draws, self._scale_draws, strict=fits):
            fits = fits and term.group < len(levels) and effects.shape == (*shape, len(levels[int(term.group)]))
            fits = fits and scale.shape == shape and (term.slope is None or term.slope < self._n_coefficients)
        for draws in (self._scale_draws, [getattr(self, "_dispersion_draws", np.ones(shape))]):
            fits = fits and all(x.shape == shape and (x > 0.0).all() for x in draws)
        if not fits:
            refuse(self)
