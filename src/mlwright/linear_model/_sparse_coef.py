"""Coefficients in CSR format, as ``sparsify`` of scikit-learn's linear models makes them."""

from scipy import sparse
from sklearn.linear_model._base import SparseCoefMixin

__all__ = ["SparseCoefMixin", "dense_coef"]


def dense_coef(model):
    """``coef_`` as an array, whether or not the model was made sparse."""
    coef = model.coef_
    return coef.toarray() if sparse.issparse(coef) else coef
