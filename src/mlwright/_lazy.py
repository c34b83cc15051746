"""Fronts of packages: a public name loads the module that has it when it is first asked for (PEP 562).

Who wants one estimator does not wait for the others and for what those import. Beside the ``__init__.py`` of such a
package is a stub ``__init__.pyi`` with its imports in plain words, for type checkers and editors.
"""

import sys
from importlib import import_module

__all__ = ["front"]


def front(package, module_of):
    """``__all__``, ``__getattr__`` and ``__dir__`` of a package.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    module_of : dict of str to str
        The full path of the module that has each public name.
    """
    names = sorted(module_of)

    def __getattr__(name):
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(module_of[name]), name)
        setattr(sys.modules[package], name, value)  # found without a call from now on
        return value

    def __dir__():
        return list(names)

    return names, __getattr__, __dir__
