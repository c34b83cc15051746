"""Ways to compute the same posterior, and which one a fit takes.

A solver is made of an :class:`~mlwright.gaussian_process._rows.Observed` and, where it needs them,
:class:`~mlwright.gaussian_process._rows.Settings`, and offers, for a kernel with its hyperparameters as they stand,

    likelihood(kernel, gradient)   log marginal likelihood; with its gradient by ``kernel.theta`` if asked for; minus
                                   infinity where the covariance matrix is not positive definite
    state(kernel)                  dict of the arrays that everything below needs; ``_weights`` is ``K^-1 y``
    extended(state, n_old, kernel) the same after rows were added at the end
    likelihood_of(state, kernel)   the log marginal likelihood of a state
    left_out(state, kernel)        ``K^-1 y`` of shape (n, t) and the diagonal of ``K^-1``
    predict(state, kernel, X, want)
        means of shape (m, t), and for `want` "mean" None, for "variance" variances of shape (m,), for "covariance"
        covariances of shape (m, m); white noise of the kernel included, ``alpha`` not
"""

from mlwright.gaussian_process import _state_space
from mlwright.gaussian_process._dense import DenseSolver
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
        return "state_space" if len(observed.y) >= _FEWEST_ROWS and _state_space.fits(observed, kernel) else "dense"
    if name == "state_space" and not _state_space.fits(observed, kernel):
        raise ValueError(
            f"solver: got 'state_space' for the kernel {kernel}; expected X of one column, and a sum of at most four "
            "products of one Matern kernel (nu 0.5, 1.5 or 2.5) with constants, and of WhiteKernel; or solver='dense'."
        )
    if name == "vecchia" and observed.program(kernel) is None:
        raise ValueError(
            f"solver: got 'vecchia' for the kernel {kernel}; expected sums and products of ConstantKernel, "
            "WhiteKernel, RBF, Matern (nu 0.5, 1.5, 2.5 or inf) and RationalQuadratic; or solver='dense'."
        )
    return name
