#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "gp_kernel.hpp"

namespace mlwright::bindings {
namespace {

using Doubles = Vector<double>;

void covariance(const Steps& steps, const Doubles& parameters, const Doubles& x, const Doubles& noise, Doubles out) {
  const gp::Points points = points_of(x);
  const gp::Kernel kernel = kernel_of(steps, parameters, x.shape(1));
  require_size(noise, points.n, "noise");
  require_size(out, points.n * points.n, "out");
  double* const target = out.mutable_data();
  without_gil([&](auto& token) { gp::covariance(kernel, points, noise.data(), target, token); });
}

void cross_covariance(const Steps& steps, const Doubles& parameters, const Doubles& x, const Doubles& z, bool same, Doubles out) {
  const gp::Points rows = points_of(x), columns = points_of(z);
  if (z.shape(1) != x.shape(1)) throw py::value_error("Z: expected as many columns as X has");
  const gp::Kernel kernel = kernel_of(steps, parameters, x.shape(1));
  require_size(out, rows.n * columns.n, "out");
  double* const target = out.mutable_data();
  without_gil([&](auto& token) { gp::cross_covariance(kernel, rows, columns, same, target, token); });
}

Doubles gradient(const Steps& steps, const Doubles& parameters, const Doubles& x, const Doubles& precision, const Doubles& weights) {
  const gp::Points points = points_of(x);
  const gp::Kernel kernel = kernel_of(steps, parameters, x.shape(1));
  require_size(precision, points.n * points.n, "precision");
  if (weights.ndim() != 2 || weights.shape(0) != points.n) throw py::value_error("weights: expected a row for each of X");
  const auto values = without_gil([&](auto& token) {
    return gp::covariance_gradient(kernel, points, precision.data(), weights.data(), weights.shape(1), token);
  });
  return Doubles(static_cast<index_t>(values.size()), values.data());
}

}  // namespace

void register_gp(py::module_& m) {
  py::module_ gp = m.def_submodule("gp");
  gp.def("covariance", &covariance, py::arg("steps"), py::arg("parameters").noconvert(), py::arg("x").noconvert(),
         py::arg("noise").noconvert(), py::arg("out").noconvert());
  gp.def("cross_covariance", &cross_covariance, py::arg("steps"), py::arg("parameters").noconvert(), py::arg("x").noconvert(),
         py::arg("z").noconvert(), py::arg("same"), py::arg("out").noconvert());
  gp.def("covariance_gradient", &gradient, py::arg("steps"), py::arg("parameters").noconvert(), py::arg("x").noconvert(),
         py::arg("precision").noconvert(), py::arg("weights").noconvert());
}

}  // namespace mlwright::bindings
