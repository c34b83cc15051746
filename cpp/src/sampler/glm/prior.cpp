#include "mlwright/sampler/glm/prior.hpp"

#include <cmath>

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler::glm {
namespace {

double square(double x) noexcept { return x * x; }

// log(tau lambda) to the standard deviation of a coefficient, and how that one's logarithm grows with it.
struct Shrunk {
  double deviation, growth;
};
Shrunk shrunk(double log_product, double slab) noexcept {
  const double product = exp(log_product);
  const double beyond = slab > 0 ? square(product / slab) : 0;
  if (std::isinf(beyond)) return {slab, 0};
  return {product / std::sqrt(1 + beyond), 1 / (1 + beyond)};
}

}  // namespace

index_t CoefficientPrior::hyperparameters() const noexcept {
  return shape == Shape::horseshoe ? static_cast<index_t>(scale.size()) + 1 : 0;
}

void CoefficientPrior::coefficients(const double* z, const double* hyper, double* coef) const noexcept {
  const std::size_t p = scale.size();
  for (std::size_t j = 0; j < p; ++j)
    coef[j] = shape == Shape::horseshoe ? z[j] * scale[j] * shrunk(hyper[j] + hyper[p], slab).deviation : z[j];
}

double CoefficientPrior::add(const double* z, const double* hyper, const double* coef, const double* gradient_coef,
                             double* gradient_z, double* gradient_hyper) const noexcept {
  const std::size_t p = scale.size();
  double value = 0;
  for (std::size_t j = 0; j < p; ++j) {
    const double unit = z[j] / scale[j];
    switch (shape) {
      case Shape::normal:
        value -= 0.5 * unit * unit;
        gradient_z[j] += gradient_coef[j] - unit / scale[j];
        break;
      case Shape::student_t: {
        const double ratio = unit * unit / freedom;
        value -= 0.5 * (freedom + 1) * log1p(ratio);
        gradient_z[j] += gradient_coef[j] - (freedom + 1) / freedom * unit / (1 + ratio) / scale[j];
        break;
      }
      case Shape::laplace:
        value -= std::fabs(unit);
        gradient_z[j] += gradient_coef[j] - (unit > 0 ? 1 : unit < 0 ? -1 : 0) / scale[j];
        break;
      case Shape::horseshoe: {
        const Shrunk s = shrunk(hyper[j] + hyper[p], slab);
        const double pull = gradient_coef[j] * coef[j] * s.growth;
        value -= 0.5 * z[j] * z[j];
        gradient_z[j] += gradient_coef[j] * scale[j] * s.deviation - z[j];
        value += ScalePrior{1, 1}.add(hyper[j], gradient_hyper[j]);
        gradient_hyper[j] += pull;
        gradient_hyper[p] += pull;
        break;
      }
    }
  }
  if (shape == Shape::horseshoe) value += ScalePrior{global_scale, 1}.add(hyper[p], gradient_hyper[p]);
  return value;
}

double InterceptPrior::add(double intercept, double& gradient) const noexcept {
  if (scale == 0) return 0;
  const double unit = (intercept - centre) / scale;
  gradient -= unit / scale;
  return -0.5 * unit * unit;
}

double ScalePrior::add(double log_value, double& gradient) const noexcept {
  const double unit = square(exp(log_value) / scale);
  if (std::isinf(freedom)) {
    gradient += 1 - unit;
    return log_value - 0.5 * unit;
  }
  const double ratio = unit / freedom;
  gradient += 1 - (freedom + 1) * (std::isinf(ratio) ? 1 : ratio / (1 + ratio));
  return log_value - 0.5 * (freedom + 1) * log1p(ratio);
}

void EffectPrior::effects(std::span<const double> z, double log_scale, double* out) const noexcept {
  const double factor = centred ? 1 : exp(log_scale);
  for (std::size_t k = 0; k < z.size(); ++k) out[k] = factor * z[k];
}

double EffectPrior::add(std::span<const double> z, double log_scale, const double* gradient_effects, double* gradient_z,
                        double& gradient_scale) const noexcept {
  const double deviation = exp(log_scale);
  const double factor = centred ? 1 : deviation, unit = centred ? 1 / deviation : 1;
  double squares = 0, pull = 0;
  for (std::size_t k = 0; k < z.size(); ++k) {
    const double standard = unit * z[k];
    squares += standard * standard;
    pull += gradient_effects[k] * z[k];
    gradient_z[k] += factor * gradient_effects[k] - unit * standard;
  }
  double value = scale.add(log_scale, gradient_scale) - 0.5 * squares;
  if (centred) {
    gradient_scale += squares - static_cast<double>(z.size());
    value -= static_cast<double>(z.size()) * log_scale;
  } else {
    gradient_scale += deviation * pull;
  }
  return value;
}

}  // namespace mlwright::sampler::glm
