from mlwright.io.files import describe, dumps, load, loads, save

__all__ = [
    "describe",
    "dumps",
    "load",
    "loads",
    "save",
]
