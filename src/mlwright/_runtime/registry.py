"""The registry of kernels: every native kernel, its readable twin, how to draw inputs, and how close they must be.

A wrapper in ``mlwright._kernels`` registers itself with :func:`kernel`. The property tests are generated from the
registry: kernel against twin across dtypes and layouts, and the same bits at every SIMD level and thread count. A
function of ``_core`` that no registered kernel claims fails the suite.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Tolerance:
    """How far a kernel may be from its twin: ``|kernel - twin| <= atol + rtol * |twin|``; NaN equals NaN.

    ``Tolerance()`` asks for equal values.
    """

    rtol: float = 0.0
    atol: float = 0.0


@dataclass(frozen=True)
class Kernel:
    """One row of the registry.

    Parameters
    ----------
    function : callable
        The wrapper in ``mlwright._kernels``.
    native : tuple of str
        The functions of ``mlwright._core`` that it stands for, as ``"folder.name"``.
    twin_path : str
        ``"module:function"`` in ``mlwright.reference``; same arguments, same results, NumPy only.
    strategy_path : str
        ``"module:function"`` in ``mlwright.testing``; returns a hypothesis strategy for ``(args, kwargs)``.
    tolerance : Tolerance
    """

    function: Callable[..., Any]
    native: tuple[str, ...]
    twin_path: str
    strategy_path: str
    tolerance: Tolerance

    @property
    def name(self) -> str:
        return f"{self.function.__module__.rpartition('.')[2]}.{self.function.__name__}"

    @cached_property
    def twin(self) -> Callable[..., Any]:
        return _resolve("mlwright.reference", self.twin_path)

    def strategy(self) -> Any:
        return _resolve("mlwright.testing", self.strategy_path)()


def _resolve(package: str, path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(f"{package}.{module}"), name)


_REGISTRY: dict[str, Kernel] = {}


def kernel(*, native: str | tuple[str, ...], twin: str, strategy: str, tolerance: Tolerance = Tolerance()):
    """Register the decorated wrapper; returns it unchanged, so a call costs nothing more."""
    claimed = (native,) if isinstance(native, str) else native

    def register(function):
        row = Kernel(function, claimed, twin, strategy, tolerance)
        if row.name in _REGISTRY:
            raise ValueError(f"kernel {row.name}: registered twice; expected one wrapper a name")
        _REGISTRY[row.name] = row
        return function

    return register


def all_kernels() -> list[Kernel]:
    """Every registered kernel, in order of name; imports all of ``mlwright._kernels``."""
    from pkgutil import iter_modules

    package = import_module("mlwright._kernels")
    for module in iter_modules(package.__path__):
        import_module(f"mlwright._kernels.{module.name}")
    return [_REGISTRY[name] for name in sorted(_REGISTRY)]
