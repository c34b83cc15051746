// Covariance functions of Gaussian processes as mlwright._kernels.gp passes them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "mlwright/gp/dense.hpp"

namespace mlwright::bindings {

using Steps = std::vector<std::pair<int, index_t>>;  // of function and number of parameters

inline gp::Kernel kernel_of(const Steps& steps, const Vector<double>& parameters, index_t d) {
  std::vector<gp::Step> program;
  for (const auto& [op, n_parameters] : steps) {
    if (op < 0 || op >= gp::kOps) throw py::value_error("kernel: got function " + std::to_string(op) + ", which is not known");
    program.push_back({static_cast<gp::Op>(op), n_parameters});
  }
  return {std::move(program), span(parameters), d};
}

inline gp::Points points_of(const Vector<double>& x) {
  if (x.ndim() != 2) throw py::value_error("X: expected two axes");
  return {x.data(), x.shape(0)};
}

}  // namespace mlwright::bindings
