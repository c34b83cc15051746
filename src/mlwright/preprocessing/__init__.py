"""From tables to matrices, and columns of one scale."""

from mlwright._lazy import front

__all__, __getattr__, __dir__ = front(
    __name__,
    {
        "StandardScaler": "mlwright.preprocessing._standard_scaler",
        "TableEncoder": "mlwright.preprocessing._table_encoder",
    },
)
