// Continuous variates.
//
// normal      inverse distribution function of one open uniform; rational approximations of Wichura, Algorithm AS 241
//             (PPND16), Applied Statistics 37, 1988: relative error 1e-16, |z| <= 8.3. Not the fastest method, but one word
//             a variate and no rejection: variate i is a function of word i.
// exponential inverse distribution function.
// gamma       Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS 26, 2000; for shape < 1 by
//             their section 6: G(shape) = G(shape + 1) U^(1 / shape), in logarithms.
// beta        X / (X + Y) of two gamma variates, in logarithms, so that small parameters do not give 0 / 0.
#include <cmath>  // sqrt only: exactly rounded everywhere

#include "mlwright/base/elementary.hpp"
#include "mlwright/runtime/rng.hpp"

namespace mlwright::runtime {
namespace {

// Horner's rule, the highest power first.
template <int N>
double polynomial(const double (&c)[N], double x) noexcept {
  double sum = c[0];
  for (int i = 1; i < N; ++i) sum = sum * x + c[i];
  return sum;
}

constexpr double kCentreNumerator[] = {2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
                                       4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
                                       1.3314166789178437745e+2, 3.3871328727963666080e+0};
constexpr double kCentreDenominator[] = {5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4,
                                         2.1213794301586595867e+4, 5.3941960214247511077e+3, 6.8718700749205790830e+2,
                                         4.2313330701600911252e+1, 1.0};
constexpr double kMiddleNumerator[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                                       1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                       4.63033784615654529590e+0, 1.42343711074968357734e+0};
constexpr double kMiddleDenominator[] = {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
                                         1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e+0,
                                         2.05319162663775882187e+0, 1.0};
constexpr double kTailNumerator[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                                     2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                     5.46378491116411436990e+0, 6.65790464350110377720e+0};
constexpr double kTailDenominator[] = {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
                                       7.86869131145613259100e-4,  1.48753612908506148525e-2, 1.36929880922735805310e-1,
                                       5.99832206555887937690e-1,  1.0};

double normal_quantile(double u) noexcept {
  const double q = u - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kCentreNumerator, r) / polynomial(kCentreDenominator, r);
  }
  const double r = std::sqrt(-log(q < 0 ? u : 1 - u));
  const double z = r <= 5 ? polynomial(kMiddleNumerator, r - 1.6) / polynomial(kMiddleDenominator, r - 1.6)
                          : polynomial(kTailNumerator, r - 5) / polynomial(kTailDenominator, r - 5);
  return q < 0 ? -z : z;
}

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
