#include "count_law.hpp"

#include <cmath>

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler {
namespace {

constexpr double kLogTwoPi = 1.8378770664093454836;
constexpr double kFarEnough = 16;  // for Stirling's series

double series(double x) noexcept {
  const double y = 1 / x, z = y * y;
  return y * (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * (691.0 / 360360))))));
}

// Odd powers up to the fifteenth: within rounding for v below 1/2.
double small_sinh(double v) noexcept {
  const double w = v * v;
  return v * (1 + w / 6 * (1 + w / 20 * (1 + w / 42 * (1 + w / 72 * (1 + w / 110 * (1 + w / 156 * (1 + w / 210)))))));
}

}  // namespace

double stirling_error(double x) noexcept {
  if (x >= kFarEnough) return series(x);
  double product = 1, y = x;  // Gamma(x + 1) = Gamma(y + 1) / ((x + 1) ... y)
  while (y < kFarEnough) product *= ++y;
  return series(y) + (y + 0.5) * log(y) - y - log(product) - (x + 0.5) * log(x) + x;
}

double log_probability_at_mean(double k, double phi) noexcept {
  if (k == 0) return 0;
  const double inverse = -0.5 * (kLogTwoPi + log(k) + log1p(phi * k)) - stirling_error(k);
  return phi > 0 ? inverse + stirling_error(1 / phi + k) - stirling_error(1 / phi) : inverse;
}

double place_of_mean(double m, double phi) noexcept {
  if (phi == 0) return std::sqrt(m);
  const double square = phi * m, z = std::sqrt(square);
  return log1p(z + square / (1 + std::sqrt(1 + square))) / std::sqrt(phi);
}

double mean_at_place(double s, double phi) noexcept {
  if (phi == 0) return s * s;
  const double v = std::sqrt(phi) * s, e = exp(v), root = v < 0.5 ? small_sinh(v) : 0.5 * (e - 1 / e);
  return root * root / phi;
}

}  // namespace mlwright::sampler
