// The design matrix that Python passes, as the linear kernels read it.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "mlwright/linalg/design.hpp"

namespace mlwright::bindings {

// float64 or float32 array of any strides, or the tuple (indptr, indices, data, n_columns). Views, no copies: `x` must
// outlive the result.
std::unique_ptr<linalg::Design> design_of(const pybind11::object& x);

}  // namespace mlwright::bindings
