"""Vecchia approximations of Gaussian processes; see ``gp/vecchia.hpp`` and ``gp/neighbours.hpp``."""

import numpy as np

from mlwright._kernels import layout
from mlwright._native import core
from mlwright._runtime.registry import Tolerance, kernel


@kernel(native="gp.maximin_order", twin="gp_vecchia:maximin_order", strategy="gp_vecchia:points")
def maximin_order(X):
    """Rows in an order of which each is the one farthest from all before it; the first is that nearest to the centre.

    Parameters
    ----------
    X : float64 array of shape (n, d)

    Returns
    -------
    int64 array of shape (n,)
    """
    return core.gp.maximin_order(layout.vector(X))


@kernel(native="gp.earlier_neighbours", twin="gp_vecchia:earlier_neighbours", strategy="gp_vecchia:points_and_number")
def earlier_neighbours(X, m):
    """Of each row the m nearest of those before it, by rising distance, earlier ones first where distances are equal.

    Parameters
    ----------
    X : float64 array of shape (n, d)
    m : int

    Returns
    -------
    int64 array of shape (n, m)
        -1 where there are fewer.
    """
    return core.gp.earlier_neighbours(layout.vector(X), m)


@kernel(
    native="gp.nearest_neighbours",
    twin="gp_vecchia:nearest_neighbours",
    strategy="gp_vecchia:points_queries_and_number",
)
def nearest_neighbours(X, queries, m):
    """Of each query the m nearest rows of X, as :func:`earlier_neighbours` gives them.

    Parameters
    ----------
    X : float64 array of shape (n, d)
    queries : float64 array of shape (q, d)
    m : int

    Returns
    -------
    int64 array of shape (q, m)
    """
    return core.gp.nearest_neighbours(layout.vector(X), layout.vector(queries), m)


@kernel(
    native="gp.vecchia_likelihood",
    twin="gp_vecchia:vecchia_likelihood",
    strategy="gp_vecchia:rows_and_neighbours",
    tolerance=Tolerance(rtol=1e-8, atol=1e-8),
)
def vecchia_likelihood(program, X, y, noise, neighbours, *, with_gradient=True):
    """``sum_i log N(y_i | its neighbours)`` of rows of which each is given only some of those before it.

    Parameters
    ----------
    program : mlwright._kernels.gp.Program
    X : float64 array of shape (n, d)
    y : float64 array of shape (n, n_targets)
    noise : float64 array of shape (n,)
    neighbours : int64 array of shape (n, m)
        Numbers of rows before row i, then -1.
    with_gradient : bool

    Returns
    -------
    positive_definite : bool
    value : float
    gradient : float64 array of shape (n_parameters,), or (0,)
        By the logarithms of the program's parameters.
    """
    arrays = (layout.vector(a) for a in (X, y, noise))
    return core.gp.vecchia_likelihood(*program.coded(), *arrays, np.require(neighbours, np.int64, "CA"), with_gradient)


@kernel(
    native="gp.vecchia_conditionals",
    twin="gp_vecchia:vecchia_conditionals",
    strategy="gp_vecchia:queries_and_neighbours",
    tolerance=Tolerance(rtol=1e-8, atol=1e-8),
)
def vecchia_conditionals(program, X, noise, queries, neighbours):
    """How each query depends on its neighbours among the rows of X: ``E[q | y] = u' y``, with variance D.

    Parameters
    ----------
    program : mlwright._kernels.gp.Program
    X : float64 array of shape (n, d)
    noise : float64 array of shape (n,)
        Of X.
    queries : float64 array of shape (q, d)
    neighbours : int64 array of shape (q, m)

    Returns
    -------
    positive_definite : bool
    u : float64 array of shape (q, m)
        Zero where there is no neighbour.
    D : float64 array of shape (q,)
        White noise of the kernel included.
    """
    queries, neighbours = layout.vector(queries), np.require(neighbours, np.int64, "CA")
    u, D = np.zeros(neighbours.shape), np.zeros(len(queries))
    done = core.gp.vecchia_conditionals(
        *program.coded(), layout.vector(X), layout.vector(noise), queries, neighbours, u, D
    )
    return done, u, D
