// Arithmetic of whole vectors.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct VectorTable {
  void (*axpy)(double a, const double* x, index_t n, double* y);  // y += a x
};

MLWRIGHT_SIMD_TABLES(VectorTable, vector)

}  // namespace mlwright::simd
