#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>

#include "arrays.hpp"
#include "call.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/linalg/blas.hpp"
#include "registers.hpp"

namespace mlwright::bindings {
namespace {

namespace py = pybind11;
using FortranMatrix = py::array_t<double, py::array::f_style>;

void install(const std::vector<std::uintptr_t>& double_routines, const std::vector<std::uintptr_t>& float_routines, bool wide) {
  if (double_routines.size() != linalg::kRoutines || float_routines.size() != linalg::kRoutines)
    throw InvalidArgument("BLAS table: expected " + std::to_string(linalg::kRoutines) + " addresses for each precision");
  linalg::BlasTable table;
  table.wide_integers = wide;
  for (std::size_t i = 0; i < linalg::kRoutines; ++i) {
    table.double_routines[i] = reinterpret_cast<void*>(double_routines[i]);
    table.float_routines[i] = reinterpret_cast<void*>(float_routines[i]);
  }
  linalg::install_blas(table);
}

std::vector<std::string> routine_names() {
  std::vector<std::string> names;
  for (int i = 0; i < linalg::kRoutines; ++i) names.emplace_back(linalg::routine_name(static_cast<linalg::Routine>(i)));
  return names;
}

void solve_spd(FortranMatrix a, FortranMatrix b) {
  if (a.ndim() != 2 || b.ndim() != 2 || a.shape(0) != a.shape(1) || a.shape(0) != b.shape(0))
    throw InvalidArgument("solve_spd: got shapes that do not fit; expected a (n, n) and b (n, k)");
  const index_t n = a.shape(0), n_rhs = b.shape(1), stride = std::max<index_t>(n, 1);
  double *matrix = a.mutable_data(), *x = b.mutable_data();
  without_gil([&](auto&) {
    if (const index_t minor = linalg::potrf('L', n, matrix, stride); minor != 0)
      throw NumericalError("solve_spd: the leading " + std::to_string(minor) + " x " + std::to_string(minor) +
                           " block of a is not positive definite; add a ridge to its diagonal");
    linalg::potrs('L', n, n_rhs, matrix, stride, x, stride);
  });
}

}  // namespace

void register_blas(py::module_& m) {
  py::module_ blas = m.def_submodule("blas");
  blas.def("installed", &linalg::has_blas);
  blas.def("has_wide_integers", &linalg::blas_has_wide_integers);
  blas.def("routine_names", &routine_names);
  blas.def("install", &install, py::arg("double_routines"), py::arg("float_routines"), py::arg("wide_integers"));
  blas.def("solve_spd", &solve_spd, py::arg("a").noconvert(), py::arg("b").noconvert());
}

}  // namespace mlwright::bindings
