// Kernels over a packed block of rows: the inner loops of weighted Gram matrices and of linear predictions.
//
// A block holds up to kBlockRows rows of `groups` groups of eight columns, as [group][row][8]: a register tile then reads
// two or three contiguous streams that stay in the first-level cache, whatever layout X had. Padding columns are zero.
// Every element of a result is a sum over rows (rank_update, accumulate) or over lanes (project) in an order fixed by the
// shape, so tile shapes may differ between instruction sets without changing a bit.
#pragma once

#include "mlwright/base/ahead.hpp"
#include "mlwright/base/view.hpp"
#include "simd/level.hpp"

namespace mlwright::simd {

inline constexpr index_t kGroup = 8;         // columns a group
inline constexpr index_t kBlockRows = 128;   // three streams of 8 KiB fit a 32 KiB cache

struct GramTable {
  // block[column j, rows] = (x[r, j] - shift[j]) * scale[j] for `columns` columns that start at column `first`. Columns of
  // x are col_stride apart, rows row_stride; row_shift (may be null) is subtracted too. Memory is asked for the rows that
  // lie `ahead` rows on (0: for none).
  void (*pack_f64)(const double* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns, index_t first,
                   index_t ahead, const double* shift, const double* row_shift, const double* scale,
                   double* block);
  void (*pack_f32)(const float* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns, index_t first,
                   index_t ahead, const double* shift, const double* row_shift, const double* scale,
                   double* block);

  // weighted[., r, .] = weight[r] * block[., r, .]
  void (*weigh)(const double* block, const double* weight, index_t rows, index_t groups, double* weighted);

  // c[j, i] += sum over rows of b[r, j] * a[r, i] for groups i of [i_begin, i_end), j of [j_begin, j_end) with j <= i
  // (groups on the diagonal are written whole). c is row-major with leading dimension ldc. Meanwhile memory is asked for
  // what lies ahead.
  void (*rank_update)(const double* a, const double* b, index_t rows, index_t i_begin, index_t i_end, index_t j_begin,
                      index_t j_end, double* c, index_t ldc, const Ahead& ahead);

  // out[r * out_stride] = start + sum_j block[j, r] * coef[j], coef padded with zeros to whole groups.
  void (*project)(const double* block, const double* coef, index_t rows, index_t groups, double start, double* out,
                  index_t out_stride);

  // sum[j] += sum over rows of block[j, r] * factor[r]
  void (*accumulate)(const double* block, const double* factor, index_t rows, index_t groups, double* sum);
};

MLWRIGHT_SIMD_TABLES(GramTable, gram)

}  // namespace mlwright::simd
