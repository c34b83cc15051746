"""From scikit-learn's ``random_state`` to the seed of the native generators."""

from numbers import Integral

_SEEDS = 1 << 64


def seed_from(random_state) -> int:
    """A seed of 64 bits.

    Parameters
    ----------
    random_state : int, numpy.random.RandomState, numpy.random.Generator or None
        An integer is the seed itself. A generator is asked for 64 bits, so it moves on and the next call gives another
        seed; None asks NumPy's global generator, as in scikit-learn.

    Returns
    -------
    int
        ``0 <= seed < 2**64``.

    Raises
    ------
    ValueError
        If ``random_state`` is something else, or an integer outside that range.
    """
    import numpy as np

    if isinstance(random_state, Integral) and not isinstance(random_state, bool) and 0 <= random_state < _SEEDS:
        return int(random_state)
    if random_state is None or random_state is np.random:
        random_state = np.random.mtrand._rand
    if isinstance(random_state, np.random.RandomState):
        low, high = random_state.randint(0, 1 << 32, size=2, dtype=np.uint64)
        return int(low) | int(high) << 32
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, _SEEDS - 1, dtype=np.uint64, endpoint=True))
    raise ValueError(
        f"random_state: got {random_state!r}, expected None, an integer from 0 to 2**64 - 1, "
        "a numpy.random.RandomState or a numpy.random.Generator"
    )


def stream_id(purpose: int, iteration: int = 0) -> int:
    """The stream for one purpose and iteration of an algorithm; both of 32 bits. As ``runtime::stream_id`` in C++."""
    return purpose << 32 | iteration
