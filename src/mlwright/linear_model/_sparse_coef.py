"""Coefficients in CSR format, as ``sparsify`` of scikit-learn's linear models makes them."""

from scipy import sparse

__all__ = ["SparseCoefMixin", "dense_coef"]


class SparseCoefMixin:
    """``sparsify`` and ``densify`` by scikit-learn's own mixin, which decides on the format and loads its models."""

    def sparsify(self):
        """Make ``coef_`` a sparse matrix, which takes less memory where more than half of it is zero.

        Returns
        -------
        self : object
        """
        return _peer().sparsify(self)

    def densify(self):
        """Make ``coef_`` an array again.

        Returns
        -------
        self : object
        """
        return _peer().densify(self)


def _peer():
    from sklearn.linear_model._base import SparseCoefMixin as peer

    return peer


def dense_coef(model):
    """``coef_`` as an array, whether or not the model was made sparse."""
    coef = model.coef_
    return coef.toarray() if sparse.issparse(coef) else coef
