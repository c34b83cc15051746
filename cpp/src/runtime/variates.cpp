// Continuous variates.
//
// normal      inverse distribution function of one open uniform (base/normal.hpp), |z| <= 8.3. Not the fastest method, but
//             one word a variate and no rejection: variate i is a function of word i.
// exponential inverse distribution function.
// gamma       Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS 26, 2000; for shape < 1 by
//             their section 6: G(shape) = G(shape + 1) U^(1 / shape), in logarithms.
// beta        X / (X + Y) of two gamma variates, in logarithms, so that small parameters do not give 0 / 0.
#include <cmath>  // sqrt only: exactly rounded everywhere

#include "mlwright/base/elementary.hpp"
#include "mlwright/base/normal.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::runtime {
namespace {

// Shape at least 1. Accepts more than 95 of 100 candidates.
double gamma_from_one(Rng& rng, double shape) noexcept {
  const double d = shape - 1.0 / 3.0, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = rng.normal(), u = rng.uniform_open();
    const double t = c * x, root = 1 + t;
    if (root <= 0) continue;
    const double x2 = x * x;
    // 1 - v + log v of v = (1 + t)^3, so that a large d does not multiply what cancellation left.
    const auto log_ratio = [&] { return 3 * (log1p(t) - t) - t * t * (3 + t); };
    if (u < 1 - 0.0331 * x2 * x2 || log(u) < 0.5 * x2 + d * log_ratio()) return d * (root * root * root);
  }
}

}  // namespace

double Rng::normal() noexcept { return normal_quantile(uniform_open()); }

double Rng::exponential() noexcept { return -log(uniform_open()); }

double Rng::gamma(double shape) noexcept {
  if (shape >= 1) return gamma_from_one(*this, shape);
  return exp(log_gamma(shape));
}

double Rng::log_gamma(double shape) noexcept {
  if (shape >= 1) return log(gamma_from_one(*this, shape));
  const double larger = log(gamma_from_one(*this, shape + 1));
  return larger + log(uniform_open()) / shape;
}

double Rng::beta(double a, double b) noexcept {
  const double x = log_gamma(a), y = log_gamma(b);
  return expit(x - y);
}

double Rng::chi_square(double df) noexcept { return 2 * gamma(0.5 * df); }

double Rng::student_t(double df) noexcept {
  const double z = normal();
  return z / std::sqrt(chi_square(df) / df);
}

}  // namespace mlwright::runtime
