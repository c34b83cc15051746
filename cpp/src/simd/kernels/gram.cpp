#include "simd/gram.hpp"

#include "simd/kernels/register_tile.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

using vec = doubles;
constexpr int kWidth = TileOf<double>::width;
constexpr int kParts = kGroup / kWidth;           // registers a group: gcc 12 keeps sums of wider vectors in memory
constexpr index_t kStream = kBlockRows * kGroup;  // elements from a group to the next

// Columns are a contiguous run of a row: whole groups as vectors. Blocks follow each other, and rows of a group are too far
// apart for the hardware to see where reads go, so each asks for its place in the next block, `ahead` rows on.
template <class T>
MLWRIGHT_LANE void pack_row_major(const T* x, index_t row_stride, index_t rows, index_t groups, index_t ahead,
                                  const double* shift, const double* row_shift, const double* scale, double* block) {
  for (index_t g = 0; g < groups; ++g) {
    double* out = block + g * kStream;
    const T* in = x + g * kGroup;
    vec c[kParts], s[kParts];
    for (int v = 0; v < kParts; ++v) {
      c[v] = load_vec(shift + g * kGroup + v * kWidth);
      s[v] = load_vec(scale + g * kGroup + v * kWidth);
    }
    for (index_t r = 0; r < rows; ++r, in += row_stride, out += kGroup) {
      const double extra = row_shift != nullptr ? row_shift[r] : 0.0;
      __builtin_prefetch(in + ahead * row_stride, 0, 2);
#pragma GCC unroll 8
      for (int v = 0; v < kParts; ++v) {
        vec x_v;
        for (int k = 0; k < kWidth; ++k) x_v[k] = static_cast<double>(in[v * kWidth + k]);
        store_vec(out + v * kWidth, ((x_v - extra) - c[v]) * s[v]);
      }
    }
  }
}

template <class T>
constexpr index_t kLine = 64 / sizeof(T);  // of the cache

// Any strides, one column at a time: contiguous reads where columns are contiguous.
template <class T>
MLWRIGHT_LANE void pack_columns(const T* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns,
                                index_t first, index_t ahead, const double* shift, const double* row_shift,
                                const double* scale, double* block) {
  for (index_t j = 0; j < columns; ++j) {
    const index_t column = first + j;
    double* out = block + (column / kGroup) * kStream + column % kGroup;
    const T* in = x + j * col_stride;
    const double c = shift[j], s = scale[j];
    if (row_stride == 1 && ahead > 0)
      for (index_t r = 0; r < rows; r += kLine<T>) __builtin_prefetch(in + ahead + r, 0, 2);
    if (row_shift == nullptr) {
      for (index_t r = 0; r < rows; ++r) out[r * kGroup] = (static_cast<double>(in[r * row_stride]) - c) * s;
    } else {
      for (index_t r = 0; r < rows; ++r)
        out[r * kGroup] = (static_cast<double>(in[r * row_stride]) - row_shift[r] - c) * s;
    }
  }
}

template <class T>
MLWRIGHT_LANE void pack(const T* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns, index_t first,
                        index_t ahead, const double* shift, const double* row_shift, const double* scale, double* block) {
  index_t done = 0;
  if (col_stride == 1 && first == 0) {
    const index_t groups = columns / kGroup;
    pack_row_major(x, row_stride, rows, groups, ahead, shift, row_shift, scale, block);
    done = groups * kGroup;
  }
  pack_columns(x + done * col_stride, row_stride, col_stride, rows, columns - done, first + done, ahead, shift + done,
               row_shift, scale + done, block);
}

void pack_f64(const double* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns, index_t first,
              index_t ahead, const double* shift, const double* row_shift, const double* scale, double* block) {
  pack(x, row_stride, col_stride, rows, columns, first, ahead, shift, row_shift, scale, block);
}

void pack_f32(const float* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns, index_t first,
              index_t ahead, const double* shift, const double* row_shift, const double* scale, double* block) {
  pack(x, row_stride, col_stride, rows, columns, first, ahead, shift, row_shift, scale, block);
}

void weigh(const double* block, const double* weight, index_t rows, index_t groups, double* weighted) {
  for (index_t g = 0; g < groups; ++g) {
    for (index_t r = 0; r < rows; ++r) {
      const index_t at = g * kStream + r * kGroup;
      store(weighted + at, load(block + at) * splat(weight[r]));
    }
  }
}

void rank_update(const double* a, const double* b, index_t rows, index_t i_begin, index_t i_end, index_t j_begin,
                 index_t j_end, double* c, index_t ldc, const Ahead& ahead) {
  update(a, b, kStream, rows, i_begin, i_end, j_begin, j_end, c, ldc, One{}, ahead);
}

constexpr int kChains = 8;                 // registers of sums at once: sums of one alone would wait for each other
constexpr int kAtOnce = kChains / kParts;    // rows that are projected together, groups that are summed together

// Lanes run over the columns of a group, groups in order, lanes combined at the end: one order for every layout of X and
// however many rows go together.
template <int n>
MLWRIGHT_LANE void project_rows(const double* x, const double* coef, index_t groups, double start, double* out, index_t out_stride) {
  vec sum[n][kParts] = {};
  for (index_t g = 0; g < groups; ++g)
#pragma GCC unroll 8
    for (int v = 0; v < kParts; ++v) {
      const vec c = load_vec(coef + g * kGroup + v * kWidth);
#pragma GCC unroll 8
      for (int r = 0; r < n; ++r) sum[r][v] += load_vec(x + g * kStream + r * kGroup + v * kWidth) * c;
    }
#pragma GCC unroll 8
  for (int r = 0; r < n; ++r) {
    double lanes[kGroup];
    for (int v = 0; v < kParts; ++v) store_vec(lanes + v * kWidth, sum[r][v]);
    const double even = (lanes[0] + lanes[4]) + (lanes[2] + lanes[6]), odd = (lanes[1] + lanes[5]) + (lanes[3] + lanes[7]);
    out[r * out_stride] = start + (even + odd);  // the order of sum_lanes()
  }
}

void project(const double* block, const double* coef, index_t rows, index_t groups, double start, double* out,
             index_t out_stride) {
  index_t r = 0;
  for (; r + kAtOnce <= rows; r += kAtOnce) project_rows<kAtOnce>(block + r * kGroup, coef, groups, start, out + r * out_stride, out_stride);
  for (; r < rows; ++r) project_rows<1>(block + r * kGroup, coef, groups, start, out + r * out_stride, out_stride);
}

template <int n>
MLWRIGHT_LANE void accumulate_groups(const double* x, const double* factor, index_t rows, double* sum) {
  vec total[n][kParts] = {};
  for (index_t r = 0; r < rows; ++r)
#pragma GCC unroll 8
    for (int g = 0; g < n; ++g)
#pragma GCC unroll 8
      for (int v = 0; v < kParts; ++v) total[g][v] += load_vec(x + g * kStream + r * kGroup + v * kWidth) * factor[r];
#pragma GCC unroll 8
  for (int g = 0; g < n; ++g)
    for (int v = 0; v < kParts; ++v) {
      double* out = sum + g * kGroup + v * kWidth;
      store_vec(out, load_vec(out) + total[g][v]);
    }
}

void accumulate(const double* block, const double* factor, index_t rows, index_t groups, double* sum) {
  index_t g = 0;
  for (; g + kAtOnce <= groups; g += kAtOnce) accumulate_groups<kAtOnce>(block + g * kStream, factor, rows, sum + g * kGroup);
  for (; g < groups; ++g) accumulate_groups<1>(block + g * kStream, factor, rows, sum + g * kGroup);
}

}  // namespace

extern const GramTable gram_table;
const GramTable gram_table = {pack_f64, pack_f32, weigh, rank_update, project, accumulate};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
