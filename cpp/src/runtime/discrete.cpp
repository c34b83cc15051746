// Counts, orders and choices.
//
// poisson     mean < 10: as many open uniforms as their product stays above exp(-mean) (Knuth, TAOCP 2, 3.4.1). From 10:
//             Hoermann, The transformed rejection method for generating Poisson random variables, 1993 (PTRS), its density
//             by Loader, Fast and accurate computation of binomial probabilities, 2000: no cancellation at large means.
#include <cmath>  // sqrt and floor only: exact everywhere
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/error.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::runtime {
namespace {

constexpr double kTwoPi = 6.283185307179586476925;

std::int64_t poisson_by_product(Rng& rng, double mean) noexcept {
  const double least = exp(-mean);
  double product = rng.uniform_open();
  std::int64_t k = 0;
  for (; product > least; ++k) product *= rng.uniform_open();
  return k;
}

// k log(k / mean) + mean - k, which is small when k is near the mean: by its series there.
double deviance(double k, double mean) noexcept {
  const double difference = k - mean, sum = k + mean;
  if (std::fabs(difference) >= 0.1 * sum) return k * log(k / mean) - difference;
  const double v = difference / sum, v2 = v * v;
  double total = difference * v, term = 2 * k * v;
  for (int odd = 3; odd < 64; odd += 2) {  // |v| < 0.1: eight terms are enough
    term *= v2;
    const double next = total + term / odd;
    if (next == total) break;
    total = next;
  }
  return total;
}

double log_poisson(double k, double mean) noexcept {
  if (k <= 20) {  // factorials that a double holds exactly
    double factorial = 1;
    for (int i = 2; i <= static_cast<int>(k); ++i) factorial *= i;
    return k * log(mean) - mean - log(factorial);
  }
  const double k2 = k * k;
  const double stirling = (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - 1.0 / 1680 / k2) / k2) / k2) / k;
  return -stirling - deviance(k, mean) - 0.5 * log(kTwoPi * k);
}

std::int64_t poisson_by_rejection(Rng& rng, double mean) noexcept {
  const double b = 0.931 + 2.53 * std::sqrt(mean), a = -0.059 + 0.02483 * b;
  const double log_inverse_alpha = log(1.1239 + 1.1328 / (b - 3.4)), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = rng.uniform_open() - 0.5, v = rng.uniform_open();
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r) return static_cast<std::int64_t>(k);
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (log(v) + log_inverse_alpha - log(a / (us * us) + b) <= log_poisson(k, mean)) return static_cast<std::int64_t>(k);
  }
}

// The first k steps of the shuffle on an array that is only imagined: what is not in the map still is its own index.
void sample_few(Rng& rng, index_t n, std::span<index_t> out) {
  std::unordered_map<index_t, index_t> moved;
  moved.reserve(2 * out.size());
  const auto at = [&](index_t i) {
    const auto found = moved.find(i);
    return found == moved.end() ? i : found->second;
  };
  for (index_t i = 0; i < static_cast<index_t>(out.size()); ++i) {
    const index_t j = i + static_cast<index_t>(rng.below(static_cast<std::uint64_t>(n - i)));
    out[static_cast<std::size_t>(i)] = at(j);
    moved[j] = at(i);
  }
}

void sample_many(Rng& rng, index_t n, std::span<index_t> out) {
  std::vector<index_t> all(static_cast<std::size_t>(n));
  for (index_t i = 0; i < n; ++i) all[static_cast<std::size_t>(i)] = i;
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::swap(all[i], all[i + rng.below(static_cast<std::uint64_t>(n) - i)]);
    out[i] = all[i];
  }
}

}  // namespace

std::int64_t Rng::poisson(double mean) noexcept {
  if (mean == 0) return 0;
  return mean < 10 ? poisson_by_product(*this, mean) : poisson_by_rejection(*this, mean);
}

void permutation(Rng& rng, std::span<index_t> out) noexcept {
  const std::size_t n = out.size();
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<index_t>(i);
  for (std::size_t i = 0; i + 1 < n; ++i) std::swap(out[i], out[i + rng.below(n - i)]);
}

void sample_without_replacement(Rng& rng, index_t n, std::span<index_t> out) {
  const auto k = static_cast<index_t>(out.size());
  if (k > n)
    throw InvalidArgument("sample without replacement: got " + std::to_string(k) + " to draw of " + std::to_string(n) +
                          ", expected at most as many as there are");
  if (k < n / 16)
    sample_few(rng, n, out);
  else
    sample_many(rng, n, out);
}

}  // namespace mlwright::runtime
