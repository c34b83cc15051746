"""The bases of few rows: the same coefficients and scores as in the columns, whichever basis is taken."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from mlwright.linear_model import LogisticRegression, LogisticRegressionCV
from mlwright.linear_model._glm._dual import SpectralBasis, TriangularBasis, basis_of

KINDS = {"independent": TriangularBasis, "few directions": SpectralBasis}


def table(kind, n=30, p=600, mean=100.0):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + mean * rng.standard_normal(p)
    if kind == "few directions":
        X += 3.0 * rng.standard_normal((n, 2)) @ rng.standard_normal((2, p))
    return X


@pytest.mark.parametrize("form", ["dense", "columns", "sparse"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mean", [3.0, 100.0])  # centred after the product, and before
@pytest.mark.parametrize("chosen", [np.arange(30), np.array([7, 2, 20, 29, 4]), np.array([3, 3, 8, 1, 8, 8])])
def test_a_basis_keeps_lengths_and_scores(kind, fit_intercept, chosen, mean, form):
    X = table(kind, mean=mean)
    given = {"dense": X, "columns": np.asfortranarray(X), "sparse": sparse.csr_matrix(X)}[form]
    whole = basis_of(SimpleNamespace(X=given, is_sparse=form == "sparse"), fit_intercept)
    basis, rows = whole.part(chosen)
    twice = len(np.unique(chosen)) < len(chosen)
    if fit_intercept:  # without, the means are the one direction that counts
        assert isinstance(whole, KINDS[kind])
        assert isinstance(basis, SpectralBasis if twice else KINDS[kind])
    v = np.random.default_rng(1).standard_normal((4, rows.shape[1]))
    a, moved = basis.combinations(v)
    coef, of_mean = basis.gram.coefficients(a)
    np.testing.assert_allclose((coef**2).sum(axis=1), (v**2).sum(axis=1), rtol=1e-8)
    in_basis = (rows @ v.T).T
    in_columns = coef @ X[chosen].T - (of_mean + moved)[:, None]
    np.testing.assert_allclose(in_columns, in_basis, atol=1e-8 * np.abs(coef @ X.T).max())
    np.testing.assert_allclose(basis.gram.scores(a, -moved, chosen).T, in_basis, atol=1e-8 * np.abs(in_basis).max())
    if fit_intercept:
        assert np.abs(a.sum(axis=1)).max() <= 1e-12 * np.abs(a).max()


def test_one_row_has_no_triangle():
    rows = SimpleNamespace(X=table("independent"), is_sparse=False)
    assert isinstance(basis_of(rows, True).part(np.array([4]))[0], SpectralBasis)
    assert isinstance(basis_of(rows, False).gram.triangular(np.array([4])), TriangularBasis)


@pytest.mark.parametrize("kind", KINDS)
def test_folds_that_repeat_rows_are_weighted_fits(kind):
    X = table(kind)
    rng = np.random.default_rng(3)
    y = np.arange(30) % 2
    cv = [(rng.integers(0, 30, 40), np.arange(k, 30, 3)) for k in range(3)]
    model = LogisticRegressionCV(Cs=[0.01, 1.0], cv=cv, tol=1e-8, max_iter=1000, use_legacy_attributes=False).fit(X, y)
    for f, (train, _) in enumerate(cv):
        for c, C in enumerate((0.01, 1.0)):
            alone = LogisticRegression(C=C, tol=1e-8, max_iter=1000).fit(X, y, np.bincount(train, minlength=30))
            np.testing.assert_allclose(model.coefs_paths_[f, 0, c, 0, :-1], alone.coef_[0], atol=1e-6)
