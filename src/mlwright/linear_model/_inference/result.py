"""What is known about the parameters of one fit, from their estimates and a covariance."""

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from numbers import Real

import numpy as np

from mlwright.linear_model._inference import hypothesis_tests as tests
from mlwright.linear_model._inference import summary as pages


@dataclass(frozen=True, eq=False, repr=False)
class Inference:
    """Standard errors, tests and intervals for the parameters of one fitted model; see ``model.inference``.

    The parameters are the intercept, where there is one, and then the coefficients.

    Attributes
    ----------
    names : tuple of str, k of them
        ``"intercept"`` and the names of the features.
    slopes : bool ndarray of shape (k,)
        Which parameters are not intercepts.
    params : ndarray of shape (k,)
    std_errors : ndarray of shape (k,)
    cov_params : ndarray of shape (k, k)
    model, cov_type, description : str
        What was fitted, and which covariance this is.
    use_t : bool
        Whether tests and intervals use Student's t and F, or the normal law and chi-squared.
    df_tests : float
        Degrees of freedom of t and F: those of the residuals, or one less than the number of clusters.
    n_obs, df_model, df_resid : float
        Observations (the sum of the weights where these are frequencies), coefficients without the intercept, and
        observations less parameters.
    dispersion : float
        Estimated variance of the errors, or 1 where the model knows it.
    log_likelihood : float or None
        At the estimates; None for models without a likelihood.
    n_estimated : int
        Parameters that `aic` and `bic` count.
    n_sets : int
        Sets of parameters, one after another: of several classes those of each class less those of the first.
    figures : dict of str to float
        Further measures of fit, as ``r_squared``.
    """

    names: tuple
    slopes: np.ndarray
    params: np.ndarray
    std_errors: np.ndarray
    cov_params: np.ndarray
    model: str
    cov_type: str
    description: str
    use_t: bool
    df_tests: float
    n_obs: float
    df_model: float
    df_resid: float
    dispersion: float
    log_likelihood: float | None
    n_estimated: int
    n_sets: int = 1
    fingerprint: tuple = dataclass_field(default=())
    figures: dict = dataclass_field(default_factory=dict)

    @property
    def _df(self):
        return self.df_tests if self.use_t else None

    @cached_property
    def statistics(self):
        """t statistics, or z statistics where ``use_t`` is False: params over std_errors; of shape (k,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.params / self.std_errors

    @cached_property
    def p_values(self):
        """Two-sided p-values of the parameters being zero; of shape (k,)."""
        return tests.p_values(self.statistics, self._df)

    def conf_int(self, alpha=0.05):
        """Confidence intervals.

        Parameters
        ----------
        alpha : float, default=0.05
            One less the confidence, between 0 and 1, exclusive.

        Returns
        -------
        interval : ndarray of shape (k, 2)
        """
        if isinstance(alpha, bool) or not isinstance(alpha, Real) or not 0.0 < alpha < 1.0:
            raise ValueError(f"alpha: got {alpha!r}, expected a number between 0 and 1, exclusive; e.g. 0.05.")
        reach = tests.quantile(1.0 - alpha / 2.0, self._df) * self.std_errors
        return np.stack([self.params - reach, self.params + reach], axis=-1)

    def wald_test(self, R, q=None, *, use_f=None):
        """Test linear restrictions ``R @ params == q``.

        Parameters
        ----------
        R : str, sequence of str, or array-like of shape (r, k) or (k,)
            Names of parameters (each is restricted), or a matrix.
        q : float or array-like of shape (r,), default=None
            None for zeros.
        use_f : bool, default=None
            F instead of chi-squared; None for what ``use_t`` says.

        Returns
        -------
        TestResult
        """
        restrictions = self._restrictions(R)
        values = np.asarray(0.0 if q is None else q, dtype=np.float64)
        if values.shape not in ((), (1,), (len(restrictions),)) or not np.isfinite(values).all():
            raise ValueError(
                f"wald_test: q is {q!r}, expected a finite number for each of the {len(restrictions)} restrictions."
            )
        values = np.broadcast_to(values, len(restrictions))
        f = self.use_t if use_f is None else use_f
        return tests.wald(self.params, self.cov_params, restrictions, values, self.df_tests if f else None)

    def f_test(self):
        """Test that all coefficients but the intercept are zero, with F.

        Returns
        -------
        TestResult
        """
        slopes = np.eye(len(self.params))[self.slopes]
        return tests.wald(
            self.params, self.cov_params, slopes, np.zeros(len(slopes)), self.df_tests, "F-test of all coefficients"
        )

    def lr_test(self, restricted):
        """Test this model against a model nested in it, by the ratio of their likelihoods.

        Parameters
        ----------
        restricted : Inference
            Of a model with fewer columns, fitted on the same rows.

        Returns
        -------
        TestResult
        """
        if not isinstance(restricted, Inference):
            raise TypeError(
                f"lr_test: got {type(restricted).__name__}, expected the restricted model's inference; pass "
                "restricted_model.inference(...)."
            )
        return tests.likelihood_ratio(self, restricted)

    @property
    def aic(self):
        """Akaike's information criterion; None without a likelihood."""
        return None if self.log_likelihood is None else 2.0 * (self.n_estimated - self.log_likelihood)

    @property
    def bic(self):
        """Schwarz's information criterion; None without a likelihood."""
        if self.log_likelihood is None:
            return None
        return float(self.n_estimated * np.log(self.n_obs) - 2.0 * self.log_likelihood)

    @property
    def r_squared(self):
        """Share of the variance explained, of least squares: about the mean, or about zero without an intercept."""
        return self.figures.get("r_squared")

    def summary(self, alpha=0.05):
        """The usual page: what was fitted, how well, and a table of the parameters.

        Parameters
        ----------
        alpha : float, default=0.05
            One less the confidence of the intervals.

        Returns
        -------
        Summary
            Prints as text, and shows as HTML in notebooks.
        """
        return pages.summarise(self, alpha)

    def __repr__(self):
        return f"<Inference of {self.model}, {len(self.params)} parameters, {self.cov_type}>"

    def _repr_html_(self):
        return self.summary()._repr_html_()

    def _restrictions(self, R):
        R = [R] if isinstance(R, str) else np.asarray(R) if hasattr(R, "__array__") else R
        if np.size(R) == 0:
            raise ValueError("wald_test: R is empty, expected restrictions: names of parameters, or a matrix.")
        if np.ndim(R) == 1 and all(isinstance(name, str) for name in R):
            unknown = [name for name in R if name not in self.names]
            if unknown:
                raise ValueError(f"wald_test: got {unknown[0]!r}, expected names among {', '.join(self.names[:20])}.")
            return np.eye(len(self.params))[[self.names.index(name) for name in R]]
        matrix = np.atleast_2d(np.asarray(R, dtype=np.float64))
        if matrix.ndim != 2 or matrix.shape[1] != len(self.params) or not np.isfinite(matrix).all():
            raise ValueError(
                f"wald_test: R has shape {np.shape(R)}, expected finite numbers of shape (r, {len(self.params)}): one "
                f"column a parameter ({', '.join(self.names[:6])}...), or names of parameters."
            )
        return matrix
