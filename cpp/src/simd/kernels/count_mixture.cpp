#include "simd/count_mixture.hpp"

#include "simd/lane_losses.hpp"

namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE {
namespace {

constexpr int kParts = static_cast<int>(kLanes / kWidth), kMostMoments = kCountMostDegree + 1;

MLWRIGHT_LANE f64xn root(f64xn x) {
  for (int lane = 0; lane < kWidth; ++lane) x[lane] = __builtin_sqrt(x[lane]);
  return x;
}

MLWRIGHT_LANE double total(const f64xn* parts) {
  f64x8 all;
  std::memcpy(&all, parts, sizeof all);
  return sum_lanes(all);
}

void places(const double* mean, index_t n, double phi, double* place) {
  const double scale = phi > 0 ? 1 / __builtin_sqrt(phi) : 1;
  for_registers(n, [&](index_t i, index_t lanes) {
    const f64xn m = take(mean + i, lanes);
    if (phi > 0) {
      const f64xn square = m * phi, z = root(square);  // asinh z = log(z + sqrt(1 + z^2)), without losing a small z
      put(place + i, lanes, log1p(z + square / (1.0 + root(1.0 + square))) * scale);
    } else {
      put(place + i, lanes, root(m));
    }
  });
}

void moments(const double* place, const double* weights, index_t n, int columns, int degree, double middle, double inverse,
             double* out) {
  f64xn sums[kCountMostColumns * kMostMoments][kParts];
  const int count = degree + 1;
  std::memset(sums, 0, static_cast<std::size_t>(columns * count) * sizeof sums[0]);
  const f64xn one = f64xn{} + 1.0;
  for (index_t i = 0; i < n; i += kLanes)
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) {
      const index_t at = i + p * kWidth;
      f64xn x = (take(place + at, kWidth) - middle) * inverse;
      x = select(x < -one, -one, select(x > one, one, x));
      f64xn t[kMostMoments];
      t[0] = one, t[1] = x;
      const f64xn twice = x + x;
      for (int j = 2; j < count; ++j) t[j] = twice * t[j - 1] - t[j - 2];
      for (int c = 0; c < columns; ++c) {
        const f64xn w = take(weights + c * n + at, kWidth);
        for (int j = 0; j < count; ++j) sums[c * count + j][p] += w * t[j];
      }
    }
  for (int c = 0; c < columns * count; ++c) out[c] = total(sums[c]);
}

// log((r + k) / (r + m)) and log(k (r + m) / (m (r + k))) with r = 1 / phi, from what is added to 1 on the side above 1.
MLWRIGHT_LANE f64xn log_ratio(f64xn difference, f64xn above, f64xn below) {
  const i64xn rises = difference > f64xn{};
  const f64xn log = log1p(select(rises, difference / above, -difference / below));
  return select(rises, log, -log);
}

void sums(const CountPoint& point, const double* mean, const double* at, const double* before, index_t n, double* sum_at,
          double* sum_before) {
  const double k = point.k, phi = point.phi, some = k > 0 ? k : 1;
  f64xn all[kParts] = {}, less[kParts] = {};
  for (index_t i = 0; i < n; i += kLanes)
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) {
      const index_t j = i + p * kWidth;
      const f64xn m = take(mean + j, kWidth), over = k - m, swell = 1.0 + phi * m;
      const f64xn spread = phi > 0 ? log_ratio(phi * over, swell, f64xn{} + (1 + phi * k)) * (1 / phi) : over;
      const f64xn probability = exp(point.constant - (k * log_ratio(over, m * (1 + phi * k), some * swell) - spread));
      all[p] += probability * take(at + j, kWidth);
      less[p] += probability * take(before + j, kWidth);
    }
  *sum_at = total(all);
  *sum_before = total(less);
}

}  // namespace

extern const CountMixtureTable count_mixture_table;
const CountMixtureTable count_mixture_table = {places, moments, sums};

}  // namespace mlwright::simd::MLWRIGHT_SIMD_NAMESPACE
