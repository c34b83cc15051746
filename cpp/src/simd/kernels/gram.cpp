#include "simd/gram.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

// The register tile: vectors as wide as the instruction set has them, so that nothing is split or spilled. With separate
// multiply and add pipes, tiles of this shape reach the rate that fused multiply-adds would.
#if defined(__AVX512F__)
constexpr int kWidth = 8, kTileVectors = 4, kTileColumns = 4;
#elif defined(__AVX2__)
constexpr int kWidth = 4, kTileVectors = 2, kTileColumns = 4;
#else
constexpr int kWidth = 2, kTileVectors = 4, kTileColumns = 2;
#endif
typedef double vec __attribute__((vector_size(kWidth * 8)));
constexpr index_t kStream = kBlockRows * kGroup;  // elements from a group to the next

MLWRIGHT_LANE vec load_vec(const double* p) {
  vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE void store_vec(double* p, vec v) { std::memcpy(p, &v, sizeof v); }

// Columns are a contiguous run of a row: whole groups as vectors. Blocks follow each other, and rows of a group are too far
// apart for the hardware to see where reads go, so each asks for its place in the next block.
template <class T>
MLWRIGHT_LANE void pack_row_major(const T* x, index_t row_stride, index_t rows, index_t groups, const double* shift,
                                  const double* row_shift, const double* scale, double* block) {
  for (index_t g = 0; g < groups; ++g) {
    double* out = block + g * kStream;
    const T* in = x + g * kGroup;
    for (index_t r = 0; r < rows; ++r, in += row_stride, out += kGroup) {
      const double extra = row_shift != nullptr ? row_shift[r] : 0.0;
      __builtin_prefetch(in + rows * row_stride, 0, 2);
#pragma GCC unroll 8
      for (int part = 0; part < kGroup; part += kWidth) {
        vec v;
        for (int k = 0; k < kWidth; ++k) v[k] = static_cast<double>(in[part + k]);
        store_vec(out + part, ((v - extra) - load_vec(shift + g * kGroup + part)) * load_vec(scale + g * kGroup + part));
      }
    }
  }
}

template <class T>
constexpr index_t kLine = 64 / sizeof(T);  // of the cache

// Any strides, one column at a time: contiguous reads where columns are contiguous.
template <class T>
MLWRIGHT_LANE void pack_columns(const T* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns,
                                index_t first, const double* shift, const double* row_shift, const double* scale,
                                double* block) {
  for (index_t j = 0; j < columns; ++j) {
    const index_t column = first + j;
    double* out = block + (column / kGroup) * kStream + column % kGroup;
    const T* in = x + j * col_stride;
    const double c = shift[j], s = scale[j];
    if (row_stride == 1)
      for (index_t r = 0; r < rows; r += kLine<T>) __builtin_prefetch(in + rows + r, 0, 2);
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
                        const double* shift, const double* row_shift, const double* scale, double* block) {
  index_t done = 0;
  if (col_stride == 1 && first == 0) {
    const index_t groups = columns / kGroup;
    pack_row_major(x, row_stride, rows, groups, shift, row_shift, scale, block);
    done = groups * kGroup;
  }
  pack_columns(x + done * col_stride, row_stride, col_stride, rows, columns - done, first + done, shift + done, row_shift,
               scale + done, block);
}

void pack_f64(const double* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns, index_t first,
              const double* shift, const double* row_shift, const double* scale, double* block) {
  pack(x, row_stride, col_stride, rows, columns, first, shift, row_shift, scale, block);
}

void pack_f32(const float* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns, index_t first,
              const double* shift, const double* row_shift, const double* scale, double* block) {
  pack(x, row_stride, col_stride, rows, columns, first, shift, row_shift, scale, block);
}

void weigh(const double* block, const double* weight, index_t rows, index_t groups, double* weighted) {
  for (index_t g = 0; g < groups; ++g) {
    for (index_t r = 0; r < rows; ++r) {
      const index_t at = g * kStream + r * kGroup;
      store(weighted + at, load(block + at) * splat(weight[r]));
    }
  }
}

// One register tile: `vectors` vectors of a (consecutive columns) by kTileColumns broadcast columns of b.
template <int vectors>
MLWRIGHT_LANE void tile(const double* a, const double* b, index_t rows, double* c, index_t ldc) {
  vec sum[kTileColumns][vectors];
  for (int j = 0; j < kTileColumns; ++j)
    for (int v = 0; v < vectors; ++v) sum[j][v] = vec{};
  for (index_t r = 0; r < rows; ++r) {
    vec x[vectors];
    for (int v = 0; v < vectors; ++v) x[v] = load_vec(a + (v * kWidth / kGroup) * kStream + (v * kWidth) % kGroup + r * kGroup);
#pragma GCC unroll 8
    for (int j = 0; j < kTileColumns; ++j) {
      const double y = b[r * kGroup + j];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sum[j][v] += x[v] * y;
    }
  }
  for (int j = 0; j < kTileColumns; ++j)
    for (int v = 0; v < vectors; ++v) {
      double* out = c + j * ldc + v * kWidth;
      store_vec(out, load_vec(out) + sum[j][v]);
    }
}

constexpr int kGroupVectors = kGroup / kWidth;           // vectors a group
constexpr int kTileGroups = kTileVectors / kGroupVectors;  // groups a full tile

template <int vectors>
void tile_group(const double* a, const double* b, index_t rows, double* c, index_t ldc) {
  for (int j = 0; j < kGroup; j += kTileColumns) tile<vectors>(a, b + j, rows, c + j * ldc, ldc);
}

void rank_update(const double* a, const double* b, index_t rows, index_t i_begin, index_t i_end, index_t j_begin,
                 index_t j_end, double* c, index_t ldc) {
  for (index_t j = j_begin; j < j_end; ++j) {
    const double* bj = b + j * kStream;
    double* cj = c + j * kGroup * ldc;
    index_t i = i_begin > j ? i_begin : j;
    for (; i + kTileGroups <= i_end; i += kTileGroups)
      tile_group<kTileVectors>(a + i * kStream, bj, rows, cj + i * kGroup, ldc);
    switch (i_end - i) {  // fewer than kTileGroups are left: at most three
      case 3: if constexpr (kTileGroups > 3) tile_group<3 * kGroupVectors>(a + i * kStream, bj, rows, cj + i * kGroup, ldc); break;
      case 2: if constexpr (kTileGroups > 2) tile_group<2 * kGroupVectors>(a + i * kStream, bj, rows, cj + i * kGroup, ldc); break;
      case 1: if constexpr (kTileGroups > 1) tile_group<kGroupVectors>(a + i * kStream, bj, rows, cj + i * kGroup, ldc); break;
      default: break;
    }
  }
}

constexpr int kParts = kGroup / kWidth;  // registers a group: gcc 12 keeps sums of wider vectors in memory

// Lanes run over the columns of a group, groups in order, lanes combined at the end: one order for every layout of X.
void project(const double* block, const double* coef, index_t rows, index_t groups, double start, double* out,
             index_t out_stride) {
  for (index_t r = 0; r < rows; ++r) {
    const double* x = block + r * kGroup;
    vec sum[kParts] = {};
    for (index_t g = 0; g < groups; ++g)
#pragma GCC unroll 8
      for (int v = 0; v < kParts; ++v) sum[v] += load_vec(x + g * kStream + v * kWidth) * load_vec(coef + g * kGroup + v * kWidth);
    double lanes[kGroup];
    for (int v = 0; v < kParts; ++v) store_vec(lanes + v * kWidth, sum[v]);
    const double even = (lanes[0] + lanes[4]) + (lanes[2] + lanes[6]), odd = (lanes[1] + lanes[5]) + (lanes[3] + lanes[7]);
    out[r * out_stride] = start + (even + odd);  // the order of sum_lanes()
  }
}

void accumulate(const double* block, const double* factor, index_t rows, index_t groups, double* sum) {
  for (index_t g = 0; g < groups; ++g) {
    const double* x = block + g * kStream;
    vec total[kParts] = {};
    for (index_t r = 0; r < rows; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < kParts; ++v) total[v] += load_vec(x + r * kGroup + v * kWidth) * factor[r];
    for (int v = 0; v < kParts; ++v) {
      double* out = sum + g * kGroup + v * kWidth;
      store_vec(out, load_vec(out) + total[v]);
    }
  }
}

}  // namespace

extern const GramTable gram_table;
const GramTable gram_table = {pack_f64, pack_f32, weigh, rank_update, project, accumulate};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
