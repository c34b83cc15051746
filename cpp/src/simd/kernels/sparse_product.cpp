#include "simd/sparse_product.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kWidth = static_cast<int>(sizeof(f64xn) / sizeof(double));
constexpr index_t kAhead = 8;  // entries: rows of b lie anywhere

// `vectors` sums stay in registers while the entries pass.
template <int vectors>
MLWRIGHT_LANE void columns(const double* value, const index_t* row, index_t entries, index_t known, const double* b, index_t width,
                           double* out) {
  f64xn sum[vectors];
#pragma GCC unroll 8
  for (int k = 0; k < vectors; ++k) sum[k] = f64xn{};
  for (index_t e = 0; e < entries; ++e) {
    if (e + kAhead < known) {
      const double* next = b + row[e + kAhead] * width;
      for (int k = 0; k < vectors * kWidth; k += 8) __builtin_prefetch(next + k);
    }
    const double* from = b + row[e] * width;
    const double v = value[e];
#pragma GCC unroll 8
    for (int k = 0; k < vectors; ++k) {
      f64xn x;
      std::memcpy(&x, from + k * kWidth, sizeof x);
      sum[k] += x * v;
    }
  }
#pragma GCC unroll 8
  for (int k = 0; k < vectors; ++k) std::memcpy(out + k * kWidth, &sum[k], sizeof(f64xn));
}

void times(const double* value, const index_t* row, index_t entries, index_t known, const double* b, index_t width, double* out) {
  constexpr int kFew = kLanes / kWidth;
  index_t k = 0;
  for (; k + 8 * kWidth <= width; k += 8 * kWidth) columns<8>(value, row, entries, known, b + k, width, out + k);
  for (; k < width; k += kLanes) columns<kFew>(value, row, entries, known, b + k, width, out + k);
}

}  // namespace

extern const SparseProductTable sparse_product_table;
const SparseProductTable sparse_product_table = {times};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
