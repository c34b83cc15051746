"""Property tests generated from the registry of kernels."""

import inspect

import numpy as np
import pytest
from hypothesis import given

from mlwright._native import core
from mlwright._runtime import simd
from mlwright._runtime.registry import all_kernels

KERNELS = all_kernels()
# Folders of _core that are doors, not kernels: state of the process, no array arithmetic.
DOORS = {"capi", "runtime"}
DOOR_FUNCTIONS = {
    "simd.level",
    "simd.set_level",
    "simd.supported_levels",
    "blas.install",
    "blas.installed",
    "blas.has_wide_integers",
    "blas.routine_names",
    # Markov chains of a user's density: held to their twin in tests/bayes/test_chains.py.
    "sampler.state_size",
    "sampler.evaluate",
    "sampler.initialise",
    "sampler.log_ratios",
    "sampler.sample",
    "horseshoe.sample",  # to a grid and to a plain Gibbs sampler, in tests/bayes/test_horseshoe.py
    "polya_gamma.sample_logistic",  # to quadrature, in tests/bayes/test_generalized.py
    "selection.sample_sets",  # to the enumeration, in tests/bayes/test_spike_slab.py
}


def as_arrays(result):
    return [np.asarray(part) for part in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("row", KERNELS, ids=lambda row: row.name)
def test_kernel_equals_its_twin(row):
    @given(row.strategy())
    def check(call):
        args, kwargs = call
        pairs = zip(as_arrays(row.function(*args, **kwargs)), as_arrays(row.twin(*args, **kwargs)), strict=True)
        for got, want in pairs:
            np.testing.assert_allclose(got, want, rtol=row.tolerance.rtol, atol=row.tolerance.atol)

    check()


@pytest.mark.parametrize("row", KERNELS, ids=lambda row: row.name)
def test_same_bits_at_every_simd_level_and_thread_count(row):
    @given(row.strategy())
    def check(call):
        args, kwargs = call
        want = None
        for level in simd.supported_levels():
            with simd.use_level(level):
                for n_threads in (1, 2, 3, 8):
                    core.runtime.set_num_threads(n_threads)
                    got = [a.tobytes() for a in as_arrays(row.function(*args, **kwargs))]
                    want = want or got
                    assert got == want, f"{row.name} differs at level {level} with {n_threads} threads"

    try:
        check()
    finally:
        core.runtime.set_num_threads(0)


def test_every_native_kernel_has_a_twin():
    claimed = {name for row in KERNELS for name in row.native}
    native = {
        f"{folder}.{name}"
        for folder, module in inspect.getmembers(core, inspect.ismodule)
        if folder not in DOORS
        for name, value in inspect.getmembers(module, callable)
        if not name.startswith("_") and not inspect.isclass(value)
    }
    assert native - DOOR_FUNCTIONS == claimed
