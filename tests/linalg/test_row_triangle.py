"""Rows in a basis of what they span: inner products are kept; dependent rows and foreign row numbers have no answer."""

import numpy as np
import pytest

from mlwright._kernels.row_triangle import row_triangle


def products(n=12, p=300):
    X = np.random.default_rng(0).standard_normal((n, p)) + 2.0
    return X, X @ X.T


def mirror_of(m):
    u = np.append(np.full(m - 1, 1.0 / np.sqrt(m)), 1.0 + 1.0 / np.sqrt(m))
    return u / np.linalg.norm(u)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("chosen", [[3, 1], [0, 11, 5, 7], range(12)])
def test_inner_products_are_those_of_the_rows(chosen, centred):
    X, K = products()
    chosen = np.array(chosen)
    factor, rows = row_triangle(K, chosen, mirror_of(len(chosen)) if centred else None, 1e-6)
    Z = X[chosen] - X[chosen].mean(axis=0) if centred else X[chosen]
    np.testing.assert_allclose(rows @ rows.T, Z @ Z.T, atol=1e-10 * K.max())
    assert rows.shape == (len(chosen), len(chosen) - centred)
    assert not np.triu(factor, 1).any()


@pytest.mark.parametrize("mirror", [None, mirror_of(4)])
def test_dependent_rows_have_no_triangle(mirror):
    _, K = products()
    assert row_triangle(K, np.array([2, 5, 2, 5]), mirror, 1e-12) is None


def test_least_is_what_the_condition_must_be():
    K = np.diag([1.0, 1e-3])
    assert row_triangle(K, np.arange(2), None, 0.9e-3) is not None
    assert row_triangle(K, np.arange(2), None, 1.1e-3) is None


@pytest.mark.parametrize("bad", [[0, 12], [-1, 3]])
def test_rows_that_are_not_there_are_refused(bad):
    with pytest.raises(ValueError, match=r"0 <= number < 12"):
        row_triangle(products()[1], np.array(bad), None, 1e-6)
