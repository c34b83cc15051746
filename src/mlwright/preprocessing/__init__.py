"""From tables to matrices, and columns of one scale."""

from mlwright.preprocessing._standard_scaler import StandardScaler
from mlwright.preprocessing._table_encoder import TableEncoder

__all__ = ["StandardScaler", "TableEncoder"]
