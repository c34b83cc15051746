"""The doors: a file, its bytes, or a fitted model."""

import os
import stat

from mlwright._runtime.errors import ModelFormatError
from mlwright.deploy import _lightgbm, _sklearn, _xgboost
from mlwright.deploy._estimators import estimator_of


def from_file(path, *, iterations=None):
    """Read a model that LightGBM or XGBoost saved. Safe on files from strangers.

    Parameters
    ----------
    path : str or path-like
        A text model of LightGBM (``save_model``, versions v3 and v4), or a model of XGBoost in JSON or UBJSON. What it
        is is seen from its content, not from its name.
    iterations : int, default=None
        Only the trees of the first so many iterations. By default all of a file are used, but those of an XGBoost
        estimator up to its ``best_iteration``, as it does itself.

    Returns
    -------
    model : ImportedRegressor or ImportedClassifier
        Predicts what the source predicts; `docs/deploy.md` says to which bit.

    Raises
    ------
    ModelFormatError
        If the file is damaged or of none of these formats.
    UnsupportedModelError
        If the model has a part that is not supported (linear leaves or boosters, vector leaves, unknown objectives);
        the message names it. It is a ModelFormatError too.
    OSError
        If the file cannot be read.

    See Also
    --------
    from_model : for a model in memory, scikit-learn's among them.
    """
    name = os.fspath(path)
    if not stat.S_ISREG(os.stat(name).st_mode):
        raise ModelFormatError(f"{name!r}: is no regular file; expected a model of LightGBM or XGBoost")
    with open(name, "rb") as file:
        data = file.read()
    try:
        return from_bytes(data, iterations=iterations)
    except ModelFormatError as error:
        raise type(error)(f"{name!r}: {error}") from None


def from_bytes(data, *, iterations=None):
    """As :func:`from_file`, from the bytes of a file.

    Parameters
    ----------
    data : bytes
    iterations : int, default=None

    Returns
    -------
    model : ImportedRegressor or ImportedClassifier
    """
    _check_iterations(iterations)
    data = bytes(data)
    if _lightgbm.is_lightgbm(data[:16]):
        return estimator_of(_lightgbm.from_text(data, iterations))
    if _xgboost.is_xgboost(data[:256]):
        return estimator_of(_xgboost.from_bytes(data, iterations))
    raise ModelFormatError(_what_else(data))


def from_model(model, *, iterations=None):
    """Take over a fitted model of another library.

    Parameters
    ----------
    model : object
        A Booster or estimator of LightGBM or XGBoost, or one of scikit-learn's decision trees, random forests, extra
        trees, ``GradientBoosting*`` and ``HistGradientBoosting*``.
    iterations : int, default=None
        Only the trees of the first so many iterations (of a forest: the first so many trees). By default, as many as
        the model itself predicts with.

    Returns
    -------
    model : ImportedRegressor or ImportedClassifier

    Raises
    ------
    UnsupportedModelError
        If the model is of another class or has a part that is not supported; the message names it.
    NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from mlwright import deploy
    >>> X = np.arange(40.0).reshape(-1, 1)
    >>> forest = RandomForestRegressor(5, random_state=0).fit(X, X[:, 0] ** 2)
    >>> model = deploy.from_model(forest)
    >>> bool((model.predict(X) == forest.predict(X)).all())
    True
    """
    _check_iterations(iterations)
    package = type(model).__module__.partition(".")[0]
    importer = {"lightgbm": _lightgbm, "xgboost": _xgboost}.get(package, _sklearn)
    return estimator_of(importer.from_model(model, iterations))


def is_foreign(start):
    """Whether a file may be a model that :func:`from_file` reads, from its first bytes.

    Parameters
    ----------
    start : bytes
        256 of them, or the whole file if it is shorter.

    Returns
    -------
    bool
    """
    return _lightgbm.is_lightgbm(start[:16]) or _xgboost.is_xgboost(start)


def _check_iterations(iterations):
    if iterations is not None and (not isinstance(iterations, int) or iterations < 1):
        raise ValueError(f"iterations: got {iterations!r}; expected None or a positive integer")


def _what_else(data):
    """What a file is that no importer reads, if one can tell."""
    start = data[:64]
    known = {
        b"binf": "an XGBoost model in the binary format of versions before 2; save it as .ubj or .json",
        b"CONFIG-offset:": "an XGBoost snapshot with its configuration; use save_model, not pickle or serialize",
        b"\x80": "a pickle; load it where you trust it and use from_model",
        b"CBM1": "a CatBoost model, which is not supported",
        b"PK": "a zip archive; unpack it first",
        b"\x1f\x8b": "a gzip file; unpack it first",
    }
    for magic, kind in known.items():
        if start.startswith(magic):
            return f"model file: is {kind}"
    if start[8:9] == b"{":
        return "model file: is maybe a .mlw file; use mlwright.load"
    return "model file: is neither a text model of LightGBM nor a JSON or UBJSON model of XGBoost"
