#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/runtime/random_fill.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using runtime::CancelToken;
using runtime::Source;

using Integers = Vector<index_t>;

// A fill function of the core as f(seed, stream, parameters..., out).
template <class T, class... Parameters>
void def_fill(py::module_& m, const char* name, void (*fill)(Source, std::span<T>, CancelToken&, Parameters...)) {
  m.def(name, [fill](std::uint64_t seed, std::uint64_t stream, Parameters... parameters, Vector<T>& out) {
    const std::span<T> target = mutable_span<T>(out);
    without_gil([&](CancelToken& token) { fill({seed, stream}, target, token, parameters...); });
  });
}

}  // namespace

void register_rng(py::module_& m) {
  py::module_ rng = m.def_submodule("rng");
  rng.def("philox4x32", &runtime::philox4x32, py::arg("counter"), py::arg("key"));
  def_fill(rng, "uniform", &runtime::fill_uniform);
  def_fill(rng, "integers", &runtime::fill_integers);
  def_fill(rng, "normal", &runtime::fill_normal);
  def_fill(rng, "exponential", &runtime::fill_exponential);
  def_fill(rng, "gamma", &runtime::fill_gamma);
  def_fill(rng, "beta", &runtime::fill_beta);
  def_fill(rng, "chi_square", &runtime::fill_chi_square);
  def_fill(rng, "student_t", &runtime::fill_student_t);
  def_fill(rng, "poisson", &runtime::fill_poisson);
  rng.def("permutation", [](std::uint64_t seed, std::uint64_t stream, Integers& out) {
    runtime::Rng generator(seed, stream);
    const auto target = mutable_span<index_t>(out);
    without_gil([&](CancelToken&) { runtime::permutation(generator, target); });
  });
  rng.def("sample_without_replacement", [](std::uint64_t seed, std::uint64_t stream, index_t n, Integers& out) {
    runtime::Rng generator(seed, stream);
    const auto target = mutable_span<index_t>(out);
    without_gil([&](CancelToken&) { runtime::sample_without_replacement(generator, n, target); });
  });
}

}  // namespace mlwright::bindings
