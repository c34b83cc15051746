"""Classes that are all but separable: the Hessian is flat there, and a certificate must not overlook what it hides."""

import numpy as np
import pytest
from scipy import special

from mlwright._kernels import glm
from mlwright._kernels.linalg import as_design
from mlwright.linear_model import LogisticRegression


def blobs(n_classes, n=60, p=3, mixed=True, seed=0):
    rng = np.random.default_rng(seed)
    y = np.append(np.arange(n_classes), rng.integers(0, n_classes, n - n_classes))
    X = rng.standard_normal((n_classes, p))[y] * 3 + rng.standard_normal((n, p))
    return (X @ rng.standard_normal((p, p)) * np.logspace(-3, 3, p) if mixed else X), y


class Objective:
    """Sum of log losses and penalty at coefficients (k, p + 1), and Newton's method on it."""

    def __init__(self, X, y, l2, n_classes):
        self.Z, self.y, self.Y = np.column_stack([X, np.ones(len(X))]), y, np.eye(n_classes)[y]
        self.l2 = np.append(np.broadcast_to(l2, X.shape[1]), 0.0)

    def __call__(self, B):
        score = self.Z @ B.T
        losses = special.logsumexp(score, axis=1) - score[np.arange(len(score)), self.y]
        return losses.sum() + (self.l2 * B**2).sum() / 2

    def newton_step(self, B):
        P = special.softmax(self.Z @ B.T, axis=1)
        g = ((P - self.Y).T @ self.Z + B * self.l2).ravel()
        D = P[:, :, None] * (np.eye(P.shape[1]) - P[:, None, :])
        H = np.einsum("iab,ij,il->ajbl", D, self.Z, self.Z).reshape(len(g), -1) + np.diag(np.tile(self.l2, len(B)))
        unit = 1.0 / np.sqrt(H.diagonal())
        return -(unit * np.linalg.lstsq(H * np.outer(unit, unit), unit * g, rcond=1e-15)[0]).reshape(B.shape)

    def least(self, B):
        """The least value found from B on."""
        for _ in range(50):
            step, t = self.newton_step(B), 1.0
            while self(B + t * step) > self(B) and t > 1e-9:
                t /= 2
            if t <= 1e-9:
                break
            B = B + t * step
        return self(B)


@pytest.mark.parametrize("n_classes", [3, 5])
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("C", [1.0, 1e4])
def test_certified_fits_are_at_the_optimum(n_classes, mixed, C):
    X, y = blobs(n_classes, mixed=mixed)
    model = LogisticRegression(C=C).fit(X, y)
    value = Objective(X, y, 1 / C, n_classes)
    here = value(np.column_stack([model.coef_, model.intercept_]))
    assert model.converged_
    assert here - value.least(np.column_stack([model.coef_, model.intercept_])) <= 1e-8 * here + 1e-14 * len(y)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_descents_certify_what_conjugate_gradients_find(n_classes, scale):
    """Without a joint Hessian to fall back on: columns that are too many for one; `squares` as of wide tables."""
    rng = np.random.default_rng(1)
    X, y = blobs(n_classes, 80, 4, mixed=False)
    X = np.column_stack([X, X @ rng.standard_normal((4, 2)) + 0.01 * rng.standard_normal((80, 2))]) - X.mean()
    p = X.shape[1]
    table = glm.Table(as_design(X), np.zeros(p), np.ones(p), y.astype(float))
    l2, squares = np.full(p, 1.0 / scale), (X * X).sum(axis=0)
    if n_classes == 2:
        loss = glm.GlmLoss("binary_log_loss")
        b, b0, facts = glm.fit_lbfgs(table, loss, l2, True, np.zeros(p), 0.0, 0.0, squares, 0.25, 1e-4, 2000)
        B = np.array([np.zeros(p + 1), np.append(b, b0)])
        value = Objective(X, y, 2 * l2, 2)  # in differences of two classes, half of it each
        B = np.array([-B[1] / 2, B[1] / 2])
    else:
        start = np.zeros((p, n_classes)), np.zeros(n_classes)
        b, b0, facts = glm.fit_multinomial(table, n_classes, l2, True, *start, squares, 1e-4, 2000)
        B, value = np.column_stack([b.T, b0]), Objective(X, y, l2, n_classes)
    here = value(B)
    assert facts["status"] == glm.CONVERGED
    assert here == pytest.approx(facts["objective"], rel=1e-10)
    assert here - value.least(B) <= 2e-9 * here


def test_a_stop_without_certificate_is_told():
    X, y = blobs(3)
    with pytest.warns(match="max_iter reached with the optimum not certified"):
        model = LogisticRegression(C=1e4, max_iter=2).fit(X, y)
    assert not model.converged_
