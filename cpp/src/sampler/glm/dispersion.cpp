#include "mlwright/sampler/glm/dispersion.hpp"

#include "sampler/glm/log_gamma.hpp"

namespace mlwright::sampler::glm {
namespace {

WithDispersion gamma_family(const DispersionSums& sums, double loss, double s) noexcept {
  const double v = exp(-s);
  const LogGamma g = log_gamma(v);
  const double value = -v * loss + sums.weight * (-v * s - g.value) + (v - 1) * sums.moment;
  const double in_v = -loss + sums.weight * (1 - s - g.slope) + sums.moment;
  return {value, -v * in_v, -v};
}

WithDispersion negative_binomial(const DispersionSums& sums, double loss, double slope_of_loss, double s) noexcept {
  const double theta = exp(-s);
  const LogGamma base = log_gamma(theta);
  double value = -loss + sums.moment * s, slope = 0;
  for (std::size_t i = 0; i < sums.counts.size(); ++i) {
    const LogGamma g = log_gamma(sums.counts[i] + theta);
    value += sums.count_weights[i] * (g.value - base.value);
    slope += sums.count_weights[i] * (g.slope - base.slope);
  }
  return {value, sums.moment - slope_of_loss - theta * slope, -1};
}

}  // namespace

WithDispersion with_dispersion(Dispersion kind, const DispersionSums& sums, double loss, double slope_of_loss, double s) noexcept {
  switch (kind) {
    case Dispersion::none: break;
    case Dispersion::gamma: return gamma_family(sums, loss, s);
    case Dispersion::negative_binomial: return negative_binomial(sums, loss, slope_of_loss, s);
    case Dispersion::normal:
    case Dispersion::inverse_gaussian: {
      const double v = exp(-s), total = kind == Dispersion::normal ? loss : loss + sums.moment;
      return {-v * total - 0.5 * sums.weight * s, v * total - 0.5 * sums.weight, -v};
    }
  }
  return {-loss, 0, -1};
}

}  // namespace mlwright::sampler::glm
