#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/runtime/parallel.hpp"
#include "simd/level.hpp"
#include "simd/math.hpp"
#include "simd/reduce.hpp"

namespace mlwright::bindings {

namespace py = pybind11;

namespace {

// Elementwise, so chunking changes no bit; a chunk is worth about 50 us.
void map(simd::MapFunction f, const Vector<double>& x, Vector<double>& out) {
  if (x.size() != out.size()) throw py::value_error("out: differs from x in length; pass an array of x's shape");
  const double* from = x.data();
  double* to = out.mutable_data();
  const index_t n = x.size();
  without_gil([&](auto& token) {
    runtime::parallel_for(n, 1 << 15, token, [&](index_t, index_t begin, index_t end) { f(from + begin, to + begin, end - begin); });
  });
}

template <simd::MapFunction simd::MathTable::*Function>
void def_map(py::module_& m, const char* name) {
  m.def(name, [](const Vector<double>& x, Vector<double> out) { map(simd::math().*Function, x, out); },
        py::arg("x").noconvert(), py::arg("out").noconvert());
}

}  // namespace

void register_simd(py::module_& m) {
  py::module_ simd = m.def_submodule("simd");
  simd.def("level", [] { return simd::level_name(simd::active_level()); });
  simd.def("set_level", [](const std::string& name) { simd::set_level(simd::level_from_name(name)); }, py::arg("name"));
  simd.def("supported_levels", [] {
    std::vector<std::string> names;
    for (const simd::Level level : simd::supported_levels()) names.emplace_back(simd::level_name(level));
    return names;
  });
  simd.def("sum", [](const Vector<double>& x) { return simd::reduce().sum(x.data(), x.size()); },
           py::arg("x").noconvert());
  simd.def("dot", [](const Vector<double>& x, const Vector<double>& y) {
    if (x.size() != y.size()) throw py::value_error("dot: x and y differ in length");
    return simd::reduce().dot(x.data(), y.data(), x.size());
  }, py::arg("x").noconvert(), py::arg("y").noconvert());
  def_map<&simd::MathTable::exp>(simd, "exp");
  def_map<&simd::MathTable::log>(simd, "log");
  def_map<&simd::MathTable::log1p>(simd, "log1p");
  def_map<&simd::MathTable::expit>(simd, "expit");
  def_map<&simd::MathTable::softplus>(simd, "softplus");
}

}  // namespace mlwright::bindings
