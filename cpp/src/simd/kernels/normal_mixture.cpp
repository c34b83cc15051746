#include "simd/normal_mixture.hpp"

#include "mlwright/loss/normal_tail.hpp"
#include "simd/lane_losses.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kParts = static_cast<int>(kLanes / kWidth);

double total(const f64xn* parts) {
  f64x8 all;
  std::memcpy(&all, parts, sizeof all);
  return sum_lanes(all);
}

void below(double x, const double* mean, const double* inverse, index_t n, double* share, double* density) {
  f64xn shares[kParts] = {}, densities[kParts] = {};
  const f64xn place = f64xn{} + x;
  index_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) {
      const f64xn scale = take(inverse + i + p * kWidth, kWidth);
      const auto z = loss::normal_cdf<LaneMath>((place - take(mean + i + p * kWidth, kWidth)) * scale);
      shares[p] += z.cdf;
      densities[p] += z.density * scale;
    }
  // What is left, as lanes of one more step; lanes beyond add nothing.
  double means[kLanes] = {}, inverses[kLanes] = {}, counts[kLanes] = {};
  for (index_t lane = 0; i + lane < n; ++lane) means[lane] = mean[i + lane], inverses[lane] = inverse[i + lane], counts[lane] = 1;
  for (int p = 0; p < kParts && i + p * kWidth < n; ++p) {
    const f64xn scale = take(inverses + p * kWidth, kWidth);
    const auto z = loss::normal_cdf<LaneMath>((place - take(means + p * kWidth, kWidth)) * scale);
    shares[p] += z.cdf * take(counts + p * kWidth, kWidth);
    densities[p] += z.density * scale;
  }
  *share = total(shares);
  *density = total(densities);
}

}  // namespace

extern const NormalMixtureTable normal_mixture_table;
const NormalMixtureTable normal_mixture_table = {below};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
