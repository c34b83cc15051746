// Arrays of the losses of loss/list.hpp: gradients, Hessians and sums of values.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct LossKernels {
  void (*grad_hess)(double parameter, const double* y, const double* raw, index_t n, double* g, double* h);  // h may be null
  void (*value)(double parameter, const double* y, const double* raw, index_t n, double* out);
  double (*total)(double parameter, const double* y, const double* raw, const double* weight, index_t n);  // weight may be null
};

struct LossTable {
  LossKernels of[16];  // in the order of MLWRIGHT_LOSSES
};

MLWRIGHT_SIMD_TABLES(LossTable, losses)

}  // namespace mlwright::simd
