// Kernels of rows whose categories are given by codes: a code is the column of a one, so products are look-ups and sums are
// scatters. A row's codes ascend, one a categorical feature.
#pragma once

#include <cstdint>

#include "mlwright/base/view.hpp"
#include "simd/gram.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

struct CodedTable {
  // Upper half of gram += sum over rows of h z z' for what has a code in it: levels with levels, and the numbers that stand
  // in the columns from `levels` on (`weighted`: those of the block times h, `groups` groups) with levels.
  void (*add_gram)(const std::int32_t* codes, index_t features, const double* h, const double* weighted, index_t rows,
                   index_t groups, index_t levels, double* gram, index_t width);
};

MLWRIGHT_SIMD_TABLES(CodedTable, coded)

}  // namespace mlwright::simd
