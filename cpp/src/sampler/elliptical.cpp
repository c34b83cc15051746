#include "mlwright/sampler/elliptical.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "mlwright/base/elementary.hpp"

namespace mlwright::sampler {
namespace {

constexpr double kNarrowest = 1e-14;  // of an arc: nothing but the state is left on it

struct Turn {
  double sine, cosine;
};

// For |angle| <= 2 pi, error 1e-15: a series for a sixteenth of it, doubled four times. Not libm's, whose bits differ.
Turn turn(double angle) noexcept {
  const double x = angle / 16, x2 = x * x;
  double sine = x * (1 - x2 / 6 * (1 - x2 / 20 * (1 - x2 / 42 * (1 - x2 / 72 * (1 - x2 / 110)))));
  double missing = x2 / 2 * (1 - x2 / 12 * (1 - x2 / 30 * (1 - x2 / 56 * (1 - x2 / 90 * (1 - x2 / 132)))));  // 1 - cosine
  for (int i = 0; i < 4; ++i) {
    const double doubled = 2 * sine * (1 - missing);
    missing = 2 * sine * sine;
    sine = doubled;
  }
  return {sine, 1 - missing};
}

}  // namespace

Elliptical::Elliptical(const Target& likelihood, const Normal& prior, std::function<void()> between_steps)
    : likelihood_(likelihood),
      prior_(prior),
      between_steps_(std::move(between_steps)),
      z_(static_cast<std::size_t>(likelihood.free_size())),
      other_(z_.size()),
      u_(z_.size()),
      gradient_(z_.size()),
      x_(static_cast<std::size_t>(likelihood.size())),
      scratch_(x_.size()) {}

double Elliptical::evaluate(const std::vector<double>& u) {
  between_steps_();
  return likelihood_(u.data(), gradient_.data(), x_.data(), scratch_.data());
}

bool Elliptical::init(State state) {
  std::ranges::copy(state.u, u_.begin());
  std::ranges::fill(state.gradient, 0.0);
  *state.log_density = evaluate(u_);
  return std::isfinite(*state.log_density);
}

Info Elliptical::step(runtime::Rng& rng, State state, const Dynamics&) {
  constexpr double kWhole = 2 * std::numbers::pi;
  prior_.draw(rng, z_, other_);
  const double level = *state.log_density + log(rng.uniform_open());
  double angle = kWhole * rng.uniform(), low = angle - kWhole, high = angle;
  Info info;
  while (high - low > kNarrowest) {
    const auto [sine, cosine] = turn(angle);
    for (std::size_t i = 0; i < u_.size(); ++i) {
      const double mean = prior_.mean[i];
      u_[i] = mean + (cosine * (state.u[i] - mean) + sine * (other_[i] - mean));
    }
    ++info.steps;
    const double value = evaluate(u_);
    if (value > level) {
      std::ranges::copy(u_, state.u.begin());
      *state.log_density = value;
      break;
    }
    (angle < 0 ? low : high) = angle;
    angle = low + (high - low) * rng.uniform();
  }
  info.acceptance = 1.0 / std::max(info.steps, 1);
  return info;
}

}  // namespace mlwright::sampler
