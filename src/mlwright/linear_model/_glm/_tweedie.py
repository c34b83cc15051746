"""scikit-learn's generalized linear regressors."""

from numbers import Integral, Real
from typing import ClassVar

from sklearn.utils._param_validation import Hidden, Interval, StrOptions

from mlwright.base import as_fitted
from mlwright.io.composite import State
from mlwright.linear_model._glm._families import law_of
from mlwright.linear_model._glm._table_regressor import TABLE_FIELDS, TableRegressor

_SOLVERS = {"auto", "lbfgs", "newton-cholesky"}

CONSTRAINTS: dict = {
    "alpha": [Interval(Real, 0.0, None, closed="left")],
    "fit_intercept": ["boolean"],
    "solver": [StrOptions(_SOLVERS), Hidden(type)],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0.0, None, closed="neither")],
    "warm_start": ["boolean"],
    "verbose": ["verbose"],
}

PARAMETERS = """    alpha : float, default=1.0
        Strength of the L2 penalty, ``alpha / 2 |coef|^2`` beside the mean half deviance; the intercept has none.
    fit_intercept : bool, default=True
    solver : {"auto", "lbfgs", "newton-cholesky"}, default="auto"
        scikit-learn's names; the method follows from the table, since all have the same answer.
    max_iter : int, default=100
        Most Newton steps.
    tol : float, default=1e-4
        The fit is certified when what is left to gain is below ``tol**2 / 10`` of the deviance.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    verbose : int, default=0
        For compatibility."""

ATTRIBUTES = """    coef_ : ndarray of shape (n_coefficients,)
        One a feature, or a level of a categorical one.
    intercept_ : float
    n_iter_ : int
        Newton steps on the whole table.
    n_passes_ : float
        Reads of the table; a step on a subsample counts its share.
    objective_ : float
        Mean half deviance plus penalty.
    kkt_violation_ : float
        Largest ``|gradient_j| / sqrt(hessian_jj * deviance)``: zero at the optimum, whatever the units of columns.
    converged_ : bool
        Whether the optimum is certified; a ConvergenceWarning says where it is not.
    dispersion_ : float
        Pearson's estimate of the family's dispersion, alpha of the negative binomial, 1 where there is none; NaN where
        the coefficients leave no degrees of freedom.
    coef_names_ : ndarray of str
        Names of the coefficients: those of the features, and ``feature=level`` for the levels of categorical ones,
        which stand one after another, ascending, in the feature's place.
    is_categorical_ : ndarray of bool of shape (n_features_in_,), or None
        Which columns of a data frame were categories; None where there were none.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)"""


class _ScikitRegressor(TableRegressor):
    _model_state = State(**TABLE_FIELDS)
    _read_later: ClassVar[tuple] = ("alpha", "fit_intercept")
    _parameter_constraints: ClassVar[dict] = CONSTRAINTS

    def __init__(
        self,
        *,
        alpha=1.0,
        fit_intercept=True,
        solver="auto",
        max_iter=100,
        tol=1e-4,
        warm_start=False,
        verbose=0,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose


class PoissonRegressor(_ScikitRegressor):
    __doc__ = f"""Poisson regression with a log link: counts and frequencies.

    Parameters
    ----------
{PARAMETERS}

    Attributes
    ----------
{ATTRIBUTES}

    See Also
    --------
    GeneralizedLinearRegressor : other families and links, L1 penalties.

    References
    ----------
    McCullagh and Nelder, Generalized Linear Models, 1989.

    Examples
    --------
    >>> from mlwright.linear_model import PoissonRegressor
    >>> X, y = [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 3.0]], [12.0, 17.0, 22.0, 21.0]
    >>> model = PoissonRegressor().fit(X, y)
    >>> model.coef_.round(3), round(model.intercept_, 3)
    (array([0.121, 0.158]), 2.089)
    >>> model.converged_
    True
    """

    def _law(self):
        return law_of("poisson", "log")


class GammaRegressor(_ScikitRegressor):
    __doc__ = f"""Gamma regression with a log link: positive amounts whose spread grows with their mean.

    Parameters
    ----------
{PARAMETERS}

    Attributes
    ----------
{ATTRIBUTES}

    References
    ----------
    McCullagh and Nelder, Generalized Linear Models, 1989, chapter 8.

    Examples
    --------
    >>> from mlwright.linear_model import GammaRegressor
    >>> X, y = [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 3.0]], [19.0, 26.0, 33.0, 30.0]
    >>> model = GammaRegressor().fit(X, y)
    >>> model.coef_.round(3), round(model.intercept_, 3)
    (array([0.073, 0.067]), 2.897)
    """

    def _law(self):
        return law_of("gamma", "log")


class TweedieRegressor(_ScikitRegressor):
    __doc__ = f"""Regression by a Tweedie law: variance ``mean**power``.

    Parameters
    ----------
    power : float, default=0.0
        0 normal, 1 Poisson, between 1 and 2 compound Poisson-gamma (amounts with a mass at zero), 2 gamma, 3 inverse
        Gaussian. No law has a power between 0 and 1.
{PARAMETERS.replace("    fit_intercept", "    fit_intercept", 1)}
    link : {{"auto", "identity", "log"}}, default="auto"
        "auto" is the identity for ``power <= 0``, else the logarithm.

    Attributes
    ----------
{ATTRIBUTES}

    References
    ----------
    Jorgensen, Journal of the Royal Statistical Society B 49 (1987), 127-162.

    Examples
    --------
    >>> from mlwright.linear_model import TweedieRegressor
    >>> X, y = [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 3.0]], [2.0, 3.5, 5.0, 5.5]
    >>> TweedieRegressor().fit(X, y).coef_.round(3)
    array([0.6, 0.3])
    """
    _read_later = ("alpha", "fit_intercept", "power", "link")
    _parameter_constraints: ClassVar[dict] = {
        **CONSTRAINTS,
        "power": [Interval(Real, None, None, closed="neither")],
        "link": [StrOptions({"auto", "identity", "log"})],
    }

    def __init__(
        self,
        *,
        power=0.0,
        alpha=1.0,
        fit_intercept=True,
        link="auto",
        solver="auto",
        max_iter=100,
        tol=1e-4,
        warm_start=False,
        verbose=0,
    ):
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            verbose=verbose,
        )
        self.power = power
        self.link = link

    def _law(self):
        power, link = as_fitted(self, "power"), as_fitted(self, "link")
        link = ("identity" if power <= 0 else "log") if link == "auto" else link
        return law_of("tweedie", link, power=power)
