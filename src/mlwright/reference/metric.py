"""Twin of the metric of Hamiltonian dynamics, and of how its directions are found.

``M^-1 = D + W' (Lambda - I) W``: D the squared scales, the rows of W directions that are stretched by Lambda.

References
----------
Seyboldt, Carlson, Carpenter (2026), arXiv:2603.18845.
"""

from dataclasses import dataclass

import numpy as np

MOST_DIRECTIONS, MOST_OF_SPACE, REMEMBERED = 32, 64, 128
RIDGE, TOLD, WILDEST = 1e-5, 2.0, 1e50


@dataclass
class Metric:
    inverse_mass: np.ndarray
    stretch: np.ndarray
    directions: np.ndarray

    @classmethod
    def diagonal(cls, inverse_mass):
        return cls(inverse_mass, np.empty(0), np.empty((0, len(inverse_mass))))

    def momentum(self, rng):
        p = np.array([rng.normal() for _ in self.inverse_mass]) / np.sqrt(self.inverse_mass)
        along = (1 / np.sqrt(self.stretch) - 1) * (self.directions @ p)
        return p + along @ (self.directions / self.inverse_mass)

    def velocity(self, p):
        return self.inverse_mass * p + ((self.stretch - 1) * (self.directions @ p)) @ self.directions


def find_directions(u, gradients, inverse_mass):
    """``(stretch, directions)`` of draws and gradients of shape (n, d), the latest last."""
    n = min(len(u), REMEMBERED)
    space = min(MOST_OF_SPACE, n // 2)
    scale = np.sqrt(inverse_mass)
    if space < 2:
        return np.empty(0), np.empty((0, len(scale)))
    x, g = np.array(u[-n:]) / scale, np.array(gradients[-n:]) * scale
    x, g = x - x.mean(axis=0), g - g.mean(axis=0)
    if not (abs(x) <= WILDEST).all() or not (abs(g) <= WILDEST).all():
        return np.empty(0), np.empty((0, len(scale)))
    basis = np.eye(len(scale))
    if len(scale) > space:
        leading = [np.linalg.svd(rows)[2][: space // 2] for rows in (x, g)]
        basis, sizes, _ = np.linalg.svd(np.concatenate(leading).T, full_matrices=False)
        basis = basis[:, sizes > 1e-4].T
    a, b = ((z @ basis.T).T @ (z @ basis.T) / n + RIDGE * np.eye(len(basis)) for z in (x, g))
    factor = np.linalg.cholesky(a)
    inner, vectors = np.linalg.eigh(factor.T @ b @ factor)
    root = factor @ vectors / inner**0.25
    values, vectors = np.linalg.eigh(root @ root.T)
    order = np.argsort(-abs(np.log(values)), kind="stable")[: min(MOST_DIRECTIONS, len(scale))]
    order = order[abs(np.log(values[order])) > np.log(TOLD)]
    return values[order], vectors.T[order] @ basis * scale
