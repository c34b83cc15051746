"""Which instruction set the kernels use."""

from collections.abc import Iterator
from contextlib import contextmanager

from mlwright._native import core


def level() -> str:
    """The level in use: ``"v2"``, ``"v3"`` or ``"v4"`` on x86-64, else ``"generic"``."""
    return core.simd.level()


def supported_levels() -> list[str]:
    """The levels this CPU can run, lowest first."""
    return core.simd.supported_levels()


@contextmanager
def use_level(name: str) -> Iterator[None]:
    """Run the block at another level. Process-wide: for tests and benchmarks."""
    before = level()
    core.simd.set_level(name)
    try:
        yield
    finally:
        core.simd.set_level(before)
