"""Inputs for ``mlwright._kernels.rng``."""

from hypothesis import strategies as st

_words = st.integers(0, 2**32 - 1)
_keys = st.integers(0, 2**64 - 1)
_sizes = st.integers(0, 12)
# The methods change at 1 (gamma), 10 and 21 (Poisson); far ones so that a parameter's scale is met too.
_positive = st.one_of(st.floats(0.05, 30.0), st.sampled_from([1e-3, 0.5, 1.0, 1e4, 1e8]))
_means = st.one_of(st.floats(0.0, 60.0), st.sampled_from([10.0, 1e3, 1e5]))


def philox_blocks():
    return st.tuples(st.tuples(st.tuples(*[_words] * 4), st.tuples(*[_words] * 2)), st.just({}))


def _calls(*parameters):
    return st.tuples(st.tuples(_keys, _keys, *parameters), st.just({}))


def no_parameter():
    return _calls(_sizes)


def one_bound():
    return _calls(st.integers(1, 2**63 - 1), _sizes)


def one_positive():
    return _calls(_positive, _sizes)


def two_positive():
    return _calls(_positive, _positive, _sizes)


def one_mean():
    return _calls(_means, _sizes)


def one_length():
    return _calls(st.integers(0, 60))


@st.composite
def population_and_sample(draw):
    n = draw(st.one_of(st.integers(0, 60), st.integers(300, 400)))  # the method changes at one of sixteen
    return (draw(_keys), draw(_keys), n, draw(st.integers(0, min(n, 40)))), {}
