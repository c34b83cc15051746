"""Model files (``.mlw``): arrays and JSON in a safetensors container, no code; ``format.md`` has the format."""

from mlwright.io.files import describe, dumps, load, loads, save

__all__ = ["describe", "dumps", "load", "loads", "save"]
