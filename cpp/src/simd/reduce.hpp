// Sums whose order is fixed by the length alone.
#pragma once

#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct ReduceTable {
  double (*sum)(const double* x, index_t n);
  double (*dot)(const double* x, const double* y, index_t n);
};

MLWRIGHT_SIMD_TABLES(ReduceTable, reduce)

}  // namespace mlwright::simd
