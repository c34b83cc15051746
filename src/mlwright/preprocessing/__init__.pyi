from mlwright.preprocessing._standard_scaler import StandardScaler
from mlwright.preprocessing._table_encoder import TableEncoder

__all__ = [
    "StandardScaler",
    "TableEncoder",
]
