#include "simd/single_gram.hpp"

#include "simd/kernels/register_tile.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kWidth = TileOf<float>::width;
constexpr int kParts = kGroup / kWidth;
constexpr index_t kStream = kSingleBlockRows * kGroup;

void pack_row_major(const float* x, index_t row_stride, index_t rows, index_t groups, const float* shift,
                    const float* scale, float factor, float* block) {
  for (index_t g = 0; g < groups; ++g) {
    float* out = block + g * kStream;
    const float* in = x + g * kGroup;
    singles c[kParts], s[kParts];
    for (int v = 0; v < kParts; ++v) {
      c[v] = load_vec(shift + g * kGroup + v * kWidth);
      s[v] = load_vec(scale + g * kGroup + v * kWidth) * factor;
    }
    for (index_t r = 0; r < rows; ++r, in += row_stride, out += kGroup)
#pragma GCC unroll 8
      for (int v = 0; v < kParts; ++v) store_vec(out + v * kWidth, (load_vec(in + v * kWidth) - c[v]) * s[v]);
  }
}

void pack(const float* x, index_t row_stride, index_t col_stride, index_t rows, index_t columns, const float* shift,
          const float* scale, float factor, float* block) {
  index_t done = 0;
  if (col_stride == 1) {
    done = columns / kGroup * kGroup;
    pack_row_major(x, row_stride, rows, columns / kGroup, shift, scale, factor, block);
  }
  for (index_t j = done; j < columns; ++j) {
    float* out = block + j / kGroup * kStream + j % kGroup;
    const float* in = x + j * col_stride;
    const float c = shift[j], s = scale[j] * factor;
    for (index_t r = 0; r < rows; ++r) out[r * kGroup] = (in[r * row_stride] - c) * s;
  }
}

void rank_update(const float* block, index_t rows, index_t groups, double unit, double* c, index_t ldc,
                 const Ahead& ahead) {
  update(block, block, kStream, rows, 0, groups, 0, groups, c, ldc, unit, ahead);
}

}  // namespace

extern const SingleGramTable single_gram_table;
const SingleGramTable single_gram_table = {pack, rank_update};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
