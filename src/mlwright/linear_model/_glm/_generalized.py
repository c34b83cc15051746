"""The generalized linear regressor: any family, link and penalty, offsets and exposures."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from mlwright.base import as_fitted
from mlwright.io.composite import Maybe, State
from mlwright.io.schema import Choice
from mlwright.linear_model._glm._families import law_of
from mlwright.linear_model._glm._laws import ProfileAlpha
from mlwright.linear_model._glm._links import LINKS
from mlwright.linear_model._glm._penalty import refuse_without_proximal_step
from mlwright.linear_model._glm._table_regressor import TABLE_FIELDS, TableRegressor
from mlwright.linear_model._glm._tweedie import ATTRIBUTES, CONSTRAINTS
from mlwright.linear_model._glm._user_law import ForgottenLaw, is_loss, law_of_loss

_ALPHA_ROUNDS, _ALPHA_SETTLED = 50, 1e-7
_ALPHA_NONE = 1e-6  # below it the law is Poisson's, and the likelihood too flat to tell one alpha from another


class GeneralizedLinearRegressor(TableRegressor):
    __doc__ = f"""Generalized linear regression: any family, link and penalty, with offsets and exposures.

    Minimises ``mean of s_i d(y_i, mu_i) / 2 + alpha (l1_ratio |coef|_1 + (1 - l1_ratio) / 2 |coef|^2)``, where d is the
    family's unit deviance and ``mu_i`` the inverse link of ``x_i coef + intercept + offset_i``.

    Parameters
    ----------
    family : {{"normal", "binomial", "poisson", "gamma", "inverse_gaussian", "negative_binomial", "tweedie"}} or Loss, \
default="normal"
        Or a loss made by :func:`mlwright.extend.loss`, compiled into the native loop; its link counts.
    link : {{"auto", "identity", "log", "logit", "probit", "cloglog", "inverse", \
"inverse_squared"}}, default="auto"
        "auto" is the identity (normal), the logit (binomial) or the logarithm.
    alpha : float, default=0.0
        Strength of the penalty.
    l1_ratio : float, default=0.0
        Share of the L1 penalty.
    power : float, default=1.5
        Of the Tweedie family: 0, or at least 1.
    dispersion : {{"estimate"}} or float, default="estimate"
        Of the negative binomial family: its alpha, variance ``mu + alpha mu^2``; "estimate" takes the one of greatest
        profile likelihood.
    fit_intercept : bool, default=True
    solver : {{"auto", "lbfgs", "newton-cholesky"}}, default="auto"
        scikit-learn's names, which have no step for an L1 penalty; "auto" takes every penalty. The method follows from
        the table.
    max_iter : int, default=100
    tol : float, default=1e-4
        The fit is certified when what is left to gain is below ``tol**2 / 10`` of the deviance.
    warm_start : bool, default=False
    verbose : int, default=0
        For compatibility.

    Attributes
    ----------
{ATTRIBUTES}

    See Also
    --------
    PoissonRegressor, GammaRegressor, TweedieRegressor : scikit-learn's classes.

    References
    ----------
    McCullagh and Nelder, Generalized Linear Models, 1989. Cameron and Trivedi, Regression Analysis of Count Data, 2013.

    Examples
    --------
    Claims of policies that were insured for a part of the year:

    >>> import numpy as np
    >>> from mlwright.linear_model import GeneralizedLinearRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, years = rng.standard_normal((2000, 2)), rng.uniform(0.1, 1.0, 2000)
    >>> claims = rng.poisson(years * np.exp(X @ [0.5, -0.3] - 1.0))
    >>> model = GeneralizedLinearRegressor("poisson").fit(X, claims, exposure=years)
    >>> bool(np.abs(model.coef_ - [0.5, -0.3]).max() < 0.1)
    True
    >>> model.predict_interval(X[:1], exposure=[1.0]).shape
    (1, 2)
    """
    _model_state = State(**TABLE_FIELDS, _user_link=Maybe(Choice(*LINKS)))
    _read_later = ("alpha", "fit_intercept", "family", "link", "power", "dispersion")
    _parameter_constraints: ClassVar[dict] = {
        **CONSTRAINTS,
        "family": [str, HasMethods(["compile"])],
        "link": [StrOptions({"auto", *LINKS})],
        "l1_ratio": [Interval(Real, 0.0, 1.0, closed="both")],
        "power": [Interval(Real, None, None, closed="neither")],
        "dispersion": [StrOptions({"estimate"}), Interval(Real, 0.0, None, closed="neither")],
    }

    def __init__(
        self,
        family="normal",
        *,
        link="auto",
        alpha=0.0,
        l1_ratio=0.0,
        power=1.5,
        dispersion="estimate",
        fit_intercept=True,
        solver="auto",
        max_iter=100,
        tol=1e-4,
        warm_start=False,
        verbose=0,
    ):
        self.family = family
        self.link = link
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.power = power
        self.dispersion = dispersion
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose

    def _fit(self, X, y, sample_weight, offset, exposure):
        if self.alpha * self.l1_ratio > 0.0 and self.solver in ("lbfgs", "newton-cholesky"):
            refuse_without_proximal_step(self.solver, "l1" if self.l1_ratio == 1.0 else "elasticnet", "'auto'")
        estimates = self.family == "negative_binomial" and self.dispersion == "estimate"
        self._alpha = 1.0 if estimates else None
        try:
            solution = super()._fit(X, y, sample_weight, offset, exposure)
        finally:
            vars(self).pop("_alpha", None)
        vars(self).pop("_user_link", None)
        if is_loss(self.family):
            self._user_link = self.family.link
        return solution

    def _solution(self, rows, y, w, offset):
        solution = super()._solution(rows, y, w, offset)
        return solution if self._alpha is None else self._alternate(solution, rows, y, w, offset)

    @property
    def _more_parameters(self):
        return int(as_fitted(self, "family") == "negative_binomial" and as_fitted(self, "dispersion") == "estimate")

    def _law(self):
        family, dispersion = as_fitted(self, "family"), as_fitted(self, "dispersion")
        if not isinstance(family, str):
            return law_of_loss(family)
        if family.startswith("user:") and hasattr(self, "_user_link"):
            given_again = is_loss(self.family) and f"user:{self.family.name}" == family
            return law_of_loss(self.family) if given_again else ForgottenLaw(self._user_link)
        alpha = getattr(self, "_alpha", None)
        if alpha is None:
            alpha = getattr(self, "dispersion_", 1.0) if dispersion == "estimate" else dispersion
        return law_of(family, as_fitted(self, "link"), power=as_fitted(self, "power"), dispersion=alpha)

    def _params_for_file(self):
        """A model file holds no code: of a loss of the user's it says the name, which predicts but does not fit."""
        parameters = self.get_params(deep=False)
        if is_loss(self.family):
            parameters["family"] = f"user:{self.family.name}"
        return parameters

    def _alternate(self, solution, rows, y, w, offset):
        """The fit at the alpha of greatest profile likelihood, which is nearly orthogonal to the coefficients."""
        n_passes, profile = self.n_passes_, ProfileAlpha(y, w)
        for _ in range(_ALPHA_ROUNDS):
            alpha = profile.best(self._fitted_mean(rows, offset), self._alpha)
            settled = abs(np.log(alpha / self._alpha)) <= _ALPHA_SETTLED or max(alpha, self._alpha) <= _ALPHA_NONE
            self._alpha = alpha
            if settled:
                break
            solution = self._fit_rows(rows, y, w, offset, again=True)
            n_passes += self.n_passes_
        self.n_passes_, self.converged_ = n_passes, self.converged_ and settled
        return solution
