// Sums over plain arrays in eight fixed lanes, so that compilers may use vector registers and bits stay the same.
#pragma once

#include <algorithm>

#include "mlwright/base/view.hpp"

namespace mlwright::sampler {

inline constexpr int kLanes = 8;

// sum of term(i), 0 <= i < n
template <class Term>
double lane_sum(index_t n, Term&& term) noexcept {
  double lanes[kLanes] = {};
  index_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) lanes[l] += term(i + l);
  for (int l = 0; i < n; ++i, ++l) lanes[l] += term(i);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

inline double dot(const double* a, const double* b, index_t n) noexcept {
  return lane_sum(n, [=](index_t i) { return a[i] * b[i]; });
}

inline double mean(const double* x, index_t n) noexcept {
  return lane_sum(n, [=](index_t i) { return x[i]; }) / static_cast<double>(n);
}

// With n - 1 in the denominator.
inline double variance(const double* x, index_t n) noexcept {
  const double centre = mean(x, n);
  return lane_sum(n, [=](index_t i) { return (x[i] - centre) * (x[i] - centre); }) / static_cast<double>(n - 1);
}

inline bool all_finite(const double* x, index_t n) noexcept {
  return lane_sum(n, [=](index_t i) { return x[i] - x[i]; }) == 0.0;
}

struct Extremes {
  double low, high;
};

// Of one or more numbers, none of them NaN.
inline Extremes extremes(const double* x, index_t n) noexcept {
  double low[kLanes], high[kLanes];
  std::fill_n(low, kLanes, x[0]);
  std::fill_n(high, kLanes, x[0]);
  index_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) {
      low[l] = std::min(low[l], x[i + l]);
      high[l] = std::max(high[l], x[i + l]);
    }
  for (; i < n; ++i) {
    low[0] = std::min(low[0], x[i]);
    high[0] = std::max(high[0], x[i]);
  }
  return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes)};
}

}  // namespace mlwright::sampler
