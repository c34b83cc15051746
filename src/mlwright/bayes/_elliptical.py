"""Draw from the posterior of a likelihood under a normal prior, without gradients."""

import numpy as np

from mlwright._kernels.density import REAL
from mlwright._kernels.sampler import Settings, Target, start_chains
from mlwright._runtime.errors import NumericalError
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright.bayes._gradient_check import free_name
from mlwright.bayes._run import ChainState, check_counts, compiled_density, drawn, free_starts

_SMALLEST_PIVOT = 1e-14  # of a covariance, relative to its variance
_FAR = 1e50, 1e100  # prior deviations, whose squares are finite
_EXACT = 1.0 - 1e-9
_MOST_NUMBERS = 64  # looked at


def sample_elliptical(
    likelihood,
    data=None,
    *,
    mean=0.0,
    covariance=1.0,
    chains=4,
    draws=1000,
    warm_up=1000,
    init=None,
    random_state=None,
    n_jobs=None,
    verbose=0,
):
    """Draw from a posterior with a normal prior by elliptical slice sampling.

    No gradient is taken and nothing is tuned, so the likelihood may have corners and jumps. It mixes best where the
    prior says much: latent functions of a Gaussian process, random effects.

    Parameters
    ----------
    likelihood : LogDensity
        The likelihood alone, made by :func:`mlwright.extend.log_density`, of parameters that are all ``real``.
    data : mapping of str to array-like or number, default=None
        What the likelihood's function takes beside its parameters.
    mean : float or array-like of shape (n_numbers,), default=0.0
        Prior mean of all numbers of the parameters, in declared order.
    covariance : float or array-like of shape (n_numbers,) or (n_numbers, n_numbers), default=1.0
        Prior variance of each, or their covariance.
    chains : int, default=4
        Run side by side, one a thread.
    draws, warm_up : int, default=1000
        Of each chain. Draws of the warm-up are not kept.
    init : mapping of str to array-like, default=None
        A point to start from, or one a chain along a first axis. None draws starts from the prior.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.
    verbose : int, default=0

    Returns
    -------
    Posterior
        Its ``log_density`` is that of the likelihood. Warns (ConvergenceWarning) where its diagnostics are poor.

    Raises
    ------
    ValueError
        For parameters with constraints; a prior that is not one; arguments, data or starts that make no sense; a
        likelihood that grows as fast as the prior falls, which leaves no posterior.
    NumericalError
        If the likelihood is finite at no start, or its function raises.

    References
    ----------
    Murray, Adams, MacKay (2010), Elliptical slice sampling. AISTATS 9.

    Examples
    --------
    >>> import numpy as np
    >>> from mlwright import bayes
    >>> from mlwright.extend import densities, log_density, real
    >>> @log_density(f=real("y"))
    ... def counts(f, y):
    ...     total = 0.0
    ...     for i in range(len(y)):
    ...         total += densities.poisson_log(y[i], f[i])
    ...     return total
    >>> x = np.linspace(0, 1, 20)
    >>> smooth = np.exp(-0.5 * ((x[:, None] - x) / 0.3) ** 2) + 1e-6 * np.eye(20)
    >>> y = np.random.default_rng(0).poisson(np.exp(1 + np.sin(6 * x)))
    >>> posterior = bayes.sample_elliptical(counts, {"y": y}, mean=1.0, covariance=smooth, draws=5000, random_state=0)
    >>> posterior["f"].shape
    (4, 5000, 20)
    """
    check_counts(chains=chains, draws=draws, warm_up=warm_up)
    compiled = compiled_density(likelihood, data, "likelihood", value_only=True)
    if (compiled.blocks[:, 0] != REAL).any():
        name = compiled.names[int(np.argmax(compiled.blocks[:, 0] != REAL))]
        raise ValueError(f"likelihood: parameter {name} has a constraint, expected real(): the prior is normal")
    target = Target(compiled)
    mean, root = _prior(mean, covariance, target.free_size)
    _refuse_growing(target, mean, root)
    settings = Settings(seed_from(random_state), int(warm_up), method="elliptical", mean=mean, root=root)
    starts = None if init is None else free_starts(compiled, init, chains)
    with limit(n_jobs):
        states = start_chains(target, settings, chains, starts)
    state = ChainState(likelihood, compiled.owner.data, settings, states, n_jobs, verbose)
    return drawn(compiled, state, int(draws))


def _refuse_growing(target, mean, root):
    """ValueError where the prior does not outweigh the likelihood far out: the posterior is improper nowhere else."""
    for i in range(min(len(mean), _MOST_NUMBERS)):
        column = root[:, i] if root.ndim == 2 else root * (np.arange(len(root)) == i)
        for sign in (1.0, -1.0):
            if all(_outgrows(target, mean, sign * column, far) for far in _FAR):
                raise ValueError(
                    f"likelihood: the posterior is improper: towards {'' if sign > 0.0 else '-'}infinity of "
                    f"{free_name(target, i)} the log likelihood grows as fast as the log density of the normal prior "
                    "falls; expected a likelihood that grows more slowly; correct its sign, or lower the covariance"
                )


def _outgrows(target, mean, column, far):
    try:
        value = target.evaluate(mean + far * column)[0]
    except NumericalError:  # the user's function refuses points as far as that
        return False
    return bool(np.isfinite(value) and value >= 0.5 * _EXACT * far * far)


def _prior(mean, covariance, d):
    """Mean of shape (d,), and deviations or a Cholesky factor."""
    mean = _broadcast("mean", mean, d, [(d,)])
    covariance = _broadcast("covariance", covariance, d, [(d,), (d, d)])
    if covariance.ndim == 1:
        if not (covariance > 0).all():
            raise ValueError(f"covariance: got a variance of {covariance.min():g}, expected positive ones")
        return mean, np.sqrt(covariance)
    scale = np.sqrt(np.abs(np.diag(covariance)))
    if not np.allclose(covariance, covariance.T, rtol=1e-8, atol=1e-12 * float(scale.max()) ** 2):
        raise ValueError("covariance: the matrix is not symmetric; expected covariance[i, j] == covariance[j, i]")
    try:
        root = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        root = np.zeros_like(covariance)
    if not (np.diag(root) ** 2 > _SMALLEST_PIVOT * scale**2).all():
        raise ValueError(
            "covariance: the matrix is not positive definite; expected a covariance; add a small number to its diagonal"
        )
    return mean, root


def _broadcast(name, value, d, shapes):
    value = np.asarray(value, dtype=np.float64)
    if value.ndim == 0:
        value = np.full(d, float(value))
    if value.shape not in shapes:
        raise ValueError(f"{name}: got shape {value.shape}, expected a number or {' or '.join(map(str, shapes))}")
    if not np.isfinite(value).all():
        raise ValueError(f"{name}: got a number that is not finite")
    return value
