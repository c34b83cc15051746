"""Model files (``.mlw``): arrays and JSON in a safetensors container, no code; ``format.md`` has the format."""

from mlwright._lazy import front

__all__, __getattr__, __dir__ = front(
    __name__,
    {
        "describe": "mlwright.io.files",
        "dumps": "mlwright.io.files",
        "load": "mlwright.io.files",
        "loads": "mlwright.io.files",
        "save": "mlwright.io.files",
    },
)
