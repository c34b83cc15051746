#include "simd/moments.hpp"

#include "simd/gram.hpp"
#include "simd/lanes.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr index_t kStream = kBlockRows * kGroup;
constexpr int kWidth = static_cast<int>(sizeof(f64xn) / sizeof(double)), kParts = static_cast<int>(kGroup) / kWidth;

MLWRIGHT_LANE f64xn load_native(const double* p) {
  f64xn v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MLWRIGHT_LANE void store_native(double* p, f64xn v) { std::memcpy(p, &v, sizeof v); }

// sum[part] += w value(x) over rows; lanes are columns, so the order of a column's sum is that of the rows at every level.
template <class Value>
MLWRIGHT_LANE void sum_rows(const double* x, const double* w, index_t rows, f64xn* sum, Value value) {
  for (index_t r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int k = 0; k < kParts; ++k) {
      const f64xn v = load_native(x + r * kGroup + k * kWidth);
      const f64xn term = value(v, k);
      sum[k] += v == v ? (w == nullptr ? term : term * w[r]) : f64xn{};
    }
}

void of_group(const double* x, const double* w, index_t rows, double* weight, double* mean, double* scatter) {
  f64xn total[kParts] = {}, sum[kParts] = {}, rest[kParts] = {}, square[kParts] = {}, centre[kParts];
  sum_rows(x, w, rows, total, [](f64xn, int) { return f64xn{} + 1.0; });
  sum_rows(x, w, rows, sum, [](f64xn v, int) { return v; });
  for (int k = 0; k < kParts; ++k) centre[k] = total[k] > 0.0 ? sum[k] / total[k] : f64xn{};
  sum_rows(x, w, rows, rest, [&](f64xn v, int k) { return v - centre[k]; });
  sum_rows(x, w, rows, square, [&](f64xn v, int k) { return (v - centre[k]) * (v - centre[k]); });
  for (int k = 0; k < kParts; ++k) {
    const f64xn shift = total[k] > 0.0 ? rest[k] / total[k] : f64xn{}, left = square[k] - shift * rest[k];
    store_native(weight + k * kWidth, total[k]);
    store_native(mean + k * kWidth, centre[k] + shift);
    store_native(scatter + k * kWidth, left < 0.0 ? f64xn{} : left);
  }
}

void of_block(const double* block, const double* w, index_t rows, index_t groups, double* weight, double* mean,
              double* scatter) {
  for (index_t g = 0; g < groups; ++g)
    of_group(block + g * kStream, w, rows, weight + g * kGroup, mean + g * kGroup, scatter + g * kGroup);
}

}  // namespace

extern const MomentsTable moments_table;
const MomentsTable moments_table = {of_block};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
