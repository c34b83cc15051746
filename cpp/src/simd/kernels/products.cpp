#include "simd/products.hpp"

#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

// Columns and vectors of a register tile: its sums fill half of the registers.
#if defined(__AVX512F__)
constexpr int kColumns = 2, kVectors = 4;
#elif defined(__AVX2__)
constexpr int kColumns = 1, kVectors = 4;
#else
constexpr int kColumns = 1, kVectors = 2;
#endif
constexpr int kWidth = static_cast<int>(sizeof(f64xn) / sizeof(double)), kParts = kLanes / kWidth;

MLWRIGHT_LANE f64xn load_native(const double* p) {
  f64xn v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

MLWRIGHT_LANE double combine(const f64xn* sum, const double* x, const double* r, int rest) {
  double lanes[kLanes];
  std::memcpy(lanes, sum, sizeof lanes);
  for (int i = 0; i < rest; ++i) lanes[i] += x[i] * r[i];
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

template <int columns, int vectors>
MLWRIGHT_LANE void tile(const double* x, index_t x_stride, const double* r, index_t r_stride, index_t n, double* out,
                        index_t out_stride) {
  f64xn sum[columns][vectors][kParts] = {};
  index_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) {
      f64xn column[columns];
#pragma GCC unroll 2
      for (int j = 0; j < columns; ++j) column[j] = load_native(x + j * x_stride + i + part * kWidth);
#pragma GCC unroll 4
      for (int k = 0; k < vectors; ++k) {
        const f64xn v = load_native(r + k * r_stride + i + part * kWidth);
#pragma GCC unroll 2
        for (int j = 0; j < columns; ++j) sum[j][k][part] += column[j] * v;
      }
    }
  }
  for (int j = 0; j < columns; ++j)
    for (int k = 0; k < vectors; ++k)
      out[j * out_stride + k] += combine(sum[j][k], x + j * x_stride + i, r + k * r_stride + i, static_cast<int>(n - i));
}

template <int columns>
MLWRIGHT_LANE void all_vectors(const double* x, index_t x_stride, const double* r, index_t r_stride, index_t vectors,
                               index_t n, double* out, index_t out_stride) {
  index_t k = 0;
  for (; k + kVectors <= vectors; k += kVectors)
    tile<columns, kVectors>(x, x_stride, r + k * r_stride, r_stride, n, out + k, out_stride);
  for (; k < vectors; ++k) tile<columns, 1>(x, x_stride, r + k * r_stride, r_stride, n, out + k, out_stride);
}

void add(const double* x, index_t x_stride, index_t columns, const double* r, index_t r_stride, index_t vectors, index_t n,
         double* out, index_t out_stride) {
  index_t j = 0;
  for (; j + kColumns <= columns; j += kColumns)
    all_vectors<kColumns>(x + j * x_stride, x_stride, r, r_stride, vectors, n, out + j * out_stride, out_stride);
  for (; j < columns; ++j) all_vectors<1>(x + j * x_stride, x_stride, r, r_stride, vectors, n, out + j * out_stride, out_stride);
}

}  // namespace

extern const ProductsTable products_table;
const ProductsTable products_table = {add};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
