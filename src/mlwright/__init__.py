"""mlwright: the machine-learning engineer's native toolkit.

Importing this package loads nothing native, no SciPy, no scikit-learn and no Numba; what is used is loaded when it is
first named (PEP 562).
"""

from importlib import import_module as _import_module

_SUBMODULES = frozenset(
    {
        "bayes",
        "capi",
        "cluster",
        "decomposition",
        "deploy",
        "ensemble",
        "explain",
        "extend",
        "io",
        "linear_model",
        "model_selection",
        "preprocessing",
        "reference",
        "tabular",
        "testing",
    }
)
_NAMES = {
    "LossOfPrecisionWarning": "_runtime.errors",
    "MlwrightError": "_runtime.errors",
    "ModelFormatError": "_runtime.errors",
    "NumericalError": "_runtime.errors",
    "ProgressEvent": "_runtime.progress",
    "get_num_threads": "_runtime.threads",
    "set_num_threads": "_runtime.threads",
    "watch_progress": "_runtime.progress",
    "get_cmake_dir": "_installed",
    "get_include": "_installed",
    "show_versions": "_versions",
    "load": "io",
    "save": "io",
}

__all__ = sorted({*_SUBMODULES, *_NAMES, "__version__"})


def __getattr__(name):
    if name in _SUBMODULES:
        return _import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(_import_module(f"{__name__}.{_NAMES[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return globals().setdefault(name, version("mlwright"))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
