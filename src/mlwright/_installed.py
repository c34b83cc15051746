"""Where the parts that other builds need were installed."""

from importlib.util import find_spec
from pathlib import Path

__all__ = ["get_cmake_dir", "get_include"]


def _beside_the_core(folder):
    # An editable install keeps the sources where they are, and headers beside the extension module; elsewhere these are
    # one place. find_spec does not load the module.
    spec = find_spec("mlwright._core")
    path = Path(spec.origin).parent / folder
    if not path.is_dir():
        raise FileNotFoundError(f"mlwright: {path} is missing; expected it beside the package; reinstall mlwright")
    return str(path)


def get_include() -> str:
    """Folder for ``-I``: it holds ``mlwright/capi.h`` and the C++ headers.

    Examples
    --------
    >>> from pathlib import Path
    >>> import mlwright
    >>> (Path(mlwright.get_include()) / "mlwright" / "capi.h").exists()
    True
    """
    return _beside_the_core("include")


def get_cmake_dir() -> str:
    """Folder for ``-Dmlwright_DIR=``: ``find_package(mlwright CONFIG)`` then offers the target ``mlwright::headers``.

    Examples
    --------
    >>> from pathlib import Path
    >>> import mlwright
    >>> (Path(mlwright.get_cmake_dir()) / "mlwrightConfig.cmake").exists()
    True
    """
    return _beside_the_core("cmake")
