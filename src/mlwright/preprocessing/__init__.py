"""From tables to matrices."""

from mlwright.preprocessing._table_encoder import TableEncoder

__all__ = ["TableEncoder"]
