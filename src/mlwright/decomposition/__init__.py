"""Tables and texts in fewer columns."""

from mlwright.decomposition._pca import PCA
from mlwright.decomposition._truncated_svd import TruncatedSVD

__all__ = ["PCA", "TruncatedSVD"]
