"""Ways to compute the same posterior, and which one a fit takes.

A solver is made of an :class:`~mlwright.gaussian_process._rows.Observed` and, where it needs them,
:class:`~mlwright.gaussian_process._rows.Settings`, and offers, for a kernel with its hyperparameters as they stand,

    fits(observed, kernel)         whether it is a solver for them
    likelihood(kernel, gradient)   log marginal likelihood; with its gradient by ``kernel.theta`` if asked for; minus
                                   infinity where the covariance matrix is not positive definite
    state(kernel)                  dict of the arrays that everything below needs; ``_weights`` is ``K^-1 y``
    extended(state, n_old, kernel) the same after rows were added at the end
    likelihood_of(state, kernel)   the log marginal likelihood of a state
    left_out(state, kernel)        ``K^-1 y`` of shape (n, t) and the diagonal of ``K^-1``
    predict(state, kernel, X, want)
        means of shape (m, t), and for `want` "mean" None, for "variance" variances of shape (m,), for "covariance"
        covariances of shape (m, m): of the process, without any noise

Where the solver is none for the kernel, a likelihood is minus infinity and all else raises ValueError.
"""

from mlwright.gaussian_process._dense import DenseSolver
from mlwright.gaussian_process._failures import unsuited
from mlwright.gaussian_process._state_space import StateSpaceSolver
from mlwright.gaussian_process._vecchia import VecchiaSolver

SOLVERS = {"dense": DenseSolver, "state_space": StateSpaceSolver, "vecchia": VecchiaSolver}
_FEWEST_ROWS = 256  # of a series: below, the matrix takes a few milliseconds, and any kernel that a user may set next


def choose(name, observed, kernel):
    """The name of the solver of a fit: what was asked for, or what is exact and fastest.

    Raises
    ------
    ValueError
        If the solver asked for is not one for these rows and this kernel.
    """
    if name == "auto":
        long = len(observed.y) >= _FEWEST_ROWS
        return "state_space" if long and StateSpaceSolver.fits(observed, kernel) else "dense"
    if not SOLVERS[name].fits(observed, kernel):
        raise unsuited(name, kernel)
    return name
