from mlwright.deploy._estimators import ImportedClassifier, ImportedRegressor
from mlwright.deploy._importing import from_bytes, from_file, from_model, is_foreign
from mlwright.deploy._model import UnsupportedModelError

__all__ = [
    "ImportedClassifier",
    "ImportedRegressor",
    "UnsupportedModelError",
    "from_bytes",
    "from_file",
    "from_model",
    "is_foreign",
]
