#include "mlwright/sampler/polya_gamma.hpp"

#include <cmath>

#include "mlwright/base/elementary.hpp"
#include "mlwright/loss/normal_tail.hpp"
#include "mlwright/runtime/random_fill.hpp"

namespace mlwright::sampler {
namespace {

using runtime::Rng;

constexpr double kPi = 3.14159265358979323846;
constexpr double kCut = 0.64;      // where the two candidates meet
constexpr double kRootCut = 0.8;
constexpr double kLargest = 1e100;  // of scores: their squares must be finite, or no candidate is ever accepted

double log_cdf(double x) noexcept { return loss::normal_tail<loss::ScalarMath>(x).log_cdf; }

// Term n of the alternating series of the density of 4 PG(1, .).
double term(int n, double x) noexcept {
  const double k = n + 0.5;
  if (x > kCut) return kPi * k * exp(-0.5 * k * k * kPi * kPi * x);
  const double r = 2 / (kPi * x);
  return kPi * k * r * std::sqrt(r) * exp(-2 * k * k / x);
}

// Inverse Gaussian of mean 1 / z and shape 1, cut off at kCut.
double short_candidate(Rng& rng, double z) noexcept {
  if (z * kCut < 1) {
    for (;;) {
      double e, other;
      do {
        e = rng.exponential();
        other = rng.exponential();
      } while (e * e > 2 * other / kCut);
      const double x = kCut / ((1 + kCut * e) * (1 + kCut * e));
      if (rng.uniform_open() <= exp(-0.5 * z * z * x)) return x;
    }
  }
  const double mean = 1 / z;
  for (;;) {
    const double normal = rng.normal(), y = mean * normal * normal;
    double x = mean * (1 + 0.5 * (y - std::sqrt(4 * y + y * y)));
    if (rng.uniform_open() > mean / (mean + x)) x = mean * mean / x;
    if (x <= kCut) return x;
  }
}

bool accepts(Rng& rng, double x) noexcept {
  double sum = term(0, x);
  const double u = rng.uniform_open() * sum;
  for (int n = 1;; ++n) {
    if (n % 2 == 1) {
      sum -= term(n, x);
      if (u <= sum) return true;
    } else {
      sum += term(n, x);
      if (u > sum) return false;
    }
  }
}

}  // namespace

double polya_gamma(Rng& rng, double z) noexcept {
  z = std::fmin(0.5 * std::fabs(z), kLargest);
  const double rate = 0.125 * kPi * kPi + 0.5 * z * z;
  const double right = kPi / (2 * rate) * exp(-rate * kCut);
  const double left = 2 * (exp(log_cdf((kCut * z - 1) / kRootCut) - z) + exp(log_cdf(-(kCut * z + 1) / kRootCut) + z));
  for (;;) {
    const double x = rng.uniform_open() * (left + right) < right ? kCut + rng.exponential() / rate : short_candidate(rng, z);
    if (accepts(rng, x)) return 0.25 * x;
  }
}

void fill_polya_gamma(std::uint64_t seed, std::uint64_t stream, std::span<const double> z, std::span<double> out,
                      runtime::CancelToken& token) {
  runtime::parallel_for(static_cast<index_t>(out.size()), runtime::kFillChunk, token, [&](index_t chunk, index_t begin, index_t end) {
    Rng rng(seed, stream, static_cast<std::uint64_t>(chunk));
    for (index_t i = begin; i < end; ++i) out[static_cast<std::size_t>(i)] = polya_gamma(rng, z[static_cast<std::size_t>(i)]);
  });
}

}  // namespace mlwright::sampler
