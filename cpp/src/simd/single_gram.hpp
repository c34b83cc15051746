// Kernels over a packed block of float32 rows: products in single precision, their sums over blocks in double.
//
// A block holds up to kSingleBlockRows rows as simd/gram.hpp lays them out, in float: few enough that what 64 additions
// round off stays near that of the numbers themselves.
#pragma once

#include "mlwright/base/ahead.hpp"
#include "mlwright/base/view.hpp"
#include "simd/gram.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

inline constexpr index_t kSingleBlockRows = 64;

struct SingleGramTable {
  // block[column j, rows] = (x[r, j] - shift[j]) * (scale[j] * factor); strides in elements, the first column first in the
  // block.
  void (*pack)(const float* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns, const float* shift,
               const float* scale, float factor, float* block);

  // c[j, i] += unit * (sum over rows of block[r, j] * block[r, i]) for all groups with j <= i, as GramTable's.
  void (*rank_update)(const float* block, index_t rows, index_t groups, double unit, double* c, index_t ldc,
                      const Ahead& ahead);
};

MLWRIGHT_SIMD_TABLES(SingleGramTable, single_gram)

}  // namespace mlwright::simd
