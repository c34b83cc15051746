#include "mlwright/sampler/glm/dispersion.hpp"

#include "sampler/log_gamma.hpp"

namespace mlwright::sampler::glm {
namespace {

constexpr double kLarge = 1e4;  // beyond, differences of log Gamma would lose their digits

WithDispersion gamma_family(const DispersionSums& sums, double loss, double s) noexcept {
  const double v = exp(-s);
  const LogGamma g = log_gamma(v);
  const double total = loss + sums.least;
  const double value = -v * total + sums.weight * (-v * s - g.value) + (v - 1) * sums.moment;
  const double in_v = -total + sums.weight * (1 - s - g.slope) + sums.moment;
  return {value, -v * in_v, -v};
}

// log (y + theta - 1)! - log (theta - 1)! - y log theta, which goes to 0 as theta grows, and its derivative in theta.
LogGamma rising(double y, double theta, const LogGamma& base) noexcept {
  if (theta > kLarge * (1 + y)) {
    const double r = 1 / theta, pairs = 0.5 * y * (y - 1), more = (2 * y - 1) / 3;
    return {pairs * r * (1 - 0.5 * more * r), -pairs * r * r * (1 - more * r)};
  }
  const LogGamma g = log_gamma(y + theta);
  return {g.value - base.value - y * log(theta), g.slope - base.slope - y / theta};
}

WithDispersion negative_binomial(const DispersionSums& sums, double loss, double slope_of_loss, double s) noexcept {
  const double theta = exp(-s);
  const LogGamma base = log_gamma(theta);
  double value = -loss, slope = 0;
  for (std::size_t i = 0; i < sums.counts.size(); ++i) {
    const LogGamma g = rising(sums.counts[i], theta, base);
    value += sums.count_weights[i] * g.value;
    slope += sums.count_weights[i] * g.slope;
  }
  return {value, -slope_of_loss - theta * slope, -1};
}

}  // namespace

WithDispersion with_dispersion(Dispersion kind, const DispersionSums& sums, double loss, double slope_of_loss, double s) noexcept {
  switch (kind) {
    case Dispersion::none: break;
    case Dispersion::gamma: return gamma_family(sums, loss, s);
    case Dispersion::negative_binomial: return negative_binomial(sums, loss, slope_of_loss, s);
    case Dispersion::normal:
    case Dispersion::inverse_gaussian: {
      const double v = exp(-s), total = (kind == Dispersion::normal ? loss : loss + sums.moment) + sums.least;
      return {-v * total - 0.5 * sums.weight * s, v * total - 0.5 * sums.weight, -v};
    }
  }
  return {-loss, 0, -1};
}

}  // namespace mlwright::sampler::glm
