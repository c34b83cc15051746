// log Gamma and its derivative at positive numbers, with bits of our own: Stirling's series beyond 10, recurrence below.
// Absolute error below 1e-13 (relative to the larger of 1 and the value). Abramowitz and Stegun 6.1.41, 6.3.18.
#pragma once

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler {

struct LogGamma {
  double value, slope;
};

inline LogGamma log_gamma(double x) noexcept {
  double product = 1, reciprocals = 0;
  for (; x < 10; x += 1) {
    product *= x;
    reciprocals += 1 / x;
  }
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  const double log_x = log(x), r = 1 / x, q = r * r;
  const double series = r * (1.0 / 12 - q * (1.0 / 360 - q * (1.0 / 1260 - q * (1.0 / 1680 - q * (1.0 / 1188 - q * (691.0 / 360360))))));
  const double slopes = q * (1.0 / 12 - q * (1.0 / 120 - q * (1.0 / 252 - q * (1.0 / 240 - q * (1.0 / 132 - q * (691.0 / 32760))))));
  return {(x - 0.5) * log_x - x + kHalfLogTwoPi + series - log(product), log_x - 0.5 * r - slopes - reciprocals};
}

}  // namespace mlwright::sampler
