"""Kernels of Gaussian processes in model files: by name from a closed table, checked before they are built."""

import json

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import (
    RBF,
    CompoundKernel,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    RationalQuadratic,
    WhiteKernel,
)

from mlwright import ModelFormatError, io
from mlwright.gaussian_process import GaussianProcessRegressor
from mlwright.io import kernels, plain
from mlwright.io.context import Sink, Source

KERNELS = [
    ConstantKernel(2.0, "fixed") * RBF([1.0, 2.0], (1e-3, 10.0)) + WhiteKernel(0.1, [(1e-3, 1.0)]),
    Matern(np.array([0.5, 2.0]), [(0.1, 1.0), (0.2, 9.0)], nu=1.5) + Matern(nu=np.inf),
    DotProduct(0.0, "fixed") + WhiteKernel(0.0, "fixed") + ConstantKernel(0.0, "fixed") * RBF(1.0, (0, 10)),
    RBF([1.0, 2.0], [(0.0, 1.0), (0.5, np.inf)]) + WhiteKernel(1, (1, 2)),
    RationalQuadratic(1.5, 0.3) * DotProduct(0.5) ** 2.0 + ExpSineSquared(1.0, 3.0, periodicity_bounds="fixed"),
]


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_a_kernel_comes_back_as_it_was(kernel):
    out = Sink("kernel")
    node = json.loads(json.dumps(plain.encode(kernel, out)))
    again = plain.decode(node, Source("kernel", tensors=out.tensors))
    assert type(again) is type(kernel)
    assert repr(again) == repr(kernel)
    np.testing.assert_array_equal(again.theta, kernel.theta)
    with np.errstate(divide="ignore"):  # bounds of 0
        np.testing.assert_array_equal(again.bounds, kernel.bounds)


def test_other_kernels_are_refused_by_name():
    class Mine(RBF):
        pass

    X, y = np.arange(10.0)[:, None], np.arange(10.0)
    for kernel in (Mine(), Mine() + WhiteKernel()):
        model = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.1).fit(X, y)
        with pytest.raises((TypeError, ValueError), match=r"Mine|expected a kernel"):
            io.dumps(model)
    assert kernels.name_of(CompoundKernel([RBF()])) is None


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"name": "RBF"}, "expected an object with name and params"),
        ({"name": "Kernel", "params": {}}, "names the kernel 'Kernel'"),
        ({"name": ["RBF"], "params": {}}, "names the kernel"),
        ({"name": "RBF", "params": {"length_scale": 1.0}}, "other parameters of RBF"),
        ({"name": "RBF", "params": {"length_scale": -1.0, "length_scale_bounds": "fixed"}}, "positive numbers"),
        ({"name": "RBF", "params": {"length_scale": "wide", "length_scale_bounds": "fixed"}}, "positive numbers"),
        ({"name": "RBF", "params": {"length_scale": 0.0, "length_scale_bounds": "fixed"}}, "positive numbers"),
        ({"name": "RBF", "params": {"length_scale": "1.0", "length_scale_bounds": "fixed"}}, "positive numbers"),
        ({"name": "RBF", "params": {"length_scale": True, "length_scale_bounds": "fixed"}}, "positive numbers"),
        ({"name": "RBF", "params": {"length_scale": [], "length_scale_bounds": "fixed"}}, "positive numbers"),
        ({"name": "RBF", "params": {"length_scale": [[1.0], 2.0], "length_scale_bounds": "fixed"}}, "positive numbers"),
        ({"name": "WhiteKernel", "params": {"noise_level": -1.0, "noise_level_bounds": "fixed"}}, "a number from 0"),
        ({"name": "RBF", "params": {"length_scale": 1.0, "length_scale_bounds": [-1.0, 2.0]}}, "in pairs"),
        ({"name": "RBF", "params": {"length_scale": 1.0, "length_scale_bounds": [0.0, 0.0]}}, "in pairs"),
        ({"name": "RBF", "params": {"length_scale": 1.0, "length_scale_bounds": ["0.1", "2.0"]}}, "in pairs"),
        ({"name": "RBF", "params": {"length_scale": 1.0, "length_scale_bounds": "free"}}, "in pairs, or 'fixed'"),
        ({"name": "RBF", "params": {"length_scale": 1.0, "length_scale_bounds": [1.0, 2.0, 3.0]}}, "in pairs"),
        ({"name": "Sum", "params": {"k1": 1.0, "k2": 2.0}}, "expected a kernel"),
    ],
)
def test_what_is_no_kernel_is_refused(node, message):
    with pytest.raises(ModelFormatError, match=message):
        plain.decode({"kernel": node}, Source("kernel", tensors={}))


def long_sum(terms):
    kernel = RBF(1.0)
    for i in range(1, terms):
        kernel = kernel * RBF(1.0 + i) if i % 3 == 0 else kernel + RBF([1.0 + i, 2.0])
    return kernel


def test_sums_of_many_terms_are_saved(tmp_path):
    X = np.random.default_rng(0).standard_normal((12, 2))
    model = GaussianProcessRegressor(long_sum(100), optimizer=None, alpha=0.1).fit(X, X[:, 0])
    io.save(model, tmp_path / "sum.mlw")
    again = io.load(tmp_path / "sum.mlw")
    assert repr(again.kernel_) == repr(model.kernel_)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    model.set_params(kernel=long_sum(200))
    with pytest.raises(ValueError, match="more than 128 sums and products"):
        io.save(model, tmp_path / "sum.mlw")


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ([], "no list of 1 to 128"),
        ({"Sum": 1}, "no list of 1 to 128"),
        ([["Sum", {"kernel": {"name": "RBF"}}]], "got no kernel"),
        ([["Sum", 1.0]], "expected a kernel"),
        ([["Exponentiation", 2.0]], "expected a pair of Sum or Product"),
        ([[["Sum"], 2.0]], "expected a pair of Sum or Product"),
        ([["Sum"]], "expected a pair of Sum or Product"),
    ],
)
def test_what_is_no_list_of_terms_is_refused(rest, message):
    node = plain.encode(RBF(), Sink("kernel"))["kernel"] | {"then": rest}
    with pytest.raises(ModelFormatError, match=message):
        plain.decode({"kernel": node}, Source("kernel"))


def test_lists_of_terms_within_each_other_are_bounded():
    node = plain.encode(RBF(), Sink("kernel"))
    for _ in range(3):
        node = {"kernel": {"name": "Sum", "params": {"k1": node, "k2": plain.encode(RBF(), Sink("k"))}}}
        node["kernel"]["then"] = [["Sum", plain.encode(RBF(), Sink("k"))]] * 100
    with pytest.raises(ModelFormatError, match="more than 128 sums and products"):
        plain.decode(node, Source("kernel"))
