"""Tests of hypotheses about parameters: Wald, and the likelihood ratio of two fits."""

from dataclasses import dataclass

import numpy as np
from scipy import special

_SAME_DATA = 1e-9


@dataclass(frozen=True, slots=True)
class TestResult:
    """Outcome of a test.

    Attributes
    ----------
    name : str
    statistic : float
    p_value : float
    df : float
        Number of restrictions.
    df_denominator : float or None
        Of the F distribution; None where the statistic follows chi-squared.
    """

    __test__ = False  # not pytest's

    name: str
    statistic: float
    p_value: float
    df: float
    df_denominator: float | None = None

    def __str__(self):
        law = f"chi2({self.df:g})" if self.df_denominator is None else f"F({self.df:g}, {self.df_denominator:g})"
        return f"{self.name}: statistic {self.statistic:.6g}, {law}, p-value {self.p_value:.4g}"


def p_values(statistic, df):
    """Two-sided p-values of t statistics, or of z statistics where df is None."""
    size = -np.abs(statistic)
    return 2.0 * (special.ndtr(size) if df is None else special.stdtr(df, size))


def quantile(upper, df):
    """Of the t distribution, or of the normal where df is None."""
    return special.ndtri(upper) if df is None else special.stdtrit(df, upper)


def wald(params, covariance, restrictions, values, df_denominator, name="Wald test"):
    """Test ``restrictions @ params == values``; with F where df_denominator is given, else with chi-squared.

    Raises
    ------
    ValueError
        Where restrictions contradict or repeat each other.
    """
    distance = restrictions @ params - values
    middle = restrictions @ covariance @ restrictions.T
    d = np.sqrt(middle.diagonal())
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = middle / np.multiply.outer(d, d)
    if not np.isfinite(scaled).all() or np.linalg.matrix_rank(scaled, tol=1e-10, hermitian=True) < len(scaled):
        raise ValueError(
            f"{name}: got {len(restrictions)} restrictions of which some repeat others or restrict nothing (or have no "
            "variance); expected linearly independent rows; leave the repeated ones out."
        )
    q = len(restrictions)
    statistic = float((distance / d) @ np.linalg.solve(scaled, distance / d))
    if df_denominator is None:
        return TestResult(name, statistic, float(special.chdtrc(q, statistic)), q)
    return TestResult(name, statistic / q, float(special.fdtrc(q, df_denominator, statistic / q)), q, df_denominator)


def likelihood_ratio(full, restricted):
    """Test a model against one nested in it, both fitted by maximum likelihood on the same rows."""
    for result in (full, restricted):
        if result.log_likelihood is None:
            raise ValueError(
                f"lr_test: {result.model} maximises no likelihood; expected models that do; use wald_test."
            )
    if full.model != restricted.model:
        raise ValueError(f"lr_test: got {full.model} and {restricted.model}, expected two fits of one model.")
    same = np.allclose(full.fingerprint, restricted.fingerprint, rtol=_SAME_DATA, atol=0.0)
    if not same:
        raise ValueError(
            f"lr_test: the models were fitted on different rows, weights or targets ({full.n_obs:g} observations, and "
            f"{restricted.n_obs:g} for the restricted one); expected the same rows for both."
        )
    df = full.n_estimated - restricted.n_estimated
    if df < 1:
        raise ValueError(
            f"lr_test: got {restricted.n_estimated} parameters in the restricted model and {full.n_estimated} in this "
            "one, expected fewer; call it on the larger model."
        )
    statistic = 2.0 * (full.log_likelihood - restricted.log_likelihood)
    if statistic < -1e-6 * (1.0 + abs(full.log_likelihood)):
        raise ValueError(
            f"lr_test: the restricted model has the larger likelihood (by {-statistic / 2:.3g}), so it is not nested "
            "in the other one, or one of them has not converged; expected its columns among the other's."
        )
    statistic = max(statistic, 0.0)
    return TestResult("Likelihood-ratio test", statistic, float(special.chdtrc(df, statistic)), df)
