"""Draw from the posterior of a density of one's own."""

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real

from mlwright._kernels.sampler import Settings, Target, start_chains
from mlwright._runtime.rng import seed_from
from mlwright._runtime.threads import limit
from mlwright.bayes._gradient_check import check_gradient
from mlwright.bayes._laplace import find_peak, proposal_k_hat
from mlwright.bayes._proper import refuse_improper
from mlwright.bayes._run import ChainState, check_counts, compiled_density, drawn, free_starts

_METHODS = ("nuts", "hmc", "independence")
_METRICS = ("low_rank", "diagonal")
_TRUSTED = 0.7  # k-hat of candidates


def sample(
    density,
    data=None,
    *,
    method="nuts",
    chains=4,
    draws=1000,
    warm_up=1000,
    metric="low_rank",
    target_acceptance=0.8,
    max_depth=10,
    n_steps=16,
    init=None,
    random_state=None,
    n_jobs=None,
    verbose=0,
):
    """Draw from a posterior by Markov chains: the no-U-turn sampler, or another method.

    Parameters
    ----------
    density : LogDensity
        Made by :func:`mlwright.extend.log_density`.
    data : mapping of str to array-like or number, default=None
        What the density's function takes beside its parameters.
    method : {"nuts", "hmc", "independence"}, default="nuts"
        ``"nuts"``: Hamiltonian trajectories that end where they would turn back. ``"hmc"``: trajectories of `n_steps`
        on average. ``"independence"``: candidates from the normal law at the mode, near to independent draws where the
        posterior is nearly normal; only if the law's k-hat is at most 0.7, else nuts, started from it: see the
        posterior's ``method`` and ``k_hat``.
    chains : int, default=4
        Run side by side, one a thread.
    draws, warm_up : int, default=1000
        Of each chain. Step size and metric are learnt in the warm-up, whose draws are not kept.
    metric : {"low_rank", "diagonal"}, default="low_rank"
        What trajectories learn of the posterior's shape: a scale a parameter, and directions in which it is more than
        twice as wide or narrow as the scales say (at most 32); or scales alone.
    target_acceptance : float, default=0.8
        Smaller steps, safer and slower, the closer it is to 1.
    max_depth : int, default=10
        A trajectory of nuts has at most ``2 ** max_depth`` steps.
    n_steps : int, default=16
        Steps of a trajectory of hmc: drawn evenly from ``1 .. 2 * n_steps - 1``.
    init : mapping of str to array-like, "laplace" or None, default=None
        A point to start from, of each parameter on its own scale; or one a chain, along a first axis. ``"laplace"``
        draws starts, and takes first scales, from the normal law at the mode. None draws starts around the middle of
        the free numbers.
    random_state : int, RandomState instance, Generator or None, default=None
        An integer gives the same draws, to the bit, for any number of threads.
    n_jobs : int, default=None
        Threads; None is all of them.
    verbose : int, default=0

    Returns
    -------
    Posterior
        Warns (ConvergenceWarning) where its diagnostics are poor.

    Raises
    ------
    ValueError
        For parameters, data or starts that make no sense; where the gradient is not that of the density (named by its
        coordinate); where the density gives different numbers for the same parameters;
        where it has no finite integral along one of them, or along sums and differences (an improper posterior).
    NumericalError
        If the density is finite at no start, or its function raises; with ``"laplace"`` and ``"independence"``, if it
        has no mode.

    See Also
    --------
    laplace : The normal law at the mode.
    sample_elliptical : For normal priors, without gradients.

    References
    ----------
    Hoffman, Gelman (2014), The No-U-Turn Sampler, JMLR 15. Betancourt (2017), arXiv:1701.02434. Neal (2011), MCMC using
    Hamiltonian dynamics. Metric: Seyboldt, Carlson, Carpenter (2026), arXiv:2603.18845. Tierney (1994), Markov chains
    for exploring posterior distributions, Annals of Statistics 22. k-hat: Vehtari et al. (2024), JMLR 25.

    Examples
    --------
    >>> from mlwright import bayes
    >>> from mlwright.extend import densities, log_density, positive
    >>> @log_density(rate=positive())
    ... def model(rate, n, total):
    ...     return densities.gamma(rate, 2.0, 1.0) + total * math.log(rate) - n * rate
    >>> import math
    >>> posterior = bayes.sample(model, {"n": 10, "total": 31}, random_state=0)
    >>> posterior["rate"].shape
    (4, 1000)
    >>> bool(abs(posterior["rate"].mean() - 33 / 11) < 0.05)
    True
    """
    check_counts(chains=chains, draws=draws, warm_up=warm_up, max_depth=max_depth, n_steps=n_steps)
    _check(method, metric, target_acceptance, init)
    compiled = compiled_density(density, data)
    target = Target(compiled)
    settings = Settings(
        seed_from(random_state),
        int(warm_up),
        float(target_acceptance),
        int(max_depth),
        method,
        int(n_steps),
        finds_directions=metric == "low_rank",
    )
    check_gradient(target, settings.seed)
    refuse_improper(target, settings.seed)
    k_hat = None
    if method == "independence" or init == "laplace":
        settings, k_hat = _around_the_mode(target, settings)
    starts = free_starts(compiled, init, chains) if isinstance(init, Mapping) else None
    with limit(n_jobs):
        states = start_chains(target, settings, chains, starts)
    data = compiled.owner.data  # as it was when it was compiled, whatever becomes of the caller's
    return drawn(compiled, ChainState(density, data, settings, states, n_jobs, verbose, k_hat), int(draws))


def _around_the_mode(target, settings):
    """Settings with the normal law at the mode; its k-hat, above which candidates from it are not trusted."""
    peak = find_peak(target, settings.seed)
    settings = replace(settings, mean=peak.mode, root=peak.root)
    if settings.method != "independence":
        return settings, None
    k_hat = proposal_k_hat(target, peak, settings.seed)
    return (settings if k_hat <= _TRUSTED else replace(settings, method="nuts")), k_hat


def _check(method, metric, target_acceptance, init):
    for name, value, known in (("method", method, _METHODS), ("metric", metric, _METRICS)):
        if value not in known:
            raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(known)}")
    if not (isinstance(target_acceptance, Real) and 0 < target_acceptance < 1):
        raise ValueError(f"target_acceptance: got {target_acceptance!r}, expected a number between 0 and 1")
    if not (init is None or init == "laplace" or isinstance(init, Mapping)):
        raise ValueError(f"init: got {init!r}, expected a mapping from parameters to values, 'laplace' or None")
