#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "arrays.hpp"
#include "call.hpp"
#include "registers.hpp"
#include "simd/level.hpp"
#include "simd/reduce.hpp"

namespace mlwright::bindings {

namespace py = pybind11;

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
}

}  // namespace mlwright::bindings
