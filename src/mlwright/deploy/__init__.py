"""Models of other libraries on this one's prediction engine, and into ``.mlw`` files."""

from mlwright._lazy import front

__all__, __getattr__, __dir__ = front(
    __name__,
    {
        "ImportedClassifier": "mlwright.deploy._estimators",
        "ImportedRegressor": "mlwright.deploy._estimators",
        "UnsupportedModelError": "mlwright.deploy._model",
        "from_bytes": "mlwright.deploy._importing",
        "from_file": "mlwright.deploy._importing",
        "from_model": "mlwright.deploy._importing",
        "is_foreign": "mlwright.deploy._importing",
    },
)
