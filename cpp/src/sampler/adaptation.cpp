#include "mlwright/sampler/adaptation.hpp"

#include <algorithm>
#include <cmath>

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler {
namespace {

// Hoffman and Gelman's choices.
constexpr double kShrinkage = 0.05, kDelay = 10, kDecay = 0.75, kFirstGuess = 10;
constexpr double kSmallestScale = 1e-20, kLargestScale = 1e20;

}  // namespace

void DualAveraging::restart(double step) noexcept { *this = {0, 0, log(step), 0, log(kFirstGuess * step)}; }

void DualAveraging::update(double acceptance, double target) noexcept {
  count += 1;
  const double part = 1 / (count + kDelay);
  error = (1 - part) * error + part * (target - acceptance);
  log_step = centre - std::sqrt(count) / kShrinkage * error;
  const double forget = exp(-kDecay * log(count));
  log_step_mean = forget * log_step + (1 - forget) * log_step_mean;
}

Moments::Moments(double* count, std::span<double> memory) noexcept : count_(count) {
  const std::size_t d = memory.size() / 4;
  mean_u_ = memory.subspan(0, d), square_u_ = memory.subspan(d, d);
  mean_g_ = memory.subspan(2 * d, d), square_g_ = memory.subspan(3 * d, d);
}

void Moments::clear() noexcept {
  *count_ = 0;
  for (const auto& part : {mean_u_, square_u_, mean_g_, square_g_}) std::ranges::fill(part, 0.0);
}

void Moments::add(std::span<const double> u, std::span<const double> gradient) noexcept {
  const double n = *count_ += 1;
  const auto update = [n](double x, double& mean, double& square) {
    const double difference = x - mean;
    mean += difference / n;
    square += difference * (x - mean);
  };
  for (std::size_t i = 0; i < u.size(); ++i) {
    update(u[i], mean_u_[i], square_u_[i]);
    update(gradient[i], mean_g_[i], square_g_[i]);
  }
}

void Moments::scales(std::span<double> inverse_mass) const noexcept {
  for (std::size_t i = 0; i < inverse_mass.size(); ++i) {
    const double ratio = std::sqrt(square_u_[i] / square_g_[i]);
    if (std::isfinite(ratio) && ratio > 0) inverse_mass[i] = std::clamp(ratio, kSmallestScale, kLargestScale);
  }
}

}  // namespace mlwright::sampler
